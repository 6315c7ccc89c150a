#pragma once

#include "transports/net/http.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::net {

/// Reads requests with Beast's parser, one after the other: first the header,
/// then the body.
class request_parser {
public:
  /// How far the body is.
  enum class progress : uint8_t { incomplete, done, too_large, malformed };

  request_parser();
  ~request_parser();

  request_parser(const request_parser&) = delete;
  request_parser& operator=(const request_parser&) = delete;

  /// Begins with a whole header; fills in what the client says. Returns false
  /// if it is malformed. The views of `out` are valid until the next request.
  bool begin(std::string_view header, http_request& out);

  /// Forgets the request.
  void end();

  /// Returns whether a request has begun.
  bool begun() const noexcept {
    return begun_;
  }

  /// Returns the protocol's version, times ten.
  unsigned version() const noexcept;

  /// Returns whether the client expects to use the connection again.
  bool keep_alive() const;

  /// Returns the length of the body, if the header tells.
  std::optional<uint64_t> content_length() const;

  /// Bounds the body.
  void limit_body(uint64_t most);

  /// Returns whether the request is complete.
  bool done() const;

  /// Takes what there is of the body; `taken` tells how much. What is `done`
  /// has its body in `out`.
  progress take(std::string_view in, size_t& taken, std::string& out);

private:
  struct impl;

  std::unique_ptr<impl> impl_;
  bool begun_ = false;
};

} // namespace signalbox::net
