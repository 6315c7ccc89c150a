#include "transports/codec/json_split.hpp"

#include "transports/codec/base64.hpp"
#include "transports/codec/json_scan.hpp"
#include "transports/codec/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace signalbox::codec {

namespace {

constexpr std::string_view binary_key = "$base64";

constexpr bool blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view trim(std::string_view x) noexcept {
  while (!x.empty() && blank(x.front()))
    x.remove_prefix(1);
  while (!x.empty() && blank(x.back()))
    x.remove_suffix(1);
  return x;
}

/// Returns where the string ends whose quote stands at `begin`.
size_t end_of_string(std::string_view text, size_t begin) noexcept {
  for (auto end = text.find('"', begin + 1); end != text.npos;
       end = text.find('"', end + 1)) {
    auto last = end - 1;
    while (text[last] == '\\')
      --last;
    // Backslashes come in pairs, or the last one belongs to the quote.
    if ((end - last) % 2 == 1)
      return end;
  }
  return text.size();
}

/// Returns whether a string literal has this value.
bool means(std::string_view literal, std::string_view text) {
  std::string unquoted;
  return unquote_json(literal, unquoted) == text;
}

/// Returns the base64 text if the object is nothing but a binary value.
std::optional<std::string> binary_of(std::string_view text) {
  object_reader members{text};
  json_member only;
  json_member other;
  if (!members.next(only) || members.next(other)
      || kind_of(only.second) != json_kind::string
      || !means(only.first, binary_key))
    return {};
  return unquote_json(only.second);
}

bool extract(std::string_view text, std::string& out,
             std::vector<std::string>& attachments) {
  auto kind = kind_of(text);
  if (kind == json_kind::object) {
    if (auto base64 = binary_of(text)) {
      auto bytes = decode_base64(*base64);
      if (!bytes)
        return false;
      out += R"({"_placeholder":true,"num":)";
      out += std::to_string(attachments.size());
      out += '}';
      attachments.push_back(std::move(*bytes));
      return true;
    }
    char separator = '{';
    object_reader members{text};
    for (json_member each; members.next(each);) {
      out += std::exchange(separator, ',');
      out += each.first;
      out += ':';
      if (!extract(each.second, out, attachments))
        return false;
    }
    if (separator == '{')
      out += '{';
    out += '}';
    return true;
  }
  if (kind == json_kind::array) {
    char separator = '[';
    array_reader elements{text};
    for (std::string_view value; elements.next(value);) {
      out += std::exchange(separator, ',');
      if (!extract(value, out, attachments))
        return false;
    }
    if (separator == '[')
      out += '[';
    out += ']';
    return true;
  }
  out += text;
  return true;
}

} // namespace

piece_reader::piece_reader(std::string_view text, char open) noexcept
  : text_(trim(text)) {
  if (!text_.starts_with(open))
    text_ = {};
}

bool piece_reader::next(std::string_view& piece, size_t& colon) noexcept {
  colon = std::string_view::npos;
  size_t depth = 1;
  for (auto i = begin_; i < text_.size(); ++i) {
    switch (text_[i]) {
    case '"':
      i = end_of_string(text_, i);
      break;
    case '[':
    case '{':
      ++depth;
      break;
    case ':':
      if (depth == 1 && colon == std::string_view::npos)
        colon = i - begin_;
      break;
    case ']':
    case '}':
      if (--depth > 0)
        break;
      piece = text_.substr(begin_, i - begin_);
      begin_ = text_.size();
      return !trim(piece).empty();
    case ',':
      if (depth > 1)
        break;
      piece = text_.substr(begin_, i - begin_);
      begin_ = i + 1;
      return true;
    default:
      break;
    }
  }
  return false;
}

bool object_reader::next(json_member& out) noexcept {
  std::string_view piece;
  size_t colon = 0;
  if (!pieces_.next(piece, colon))
    return false;
  out = {trim(piece.substr(0, colon)), trim(piece.substr(colon + 1))};
  return true;
}

bool array_reader::next(std::string_view& out) noexcept {
  size_t colon = 0;
  if (!pieces_.next(out, colon))
    return false;
  out = trim(out);
  return true;
}

std::vector<json_member> split_object(std::string_view text) {
  std::vector<json_member> out;
  object_reader members{text};
  for (json_member each; members.next(each);)
    out.push_back(each);
  return out;
}

std::vector<std::string_view> split_array(std::string_view text) {
  std::vector<std::string_view> out;
  array_reader elements{text};
  for (std::string_view each; elements.next(each);)
    out.push_back(each);
  return out;
}

std::string_view unquote_json(std::string_view literal, std::string& out) {
  if (literal.find('\\') != literal.npos)
    return out = unquote_json(literal);
  return literal.size() < 2 ? std::string_view{}
                            : literal.substr(1, literal.size() - 2);
}

std::optional<std::string_view>
find_member(const std::vector<json_member>& members, std::string_view name) {
  auto i = std::find_if(members.rbegin(), members.rend(),
                        [&](const auto& x) { return means(x.first, name); });
  if (i == members.rend())
    return {};
  return i->second;
}

std::optional<std::string_view> resolve_pointer(std::string_view text,
                                                std::string_view pointer) {
  text = trim(text);
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    auto end = std::min(pointer.find('/'), pointer.size());
    std::string token{pointer.substr(0, end)};
    pointer.remove_prefix(end);
    // `~1` before `~0`, or `~01` would become a slash (RFC 6901 section 4).
    for (size_t i = 0; (i = token.find("~1", i)) != token.npos; ++i)
      token.replace(i, 2, "/");
    for (size_t i = 0; (i = token.find("~0", i)) != token.npos; ++i)
      token.replace(i, 2, "~");
    if (text.starts_with('{')) {
      std::optional<std::string_view> found;
      object_reader members{text};
      for (json_member each; members.next(each);)
        if (means(each.first, token))
          found = each.second;
      if (!found)
        return {};
      text = *found;
    } else if (text.starts_with('[')) {
      size_t index = 0;
      auto [rest, ec] =
        std::from_chars(token.data(), token.data() + token.size(), index);
      auto all = split_array(text);
      if (ec != std::errc{} || rest != token.data() + token.size()
          || (token.size() > 1 && token[0] == '0') || index >= all.size())
        return {};
      text = all[index];
    } else {
      return {};
    }
  }
  return text;
}

std::optional<std::string>
extract_binary(std::string_view text, std::vector<std::string>& attachments) {
  if (text.find(binary_key) == text.npos)
    return std::string{trim(text)};
  std::string out;
  if (!extract(trim(text), out, attachments))
    return {};
  return out;
}

std::optional<std::string>
extract_binary(std::string&& text, std::vector<std::string>& attachments) {
  if (text.find(binary_key) == text.npos && trim(text).size() == text.size())
    return std::move(text);
  return extract_binary(std::string_view{text}, attachments);
}

size_t embedded_size(std::string_view text,
                     const std::vector<std::string>& attachments) {
  size_t out = 0;
  auto all = std::numeric_limits<size_t>::max();
  if (auto view = scan_json(text, {all, all}))
    for (const auto& x : view->placeholders)
      if (x.num >= 0 && static_cast<size_t>(x.num) < attachments.size())
        out += attachments[static_cast<size_t>(x.num)].size() / 3 * 4;
  return out;
}

std::string embed_binary(std::string_view text,
                         const std::vector<std::string>& attachments) {
  std::string out;
  if (attachments.empty())
    return std::string{text};
  // The text has been accepted before, so no limit can be broken here.
  auto all = std::numeric_limits<size_t>::max();
  auto view = scan_json(text, {all, all});
  size_t done = 0;
  if (view)
    for (const auto& x : view->placeholders) {
      if (x.num < 0 || static_cast<size_t>(x.num) >= attachments.size())
        continue;
      out += text.substr(done, x.begin - done);
      out += R"({"$base64":")";
      encode_base64(attachments[static_cast<size_t>(x.num)], out);
      out += "\"}";
      done = x.end;
    }
  out += text.substr(done);
  return out;
}

} // namespace signalbox::codec
