#include "transports/codec/dialect.hpp"

#include "transports/codec/json_text.hpp"
#include "transports/codec/uri.hpp"

#include <algorithm>
#include <iterator>
#include <map>

namespace signalbox::codec {

namespace {

constexpr std::string_view names[] = {"v09", "eio3", "eio4"};

static_assert(std::size(names) == dialects, "every dialect needs a name");

/// Parameters that the protocols themselves use.
constexpr std::string_view own_parameters[] = {
  "EIO", "transport", "sid", "t", "j", "i", "b64", "use_b64", "jsonp",
};

std::string_view take_segment(std::string_view& path) noexcept {
  auto end = std::min(path.find('/'), path.size());
  auto out = path.substr(0, end);
  path.remove_prefix(std::min(end + 1, path.size()));
  return out;
}

} // namespace

std::string_view to_string(dialect x) noexcept {
  return names[static_cast<size_t>(x)];
}

std::optional<dialect> parse_dialect(std::string_view name) noexcept {
  auto i = std::find(std::begin(names), std::end(names), name);
  if (i == std::end(names))
    return {};
  return static_cast<dialect>(i - std::begin(names));
}

std::optional<dialect> engine_dialect(std::string_view eio, bool unnamed,
                                      bool lax) noexcept {
  if (eio == "4")
    return dialect::eio4;
  if (eio == "3" || eio == "2" || (eio.empty() && unnamed) || lax)
    return dialect::eio3;
  return {};
}

std::optional<legacy_path> parse_legacy_path(std::string_view path) noexcept {
  legacy_path out;
  out.protocol = take_segment(path);
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (out.protocol.empty()
      || !std::all_of(out.protocol.begin(), out.protocol.end(), is_digit))
    return {};
  out.transport = take_segment(path);
  out.sid = take_segment(path);
  return out;
}

std::string query_json(std::string_view handshake, std::string_view nsp) {
  std::map<std::string, std::string> all;
  for (auto query : {handshake, nsp})
    for (auto& [name, value] : parse_query(query))
      if (std::find(std::begin(own_parameters), std::end(own_parameters), name)
          == std::end(own_parameters))
        all[name] = std::move(value);
  std::string out;
  for (const auto& [name, value] : all) {
    out += out.empty() ? '{' : ',';
    quote_json(name, out);
    out += ':';
    quote_json(value, out);
  }
  if (!out.empty())
    out += '}';
  return out;
}

} // namespace signalbox::codec
