#include "apps/router/text_forms.hpp"

#include "apps/router/units.hpp"
#include "transports/codec/uri.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <string>

namespace signalbox::app {

namespace {

// Returns the number of bits of an address, 0 if `x` is none.
size_t address_bits(std::string_view x) {
  std::string text{x};
  if (in_addr v4; inet_pton(AF_INET, text.c_str(), &v4) == 1)
    return 32;
  if (in6_addr v6; inet_pton(AF_INET6, text.c_str(), &v6) == 1)
    return 128;
  return 0;
}

// Tells whether `x` is `[address]:port` with that address, however written.
bool is_v6(std::string_view x, const in6_addr& wanted) {
  auto end = x.rfind("]:");
  if (!x.starts_with('[') || end == std::string_view::npos)
    return false;
  in6_addr given;
  return inet_pton(AF_INET6, std::string{x.substr(1, end - 1)}.c_str(), &given)
           == 1
         && std::memcmp(&given, &wanted, sizeof(given)) == 0;
}

bool alphanumeric(char x) {
  return std::isalnum(static_cast<unsigned char>(x)) != 0;
}

std::string lower_case(std::string_view x) {
  std::string result{x};
  for (auto& c : result)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// Headers that would change the meaning of the router's request to the site.
constexpr std::array<std::string_view, 17> withheld_headers{
  "accept",           "accept-encoding",
  "connection",       "content-encoding",
  "content-length",   "content-type",
  "cookie",           "expect",
  "forwarded",        "host",
  "keep-alive",       "proxy-authorization",
  "proxy-connection", "te",
  "trailer",          "transfer-encoding",
  "upgrade"};

} // namespace

bool is_listen_address(std::string_view x) {
  auto colon = x.rfind(':');
  if (colon == std::string_view::npos)
    return false;
  auto host = x.substr(0, colon);
  auto port = parse_count(x.substr(colon + 1));
  if (!port || *port > 65535)
    return false;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    return address_bits(host.substr(1, host.size() - 2)) == 128;
  return address_bits(host) == 32;
}

bool is_peer_address(std::string_view x) {
  return is_listen_address(x) && !is_wildcard(x)
         && parse_count(x.substr(x.rfind(':') + 1)).value_or(0) > 0;
}

bool is_loopback(std::string_view x) {
  return x.starts_with("127.") || is_v6(x, in6addr_loopback);
}

bool is_wildcard(std::string_view x) {
  return x.starts_with("0.0.0.0:") || is_v6(x, in6addr_any);
}

bool is_site_url(std::string_view x) {
  return static_cast<bool>(codec::parse_site_url(x));
}

bool is_origin(std::string_view x) {
  return static_cast<bool>(codec::origin_pattern::parse(x));
}

bool is_network(std::string_view x) {
  auto slash = x.find('/');
  auto host = x.substr(0, slash);
  // A zone changes nothing, and belongs to IPv6.
  if (host.find(':') != host.npos)
    host = host.substr(0, host.find('%'));
  auto bits = address_bits(host);
  if (bits == 0 || slash == std::string_view::npos)
    return bits > 0;
  auto prefix = parse_count(x.substr(slash + 1));
  // Written as IPv6, a network of IPv4 begins behind 96 bits.
  auto mapped = bits == 128 && lower_case(host).starts_with("::ffff:")
                && host.find('.') != host.npos;
  return prefix && *prefix <= bits && (!mapped || *prefix >= 96);
}

bool is_namespace_name(std::string_view x) {
  // A comma ends the name on the wire, a question mark starts its query.
  return x.starts_with('/') && x.find_first_of(",?# ") == x.npos;
}

bool is_rule_namespace(std::string_view x) {
  return x == "*" || is_namespace_name(x);
}

bool is_json_pointer(std::string_view x) {
  if (!x.starts_with('/'))
    return false;
  for (auto i = x.find('~'); i != x.npos; i = x.find('~', i + 1))
    if (i + 1 == x.size() || (x[i + 1] != '0' && x[i + 1] != '1'))
      return false;
  return true;
}

bool is_path_prefix(std::string_view x) {
  return x.size() > 1 && x.starts_with('/') && x.find("//") == x.npos
         && x.find("/../") == x.npos && !x.ends_with("/..")
         && std::all_of(x.begin(), x.end(), [](char c) {
              return alphanumeric(c) || c == '/' || c == '.' || c == '_'
                     || c == '-';
            });
}

bool is_host_name(std::string_view x) {
  auto has_port = x.find(':') != x.npos && !x.ends_with(']');
  return !has_port && codec::parse_origin("http://" + std::string{x});
}

bool is_token(std::string_view x) {
  return std::all_of(x.begin(), x.end(), [](char c) {
    return alphanumeric(c)
           || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string::npos;
  });
}

bool is_passed_header(std::string_view x) {
  auto name = lower_case(x);
  return is_token(name) && !name.starts_with("x-signalbox-")
         && !name.starts_with("x-forwarded-")
         && std::find(withheld_headers.begin(), withheld_headers.end(), name)
              == withheld_headers.end();
}

} // namespace signalbox::app
