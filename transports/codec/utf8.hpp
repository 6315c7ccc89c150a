#pragma once

#include "transports/codec/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace signalbox::codec {

/// Returns the length of the well-formed character that `text` begins with, 0
/// if it begins with none.
size_t utf8_length(std::string_view text) noexcept;

/// Returns the value of a character, of which `utf8_length` is the whole size.
char32_t decode_utf8(std::string_view character) noexcept;

/// Appends the UTF-8 form of a Unicode scalar value.
void append_utf8(char32_t c, std::string& out);

/// Returns whether `text` is well-formed UTF-8 (no overlong form, no
/// surrogate, nothing above U+10FFFF).
bool valid_utf8(std::string_view text) noexcept;

/// Returns the length of `text` in UTF-16 code units, as JavaScript counts. A
/// byte that belongs to no character counts one.
size_t utf16_length(std::string_view text) noexcept;

/// Returns how many bytes of `text` make up so many UTF-16 code units. Refuses
/// a text that is shorter or a pair that would be cut (`bad_payload`), and what
/// is no UTF-8 (`bad_utf8`).
result<size_t> utf16_prefix(std::string_view text, size_t units) noexcept;

/// Checks UTF-8 that comes in pieces, as in a fragmented WebSocket message.
class utf8_checker {
public:
  /// Returns false as soon as no continuation could make the text valid.
  bool feed(std::string_view piece) noexcept;

  /// Returns whether the text seen so far ends at a character boundary.
  bool complete() const noexcept {
    return need_ == 0;
  }

  void reset() noexcept {
    need_ = 0;
  }

private:
  uint8_t need_ = 0;
  uint8_t low_ = 0x80;
  uint8_t high_ = 0xBF;
};

} // namespace signalbox::codec
