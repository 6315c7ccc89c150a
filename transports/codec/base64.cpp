#include "transports/codec/base64.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace signalbox::codec {

namespace {

constexpr std::string_view standard =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::string_view url =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Every value of the alphabet is below 64, so that one test of the top bit
// finds an illegal character among four.
constexpr uint8_t illegal = 0x80;

using table = std::array<uint8_t, 256>;

constexpr table reverse(std::string_view alphabet) {
  table result{};
  result.fill(illegal);
  for (size_t i = 0; i < alphabet.size(); ++i)
    result[static_cast<uint8_t>(alphabet[i])] = static_cast<uint8_t>(i);
  return result;
}

constexpr auto standard_values = reverse(standard);

constexpr auto url_values = reverse(url);

uint32_t byte_at(std::string_view bytes, size_t index) {
  return static_cast<uint8_t>(bytes[index]);
}

void encode(std::string_view bytes, std::string_view alphabet,
            std::string& out) {
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    auto group = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8
                 | byte_at(bytes, i + 2);
    const char chars[] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                          alphabet[group >> 6 & 63], alphabet[group & 63]};
    out.append(chars, 4);
  }
  auto rest = bytes.size() - i;
  if (rest == 0)
    return;
  auto group = byte_at(bytes, i) << 16;
  if (rest == 2)
    group |= byte_at(bytes, i + 1) << 8;
  out += alphabet[group >> 18];
  out += alphabet[group >> 12 & 63];
  if (rest == 2)
    out += alphabet[group >> 6 & 63];
}

// Surplus bits of the last character are dropped, as Node and browsers do.
result<std::string> decode(std::string_view text, const table& values) {
  if (text.size() % 4 == 1)
    return errc::bad_base64;
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  size_t i = 0;
  for (; i + 4 <= text.size(); i += 4) {
    uint32_t a = values[byte_at(text, i)];
    uint32_t b = values[byte_at(text, i + 1)];
    uint32_t c = values[byte_at(text, i + 2)];
    uint32_t d = values[byte_at(text, i + 3)];
    if ((a | b | c | d) & illegal)
      return errc::bad_base64;
    auto group = a << 18 | b << 12 | c << 6 | d;
    const char bytes[] = {static_cast<char>(group >> 16),
                          static_cast<char>(group >> 8),
                          static_cast<char>(group)};
    out.append(bytes, 3);
  }
  uint32_t group = 0;
  auto rest = text.size() - i;
  for (size_t j = 0; j < rest; ++j) {
    uint32_t value = values[byte_at(text, i + j)];
    if (value & illegal)
      return errc::bad_base64;
    group |= value << (18 - 6 * j);
  }
  if (rest > 1)
    out += static_cast<char>(group >> 16);
  if (rest > 2)
    out += static_cast<char>(group >> 8);
  return out;
}

} // namespace

void encode_base64(std::string_view bytes, std::string& out) {
  encode(bytes, standard, out);
  out.append((3 - bytes.size() % 3) % 3, '=');
}

void encode_base64url(std::string_view bytes, std::string& out) {
  encode(bytes, url, out);
}

result<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 == 0) {
    if (text.ends_with("=="))
      text.remove_suffix(2);
    else if (text.ends_with('='))
      text.remove_suffix(1);
  }
  return decode(text, standard_values);
}

result<std::string> decode_base64_lines(std::string_view text) {
  if (text.find_first_of("\r\n") == text.npos)
    return decode_base64(text);
  std::string joined;
  joined.reserve(text.size());
  for (auto c : text)
    if (c != '\r' && c != '\n')
      joined += c;
  return decode_base64(joined);
}

result<std::string> decode_base64url(std::string_view text) {
  return decode(text, url_values);
}

} // namespace signalbox::codec
