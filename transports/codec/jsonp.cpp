#include "transports/codec/jsonp.hpp"

#include "transports/codec/json_text.hpp"
#include "transports/codec/uri.hpp"

#include <algorithm>

namespace signalbox::codec {

namespace {

constexpr size_t max_index_digits = 10;

/// What JSON leaves as it is and a script would not survive.
struct danger {
  std::string_view text;
  std::string_view escape;
};

constexpr danger dangers[] = {
  {"</", "<\\/"},
  {"<!", "\\u003c!"},
  {"\xE2\x80\xA8", "\\u2028"},
  {"\xE2\x80\xA9", "\\u2029"},
};

} // namespace

std::optional<std::string> script_index(std::string_view text) {
  std::string out;
  for (auto c : text)
    if (c >= '0' && c <= '9' && out.size() < max_index_digits)
      out += c;
  if (out.empty())
    return {};
  return out;
}

void quote_script(std::string_view text, std::string& out) {
  std::string json;
  quote_json(text, json);
  for (auto rest = std::string_view{json}; !rest.empty();) {
    auto i = std::find_if(
      std::begin(dangers), std::end(dangers),
      [rest](const danger& x) { return rest.starts_with(x.text); });
    if (i == std::end(dangers)) {
      out += rest.front();
      rest.remove_prefix(1);
    } else {
      out += i->escape;
      rest.remove_prefix(i->text.size());
    }
  }
}

void append_script(std::string_view call, std::string_view payload,
                   std::string& out) {
  out += call;
  quote_script(payload, out);
  out += ");";
}

std::optional<std::string> form_data(std::string_view body) {
  for (auto& [name, value] : parse_query(body))
    if (name == "d")
      return std::move(value);
  return {};
}

std::string restore_newlines(std::string_view text) {
  constexpr std::string_view kept = "\\\\n";
  constexpr std::string_view line_end = "\\n";
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (text.starts_with(kept)) {
      out += line_end;
      text.remove_prefix(kept.size());
    } else if (text.starts_with(line_end)) {
      out += '\n';
      text.remove_prefix(line_end.size());
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

} // namespace signalbox::codec
