#include "transports/codec/json_split.hpp"

#include "transports/codec/base64.hpp"
#include "transports/codec/json_scan.hpp"

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

/// Calls `fun(begin, end, colon)` for each comma separated piece between the
/// brackets of `text`; `colon` is npos without one.
template <class F>
void pieces(std::string_view text, F fun) {
  size_t depth = 0;
  size_t begin = 1;
  auto colon = std::string_view::npos;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
    case '"':
      for (++i; i < text.size() && text[i] != '"'; ++i)
        if (text[i] == '\\')
          ++i;
      break;
    case '[':
    case '{':
      ++depth;
      break;
    case ']':
    case '}':
      if (--depth == 0) {
        if (!trim(text.substr(begin, i - begin)).empty())
          fun(begin, i, colon);
        return;
      }
      break;
    case ':':
      if (depth == 1 && colon == std::string_view::npos)
        colon = i;
      break;
    case ',':
      if (depth == 1) {
        fun(begin, i, colon);
        begin = i + 1;
        colon = std::string_view::npos;
      }
      break;
    default:
      break;
    }
  }
}

/// Returns the base64 text if the object is nothing but a binary value.
std::optional<std::string> binary_of(std::string_view text) {
  auto members = split_object(text);
  if (members.size() != 1 || kind_of(members[0].second) != json_kind::string
      || unquote_json(members[0].first) != binary_key)
    return {};
  return unquote_json(members[0].second);
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
    for (const auto& [name, value] : split_object(text)) {
      out += std::exchange(separator, ',');
      out += name;
      out += ':';
      if (!extract(value, out, attachments))
        return false;
    }
    if (separator == '{')
      out += '{';
    out += '}';
    return true;
  }
  if (kind == json_kind::array) {
    char separator = '[';
    for (auto value : split_array(text)) {
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

std::vector<json_member> split_object(std::string_view text) {
  std::vector<json_member> out;
  text = trim(text);
  if (!text.starts_with('{'))
    return out;
  pieces(text, [&](size_t begin, size_t end, size_t colon) {
    out.emplace_back(trim(text.substr(begin, colon - begin)),
                     trim(text.substr(colon + 1, end - colon - 1)));
  });
  return out;
}

std::vector<std::string_view> split_array(std::string_view text) {
  std::vector<std::string_view> out;
  text = trim(text);
  if (!text.starts_with('['))
    return out;
  pieces(text, [&](size_t begin, size_t end, size_t) {
    out.push_back(trim(text.substr(begin, end - begin)));
  });
  return out;
}

std::optional<std::string_view>
find_member(const std::vector<json_member>& members, std::string_view name) {
  auto i = std::find_if(members.rbegin(), members.rend(), [&](const auto& x) {
    return unquote_json(x.first) == name;
  });
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
      auto found = find_member(split_object(text), token);
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
