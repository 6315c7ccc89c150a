#include "actors/site_auth/forwarded.hpp"

#include <algorithm>

namespace signalbox {

namespace {

bool is_token(std::string_view x) {
  return std::all_of(x.begin(), x.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
           || (c >= 'A' && c <= 'Z')
           || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string::npos;
  });
}

// RFC 7239 section 4: a value that is no token is quoted, so every IPv6 address
// and every port.
std::string value_of(std::string_view x) {
  if (is_token(x))
    return std::string{x};
  std::string out{'"'};
  for (auto c : x) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  return out += '"';
}

// RFC 7239 section 6.
std::string node_of(std::string_view address) {
  if (address.empty())
    return "unknown";
  if (address.find(':') == std::string_view::npos)
    return value_of(address);
  return value_of("[" + std::string{address} + "]");
}

} // namespace

void add_forwarded(forwarded_style style, const browser_origin& x,
                   std::vector<std::pair<std::string, std::string>>& headers) {
  const auto* scheme = x.secure ? "https" : "http";
  if (style == forwarded_style::x_forwarded || style == forwarded_style::both) {
    headers.emplace_back("X-Forwarded-For", x.address);
    headers.emplace_back("X-Forwarded-Proto", scheme);
    if (!x.host.empty())
      headers.emplace_back("X-Forwarded-Host", x.host);
  }
  if (style == forwarded_style::forwarded || style == forwarded_style::both) {
    auto value = "for=" + node_of(x.address) + ";proto=" + scheme;
    if (!x.host.empty())
      value += ";host=" + value_of(x.host);
    headers.emplace_back("Forwarded", std::move(value));
  }
}

} // namespace signalbox
