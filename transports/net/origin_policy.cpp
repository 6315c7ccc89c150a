#include "transports/net/origin_policy.hpp"

#include <algorithm>

namespace signalbox::net {

origin_policy::origin_policy(const std::vector<std::string>& allow,
                             bool require)
  : require_(require) {
  for (const auto& each : allow)
    if (auto x = codec::origin_pattern::parse(each))
      allow_.push_back(*x);
}

bool origin_policy::admits(const http_request& x) const {
  auto text = x.header("origin");
  if (text.empty()) {
    // An empty value is not the same as a missing header.
    auto present =
      std::any_of(x.headers.begin(), x.headers.end(), [](const auto& each) {
        return same_token(each.first, "origin");
      });
    return !present && !require_;
  }
  // Node.js clients of 0.9 name the router itself, without a scheme, which no
  // browser does.
  if (same_token(text, x.host))
    return true;
  auto from = codec::parse_origin(text);
  return from && matches(*from, x);
}

bool origin_policy::admits_script(const http_request& x) const {
  if (!x.header("origin").empty())
    return admits(x);
  auto page = x.header("referer");
  auto host = page.find("://");
  if (host == page.npos)
    return false;
  auto from = codec::parse_origin(page.substr(0, page.find('/', host + 3)));
  return from && matches(*from, x);
}

bool origin_policy::matches(const codec::origin& from,
                            const http_request& x) const {
  auto own = codec::parse_origin((x.secure ? "https://" : "http://") + x.host);
  if (own && *own == from)
    return true;
  return std::any_of(allow_.begin(), allow_.end(),
                     [&from](const auto& each) { return each.matches(from); });
}

std::string origin_policy::headers(const http_request& x) {
  auto origin = x.header("origin");
  if (origin.empty())
    return {};
  std::string out = "Access-Control-Allow-Origin: ";
  out += origin;
  out += "\r\nVary: Origin\r\nAccess-Control-Allow-Credentials: true\r\n";
  return out;
}

http_response origin_policy::preflight(const http_request& x) {
  http_response out;
  out.status = 204;
  out.headers = headers(x);
  out.headers +=
    "Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n";
  auto wanted = x.header("access-control-request-headers");
  if (!wanted.empty()) {
    out.headers += "Vary: Access-Control-Request-Headers\r\n";
    out.headers += "Access-Control-Allow-Headers: ";
    out.headers += wanted;
    out.headers += "\r\n";
  }
  out.headers += "Access-Control-Max-Age: 600\r\n";
  return out;
}

} // namespace signalbox::net
