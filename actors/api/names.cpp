#include "actors/api/names.hpp"

#include "transports/codec/json_scan.hpp"
#include "transports/codec/json_text.hpp"
#include "transports/codec/utf8.hpp"

#include <charconv>
#include <cstdint>

namespace signalbox {

namespace {

using codec::json_kind;

std::string_view noun(json_kind x) {
  switch (x) {
  case json_kind::null:
    return "null";
  case json_kind::boolean:
    return "a boolean";
  case json_kind::number:
    return "a number";
  case json_kind::string:
    return "a string";
  case json_kind::array:
    return "an array";
  case json_kind::object:
    return "an object";
  }
  return "something else";
}

/// C0, DEL and C1.
bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

std::string code_point(char32_t c) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  return std::string{"U+00"} + digits[c >> 4] + digits[c & 15];
}

template <class T>
bool fits(std::string_view digits) {
  T out = 0;
  const auto* end = digits.data() + digits.size();
  auto [at, ec] = std::from_chars(digits.data(), end, out);
  return ec == std::errc{} && at == end;
}

std::optional<std::string> unquote(std::string_view literal, std::string& out) {
  auto kind = codec::kind_of(literal);
  if (kind != json_kind::string)
    return "it is " + std::string{noun(kind)} + "; give a string";
  auto text = codec::unquote_json_strictly(literal);
  if (!text)
    return "it has half of a surrogate pair, which is no character";
  out = std::move(*text);
  return {};
}

/// `setting` names what bounds it, in parentheses behind a blank.
std::optional<std::string> check_size(std::string_view text, size_t most,
                                      std::string_view setting = {}) {
  if (text.empty())
    return "it is empty";
  if (text.size() > most)
    return "it has " + std::to_string(text.size()) + " bytes; "
           + std::to_string(most) + " are allowed" + std::string{setting};
  return {};
}

std::optional<std::string> check_integer(std::string_view literal) {
  if (literal.find_first_of(".eE") != literal.npos)
    return "it is no integer; give one without fraction and exponent, or a "
           "string";
  // A second name of 0, which no language prints for an integer.
  if (literal == "-0")
    return "it is -0; give 0";
  if (!fits<int64_t>(literal) && !fits<uint64_t>(literal))
    return "it is an integer of more than 64 bits; give it as a string";
  return {};
}

} // namespace

std::optional<std::string> check_name(std::string_view text, size_t most) {
  if (auto why = check_size(text, most, " (limits.name-bytes)"))
    return why;
  while (!text.empty()) {
    auto n = codec::utf8_length(text);
    if (n == 0)
      return "it is no well-formed UTF-8";
    auto c = codec::decode_utf8(text.substr(0, n));
    if (is_control(c))
      return "it has the control character " + code_point(c);
    text.remove_prefix(n);
  }
  return {};
}

std::optional<std::string> read_label(std::string_view literal, size_t most,
                                      std::string& out) {
  auto why = unquote(literal, out);
  return why ? why : check_size(out, most);
}

std::optional<std::string> read_name(std::string_view literal, size_t most,
                                     std::string& out) {
  auto why = unquote(literal, out);
  return why ? why : check_name(out, most);
}

std::optional<std::string> read_id(std::string_view literal, size_t most,
                                   std::string& out) {
  switch (auto kind = codec::kind_of(literal)) {
  case json_kind::string:
    return read_name(literal, most, out);
  case json_kind::number:
    out = literal;
    if (auto why = check_integer(literal))
      return why;
    return check_name(literal, most);
  default:
    return "it is " + std::string{noun(kind)} + "; give a string or an integer";
  }
}

} // namespace signalbox
