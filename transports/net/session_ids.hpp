#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_mac_ctx_st;

namespace signalbox::net {

/// Makes and checks session ids: base64url of 16 random bytes, 2 bytes node
/// number and 8 bytes MAC, 35 characters. The MAC keeps made-up ids away from
/// other loops and nodes; the random part also tells which shard of
/// its node holds the session.
class session_ids {
public:
  /// Length of an id in characters.
  static constexpr size_t length = 35;

  /// Draws the MAC key at random, for a router by itself.
  session_ids(uint16_t node, size_t shards);

  /// Derives the MAC key from what all nodes of a cluster share. Ids of one
  /// label (the name of a listener) are none of another.
  session_ids(uint16_t node, size_t shards, std::string_view secret,
              std::string_view label);

  /// Returns the number of this node.
  uint16_t node() const noexcept {
    return node_;
  }

  /// Makes an id of a session on the given shard.
  std::string make(size_t shard) const;

  /// Where a session lives.
  struct owner {
    uint16_t node = 0;
    /// Counted with the shards of this node, so only true of its own sessions.
    size_t shard = 0;
  };

  /// Returns the owner of an id of ours or of the cluster's, nothing for any
  /// other text.
  std::optional<owner> parse(std::string_view sid) const;

private:
  void set_key(const unsigned char* key, size_t size);
  std::array<unsigned char, 8> mac(std::string_view bytes) const;

  uint16_t node_;
  size_t shards_;
  /// Keyed and ready to be copied, which costs a tenth of making it anew.
  std::shared_ptr<evp_mac_ctx_st> mac_;
};

/// Returns base64url of 15 random bytes: the public id of a connection in a
/// namespace, or an event id.
std::string random_id();

} // namespace signalbox::net
