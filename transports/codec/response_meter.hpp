#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace signalbox::codec {

/// Finds where an HTTP/1.1 answer ends, from its bytes in pieces of any size.
/// Made for answers of our own servers: an improper header is `bad`.
class response_meter {
public:
  /// How far an answer has come.
  enum class state : uint8_t {
    /// The header is not complete.
    head,
    /// The header is complete, the body is not.
    body,
    /// The answer is complete.
    complete,
    /// Nothing but the end of the connection ends it: another protocol after a
    /// 101, or a body whose length was not told.
    endless,
    /// This is no answer of ours.
    bad,
  };

  /// Largest header.
  static constexpr size_t head_limit = 65536;

  /// `head_only` says that HEAD was asked, whose answer has no body.
  explicit response_meter(bool head_only = false) noexcept
    : head_only_(head_only) {
    // nop
  }

  /// Takes the next bytes. Returns how many of them belong to the answer; all
  /// of them unless it is complete or bad.
  size_t take(std::string_view bytes);

  state at() const noexcept {
    return state_;
  }

  /// Returns whether anything has come.
  bool begun() const noexcept {
    return begun_;
  }

  /// Returns whether another answer may follow on the connection. Valid once
  /// this one is complete.
  bool keep_alive() const noexcept {
    return keep_alive_;
  }

private:
  size_t take_head(std::string_view bytes);
  state judge(std::string_view head);

  bool head_only_;
  bool begun_ = false;
  bool keep_alive_ = true;
  state state_ = state::head;
  /// Bytes of the body that are to come.
  uint64_t left_ = 0;
  /// The header as far as it came in earlier pieces.
  std::string partial_;
};

} // namespace signalbox::codec
