#include "transports/codec/json_text.hpp"

#include "transports/codec/utf8.hpp"

#include <cstdint>

namespace signalbox::codec {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  auto lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

constexpr char32_t replacement = 0xFFFD;

void append_escape(char32_t unit, std::string& out) {
  out += "\\u";
  for (auto shift : {12, 8, 4, 0})
    out += hex_digits[unit >> shift & 0xF];
}

// Returns the code unit of the four digits at the front, or a value no code
// unit has.
char32_t take_unit(std::string_view& text) {
  constexpr char32_t none = 0x10000;
  if (text.size() < 4)
    return none;
  char32_t unit = 0;
  for (auto c : text.substr(0, 4)) {
    if (hex_value(c) < 0)
      return none;
    unit = unit << 4 | static_cast<char32_t>(hex_value(c));
  }
  text.remove_prefix(4);
  return unit;
}

bool is_surrogate(char32_t unit, char32_t first) {
  return unit >= first && unit < first + 0x400;
}

// Returns false for half of a surrogate pair.
bool take_unicode_escape(std::string_view& text, std::string& out) {
  constexpr char32_t high = 0xD800;
  constexpr char32_t low = 0xDC00;
  auto unit = take_unit(text);
  if (is_surrogate(unit, high) && text.starts_with("\\u")) {
    auto rest = text.substr(2);
    if (auto second = take_unit(rest); is_surrogate(second, low)) {
      text = rest;
      append_utf8(0x10000 + ((unit - high) << 10) + (second - low), out);
      return true;
    }
  }
  auto is_scalar = unit < high || (unit >= low + 0x400 && unit < 0x10000);
  append_utf8(is_scalar ? unit : replacement, out);
  return is_scalar;
}

// Returns false if there was half of a surrogate pair.
bool unquote(std::string_view literal, std::string& out) {
  auto whole = true;
  if (literal.size() < 2)
    return whole;
  auto text = literal.substr(1, literal.size() - 2);
  out.reserve(text.size());
  for (;;) {
    auto end = text.find('\\');
    out += text.substr(0, end);
    if (end == std::string_view::npos || end + 1 == text.size())
      return whole;
    constexpr std::string_view letters = "bfnrtu";
    constexpr std::string_view values = "\b\f\n\r\t";
    auto c = text[end + 1];
    text.remove_prefix(end + 2);
    auto index = letters.find(c);
    if (index == std::string_view::npos)
      out += c;
    else if (index < values.size())
      out += values[index];
    else
      whole = take_unicode_escape(text, out) && whole;
  }
}

} // namespace

std::string unquote_json(std::string_view literal) {
  std::string out;
  unquote(literal, out);
  return out;
}

result<std::string> unquote_json_strictly(std::string_view literal) {
  std::string out;
  if (!unquote(literal, out))
    return errc::bad_utf8;
  return out;
}

void quote_json(std::string_view text, std::string& out) {
  constexpr std::string_view letters = "btn.fr";
  out += '"';
  while (!text.empty()) {
    auto c = static_cast<uint8_t>(text.front());
    size_t length = 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c >= '\b' && c <= '\r' && c != '\v') {
      out += '\\';
      out += letters[static_cast<size_t>(c - '\b')];
    } else if (c < 0x20) {
      append_escape(c, out);
    } else if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (auto n = utf8_length(text); n > 0) {
      length = n;
      out += text.substr(0, n);
    } else {
      append_utf8(replacement, out);
    }
    text.remove_prefix(length);
  }
  out += '"';
}

void ascii_json(std::string_view json, std::string& out) {
  while (!json.empty()) {
    auto length = utf8_length(json);
    auto c = length > 0 ? decode_utf8(json.substr(0, length)) : replacement;
    if (c < 0x7F) {
      out += static_cast<char>(c);
    } else if (c < 0x10000) {
      append_escape(c, out);
    } else {
      append_escape(0xD800 + ((c - 0x10000) >> 10), out);
      append_escape(0xDC00 + ((c - 0x10000) & 0x3FF), out);
    }
    json.remove_prefix(length > 0 ? length : 1);
  }
}

} // namespace signalbox::codec
