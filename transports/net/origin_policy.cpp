#include "transports/net/origin_policy.hpp"

#include "transports/net/header_list.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::net {

origin_policy::origin_policy(const std::vector<std::string>& allow,
                             bool require)
  : require_(require) {
  for (const auto& each : allow)
    if (auto x = codec::origin_pattern::parse(each))
      allow_.push_back(*x);
}

fetch_site fetch_site_of(const http_request& x) {
  using enum fetch_site;
  static constexpr std::pair<std::string_view, fetch_site> words[] = {
    {"none", none},
    {"same-origin", same_origin},
    {"same-site", same_site},
    {"cross-site", cross_site},
  };
  auto out = unsaid;
  for (const auto& [name, value] : x.headers) {
    if (!same_token(name, "sec-fetch-site"))
      continue;
    for (auto element : split_list(value)) {
      auto word = trim(element.substr(0, element.find(';')));
      for (const auto& [text, site] : words)
        if (same_token(word, text))
          out = std::max(out, site);
    }
  }
  return out;
}

origin_policy::verdict origin_policy::judge(const http_request& x) const {
  auto text = x.header("origin");
  if (text.empty()) {
    // An empty value is not the same as a missing header.
    auto present =
      std::any_of(x.headers.begin(), x.headers.end(), [](const auto& each) {
        return same_token(each.first, "origin");
      });
    if (present)
      return verdict::foreign;
    if (require_)
      return verdict::unnamed;
    auto site = fetch_site_of(x);
    auto hidden = site == fetch_site::cross_site
                  || (site == fetch_site::same_site && !admits_referer(x));
    return hidden ? verdict::hidden : verdict::admitted;
  }
  // Node.js clients of 0.9 name the router itself, without a scheme, which no
  // browser does.
  if (same_token(text, x.host) && text != "null")
    return verdict::admitted;
  auto from = codec::parse_origin(text);
  return from && matches(*from, x) ? verdict::admitted : verdict::foreign;
}

origin_policy::verdict
origin_policy::judge_script(const http_request& x) const {
  if (!x.header("origin").empty())
    return judge(x);
  if (admits_referer(x))
    return verdict::admitted;
  return x.header("referer").empty() ? verdict::unnamed : verdict::foreign;
}

bool origin_policy::admits_referer(const http_request& x) const {
  auto page = x.header("referer");
  auto host = page.find("://");
  if (host == page.npos)
    return false;
  auto from = codec::parse_origin(page.substr(0, page.find('/', host + 3)));
  return from && matches(*from, x);
}

bool origin_policy::matches(const codec::origin& from,
                            const http_request& x) const {
  auto scheme = x.secure ? "https://" : "http://";
  auto own = codec::parse_origin(scheme + x.host);
  if (own && *own == from)
    return true;
  if (!x.port.empty()) {
    auto with =
      codec::parse_origin(scheme + x.host + ':' + std::string{x.port});
    if (with && *with == from)
      return true;
  }
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
  auto wanted = joined(x, "access-control-request-headers");
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
