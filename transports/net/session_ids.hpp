#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::net {

/// Makes and checks session ids: base64url of 16 random bytes, 2 bytes node
/// number and 8 bytes MAC, 35 characters. The MAC keeps made-up ids away from
/// any table; the random part also tells which shard holds the session.
class session_ids {
public:
  /// Length of an id in characters.
  static constexpr size_t length = 35;

  /// Draws the MAC key at random.
  session_ids(uint16_t node, size_t shards);

  /// Makes an id of a session on the given shard.
  std::string make(size_t shard) const;

  /// Where a session lives.
  struct owner {
    uint16_t node = 0;
    size_t shard = 0;
  };

  /// Returns the owner of an id of ours, nothing for any other text.
  std::optional<owner> parse(std::string_view sid) const;

private:
  std::array<unsigned char, 8> mac(std::string_view bytes) const;

  uint16_t node_;
  size_t shards_;
  std::array<unsigned char, 32> key_;
};

/// Returns base64url of 15 random bytes: the public id of a connection in a
/// namespace, or an event id.
std::string random_id();

} // namespace signalbox::net
