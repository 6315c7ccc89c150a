#pragma once

#include "transports/codec/dialect.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace signalbox::session {

/// The facts that a client presented with the request that opened its session.
/// Each session keeps one as long as it lives, so it is held in one piece.
class handshake {
public:
  handshake() = default;

  /// `address` is that of the client, behind trusted proxies the one they
  /// report; `query` the raw query string.
  handshake(std::string_view address, std::string_view query,
            codec::dialect speaks, bool site = false);

  /// Keeps a request header; its name in lower case.
  void add(std::string_view name, std::string_view value);

  /// Gives back what memory was reserved in vain.
  void shrink() {
    text_.shrink_to_fit();
  }

  /// Returns the value of a header (lower-case name), empty if it is missing.
  std::string_view header(std::string_view name) const noexcept;

  std::string_view address() const noexcept {
    return std::string_view{text_}.substr(0, address_);
  }

  /// Keeps the host that the client named, and whether it came by https.
  void reached(std::string_view host, bool secure);

  /// Returns the host as the client named it, with its port; empty if it named
  /// none, or if that is not kept.
  std::string_view host() const noexcept {
    return header(":host");
  }

  /// Returns whether the client came by https, if that is kept.
  bool secure() const noexcept {
    return secure_;
  }

  /// Keeps the number of the connection over which the client asked.
  void came_over(uint64_t connection) noexcept {
    connection_ = connection;
  }

  /// Returns a number by which clients of one address can be told apart: that
  /// of the connection, which may be one of a proxy; 0 if it is not kept.
  uint64_t connection() const noexcept {
    return connection_;
  }

  std::string_view query() const noexcept {
    return std::string_view{text_}.substr(address_, query_);
  }

  /// Returns which client generation speaks.
  codec::dialect dialect() const noexcept {
    return dialect_;
  }

  /// Returns whether it came to the listener for publishers without a key.
  bool site() const noexcept {
    return site_;
  }

private:
  /// Address, query, then each header: name, colon, value, line feed.
  std::string text_;
  uint64_t connection_ = 0;
  uint32_t address_ = 0;
  uint32_t query_ = 0;
  codec::dialect dialect_ = codec::dialect::eio4;
  bool site_ = false;
  bool secure_ = false;
};

} // namespace signalbox::session
