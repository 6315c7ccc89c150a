#include "transports/codec/utf8.hpp"

#include <cstring>

namespace signalbox::codec {

namespace {

// What a lead byte asks of the bytes behind it (Unicode, table 3-7): how many
// there are, and the range of the first; the others are 0x80 to 0xBF.
struct lead {
  uint8_t need;
  uint8_t low;
  uint8_t high;
};

constexpr uint8_t invalid = 0xFF;

constexpr lead classify(uint8_t x) {
  if (x < 0x80)
    return {0, 0x80, 0xBF};
  if (x < 0xC2)
    return {invalid, 0, 0};
  if (x < 0xE0)
    return {1, 0x80, 0xBF};
  if (x == 0xE0)
    return {2, 0xA0, 0xBF};
  if (x == 0xED)
    return {2, 0x80, 0x9F};
  if (x < 0xF0)
    return {2, 0x80, 0xBF};
  if (x == 0xF0)
    return {3, 0x90, 0xBF};
  if (x < 0xF4)
    return {3, 0x80, 0xBF};
  if (x == 0xF4)
    return {3, 0x80, 0x8F};
  return {invalid, 0, 0};
}

// Returns how many of the leading bytes can be skipped as ASCII, in steps of
// eight.
size_t ascii_prefix(const char* first, size_t size) noexcept {
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    uint64_t word;
    std::memcpy(&word, first + i, 8);
    if (word & 0x8080808080808080u)
      break;
  }
  return i;
}

} // namespace

size_t utf8_length(std::string_view text) noexcept {
  if (text.empty())
    return 0;
  auto [need, low, high] = classify(static_cast<uint8_t>(text[0]));
  if (need == invalid || text.size() <= need)
    return 0;
  for (size_t i = 1; i <= need; ++i) {
    auto x = static_cast<uint8_t>(text[i]);
    if (x < low || x > high)
      return 0;
    low = 0x80;
    high = 0xBF;
  }
  return need + size_t{1};
}

char32_t decode_utf8(std::string_view character) noexcept {
  constexpr char32_t lead_bits[] = {0x7F, 0x1F, 0x0F, 0x07};
  auto c = static_cast<uint8_t>(character[0]) & lead_bits[character.size() - 1];
  for (auto x : character.substr(1))
    c = c << 6 | (static_cast<uint8_t>(x) & 0x3F);
  return c;
}

void append_utf8(char32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  auto tails = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  constexpr char32_t marks[] = {0, 0xC0, 0xE0, 0xF0};
  out += static_cast<char>(marks[tails] | c >> (6 * tails));
  while (tails-- > 0)
    out += static_cast<char>(0x80 | (c >> (6 * tails) & 0x3F));
}

bool valid_utf8(std::string_view text) noexcept {
  utf8_checker checker;
  return checker.feed(text) && checker.complete();
}

size_t utf16_length(std::string_view text) noexcept {
  size_t units = 0;
  while (!text.empty()) {
    auto plain = ascii_prefix(text.data(), text.size());
    units += plain;
    text.remove_prefix(plain);
    if (text.empty())
      break;
    auto n = utf8_length(text);
    // What takes four bytes is a pair of surrogates.
    units += n == 4 ? 2 : 1;
    text.remove_prefix(n > 0 ? n : 1);
  }
  return units;
}

result<size_t> utf16_prefix(std::string_view text, size_t units) noexcept {
  size_t at = 0;
  while (units > 0) {
    auto n = utf8_length(text.substr(at));
    if (n == 0)
      return at == text.size() ? errc::bad_payload : errc::bad_utf8;
    size_t width = n == 4 ? 2 : 1;
    if (width > units)
      return errc::bad_payload;
    at += n;
    units -= width;
  }
  return at;
}

bool utf8_checker::feed(std::string_view piece) noexcept {
  auto need = need_;
  auto low = low_;
  auto high = high_;
  auto size = piece.size();
  for (size_t i = 0; i < size; ++i) {
    auto x = static_cast<uint8_t>(piece[i]);
    if (need > 0) {
      if (x < low || x > high)
        return false;
      --need;
      low = 0x80;
      high = 0xBF;
    } else if (x < 0x80) {
      auto skip = ascii_prefix(piece.data() + i, size - i);
      i += skip > 0 ? skip - 1 : 0;
    } else {
      auto next = classify(x);
      if (next.need == invalid)
        return false;
      need = next.need;
      low = next.low;
      high = next.high;
    }
  }
  need_ = need;
  low_ = low;
  high_ = high;
  return true;
}

} // namespace signalbox::codec
