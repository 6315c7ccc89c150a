#include "transports/net/forwarded.hpp"

#include "transports/codec/uri.hpp"
#include "transports/net/header_list.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace signalbox::net {

namespace {

using views = std::vector<std::string_view>;

/// One list over all lines. Quotes mean nothing in these headers, so that a
/// client's open one swallows nothing that a proxy writes behind it.
views plain_list(const http_request& x, std::string_view name) {
  views out;
  for (const auto& [key, value] : x.headers) {
    if (key.size() != name.size() || !same_token(key, name))
      continue;
    for (auto rest = value;;) {
      auto comma = rest.find(',');
      out.push_back(trim(rest.substr(0, comma)));
      if (comma == rest.npos)
        break;
      rest.remove_prefix(comma + 1);
    }
  }
  return out;
}

bool is_port(std::string_view x) {
  // An obfuscated one is allowed in Forwarded.
  if (x.starts_with('_'))
    return x.size() > 1;
  return !x.empty() && x.size() <= 5
         && x.find_first_not_of("0123456789") == x.npos;
}

/// Walks addresses from the right. Returns how many were taken.
size_t walk(http_request& x, const networks& trusted, const views& chain) {
  auto peer = ip_address::parse(x.address);
  size_t taken = 0;
  for (auto i = chain.rbegin(); i != chain.rend(); ++i) {
    auto next = parse_node(*i);
    if (!next)
      break;
    x.address = next->text();
    ++taken;
    // A proxy that names its own machine has a client there, which is no proxy
    // for that: it must not choose its address.
    if (!trusted.contains(*next) || next == peer)
      break;
  }
  return taken;
}

/// Returns the value that belongs to the address which the walk ended with.
/// `hops` addresses of `all` were taken.
std::string_view beside(const views& values, size_t hops, size_t all,
                        bool first_if_uneven) {
  if (values.empty())
    return {};
  auto even = values.size() == all;
  if (hops == 0 || hops > values.size() || (!even && first_if_uneven))
    return values.front();
  return values[values.size() - hops];
}

std::optional<bool> is_secure(std::string_view scheme) {
  if (same_token(scheme, "https") || same_token(scheme, "wss"))
    return true;
  if (same_token(scheme, "http") || same_token(scheme, "ws"))
    return false;
  return {};
}

bool is_host(std::string_view x) {
  return static_cast<bool>(codec::parse_origin("http://" + std::string{x}));
}

// -- X-Forwarded-* ------------------------------------------------------------

constexpr std::string_view scheme_headers[] = {
  "x-forwarded-proto", "x-forwarded-scheme",         "x-forwarded-protocol",
  "x-url-scheme",      "cloudfront-forwarded-proto",
};

/// Headers that say `on` where the client speaks TLS.
constexpr std::string_view flag_headers[] = {
  "x-forwarded-ssl",
  "front-end-https",
};

constexpr std::string_view host_headers[] = {
  "x-forwarded-host",
  "x-original-host",
};

std::optional<bool> told_scheme(const http_request& x, size_t hops,
                                size_t all) {
  for (auto name : scheme_headers)
    if (auto out = is_secure(beside(plain_list(x, name), hops, all, true)))
      return out;
  for (auto name : flag_headers) {
    auto value = beside(plain_list(x, name), hops, all, true);
    if (same_token(value, "on"))
      return true;
    if (same_token(value, "off"))
      return false;
  }
  // IIS describes the certificate if there is one.
  if (!x.header("x-arr-ssl").empty())
    return true;
  auto port = beside(plain_list(x, "x-forwarded-port"), hops, all, true);
  return port == "443" ? std::optional{true} : std::nullopt;
}

void apply_host(http_request& x, size_t hops, size_t all) {
  for (auto name : host_headers) {
    auto host = beside(plain_list(x, name), hops, all, false);
    if (host.empty() || !is_host(host))
      continue;
    x.host = host;
    break;
  }
  auto port = beside(plain_list(x, "x-forwarded-port"), hops, all, true);
  if (is_port(port) && !port.starts_with('_'))
    x.port = port;
}

/// Returns whether any of these headers came.
bool apply_x_forwarded(http_request& x, const networks& trusted) {
  auto ours = [](std::string_view name) {
    return same_token(name.substr(0, 12), "x-forwarded-");
  };
  auto came = std::any_of(x.headers.begin(), x.headers.end(),
                          [&](const auto& each) { return ours(each.first); });
  auto chain = plain_list(x, "x-forwarded-for");
  auto hops = walk(x, trusted, chain);
  auto scheme = told_scheme(x, hops, chain.size());
  if (scheme)
    x.secure = *scheme;
  apply_host(x, hops, chain.size());
  return came;
}

// -- Forwarded ----------------------------------------------------------------

/// Returns the value of a parameter of one element, without its quotes; nothing
/// if it is missing or the quotes hold something that was escaped.
std::string_view parameter(std::string_view element, std::string_view name) {
  for (auto pair : split_list(element, ';')) {
    auto sign = pair.find('=');
    if (sign == pair.npos || !same_token(trim(pair.substr(0, sign)), name))
      continue;
    auto value = trim(pair.substr(sign + 1));
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
      value = value.substr(1, value.size() - 2);
    return value.find_first_of("\\\"") == value.npos ? value
                                                     : std::string_view{};
  }
  return {};
}

void apply_rfc7239(http_request& x, const networks& trusted) {
  auto elements = list_elements(x, "forwarded");
  views chain;
  for (auto each : elements)
    chain.push_back(parameter(each, "for"));
  auto hops = walk(x, trusted, chain);
  if (elements.empty())
    return;
  // Each element is what one proxy says, so one of them tells all.
  auto element = elements[elements.size() - std::max<size_t>(hops, 1)];
  if (auto secure = is_secure(parameter(element, "proto")))
    x.secure = *secure;
  if (auto host = parameter(element, "host"); !host.empty() && is_host(host))
    x.host = host;
}

} // namespace

std::optional<ip_address> parse_node(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"'))
    text = text.substr(1, text.size() - 2);
  if (text.starts_with('[')) {
    auto end = text.find(']');
    if (end == text.npos)
      return {};
    auto rest = text.substr(end + 1);
    if (!rest.empty() && (!rest.starts_with(':') || !is_port(rest.substr(1))))
      return {};
    auto inner = text.substr(1, end - 1);
    return inner.find(':') == inner.npos ? std::nullopt
                                         : ip_address::parse(inner);
  }
  // With one colon it is an IPv4 address and its port.
  auto colon = text.find(':');
  if (colon != text.npos && text.find(':', colon + 1) == text.npos) {
    if (!is_port(text.substr(colon + 1)))
      return {};
    text = text.substr(0, colon);
  }
  return ip_address::parse(text);
}

void apply_forwarded(http_request& x, const networks& trusted,
                     forwarded_headers which) {
  auto told =
    which != forwarded_headers::forwarded && apply_x_forwarded(x, trusted);
  if (!told && which != forwarded_headers::x_forwarded)
    apply_rfc7239(x, trusted);
}

} // namespace signalbox::net
