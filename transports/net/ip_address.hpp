#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::net {

/// An IP address. IPv4 is kept in its form as IPv6 (`::ffff:a.b.c.d`), so that
/// both forms are equal. The zone of a link-local address is left out.
class ip_address {
public:
  ip_address() = default;

  /// Parses an address: dotted decimal, or IPv6 with or without a zone.
  static std::optional<ip_address> parse(std::string_view text);

  /// Returns its usual text: IPv4 as dotted decimal, IPv6 shortened.
  std::string text() const;

  bool is_v4() const noexcept;

  bool is_loopback() const noexcept;

  /// Returns what stands for one client when clients are counted: an IPv4
  /// address is itself, of IPv6 the first 64 bits count, which is what one
  /// client is given.
  ip_address client() const noexcept;

  bool operator==(const ip_address&) const = default;

  const std::array<uint8_t, 16>& bytes() const noexcept {
    return bytes_;
  }

  struct hash {
    size_t operator()(const ip_address& x) const noexcept;
  };

private:
  std::array<uint8_t, 16> bytes_{};
};

/// A set of networks.
class networks {
public:
  networks() = default;

  /// Takes addresses and networks (`10.0.0.0/8`); what cannot be parsed is left
  /// out. One of IPv6 holds no IPv4 address, unless it is written in the mapped
  /// form.
  explicit networks(const std::vector<std::string>& entries);

  bool contains(const ip_address& x) const noexcept;

  /// Returns whether it contains the address that a text says.
  bool contains(std::string_view address) const;

  bool empty() const noexcept {
    return entries_.empty();
  }

private:
  struct entry {
    ip_address base;
    /// Leading bits that must be the same.
    size_t bits = 128;
  };

  std::vector<entry> entries_;
};

} // namespace signalbox::net
