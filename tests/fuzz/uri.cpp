// What is accepted is normal: written out again, it is read as the same.
// A wildcard never admits an origin that does not end with its domain.

#include "transports/codec/uri.hpp"

#include <cstdlib>

using namespace signalbox;

namespace {

std::string written(const std::string& scheme, const std::string& host,
                    uint16_t port) {
  if (host.empty())
    return scheme == "file" ? "file://" : scheme;
  auto name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  auto behind = port == 0 ? std::string{} : ":" + std::to_string(port);
  return scheme + "://" + name + behind;
}

void expect(bool condition) {
  if (!condition)
    std::abort();
}

void check_url(std::string_view text) {
  auto url = codec::parse_url(text);
  if (!url)
    return;
  expect(!url->host.empty() && url->port != 0);
  expect(url->target.starts_with('/'));
  for (auto c : url->host + url->target)
    expect(c > 0x20 && c < 0x7F);
  auto again =
    codec::parse_url(written(url->scheme, url->host, url->port) + url->target);
  expect(again && again->scheme == url->scheme && again->host == url->host
         && again->port == url->port && again->target == url->target);
}

void check_site_url(std::string_view text) {
  auto url = codec::parse_site_url(text);
  auto shown = codec::hide_user_info(text);
  if (!url)
    return;
  expect(!url->host.empty() && url->target.starts_with('/'));
  for (auto c : url->authorization + url->socket + url->target)
    expect(c >= 0x20 && c < 0x7F);
  auto again = codec::parse_site_url(shown);
  expect(again && again->host == url->host && again->socket == url->socket
         && again->target == url->target
         && again->authorization.empty() == url->authorization.empty());
}

void check_origin(std::string_view text) {
  auto origin = codec::parse_origin(text);
  if (!origin)
    return;
  auto form = written(origin->scheme, origin->host, origin->port);
  auto again = codec::parse_origin(form);
  expect(again && *again == *origin);
  auto exact = codec::origin_pattern::parse(form);
  expect(exact && exact->matches(*origin));
  auto below = codec::origin_pattern::parse("https://*.example.com");
  auto web = origin->scheme == "http" || origin->scheme == "https";
  auto any = codec::origin_pattern::parse(origin->scheme + "://*");
  expect(origin->host.empty() || static_cast<bool>(any) != web);
  if (below->matches(*origin))
    expect(form.starts_with("https://") && form.ends_with(".example.com:443")
           && text.find('@') == std::string_view::npos);
}

void check_query(std::string_view text) {
  expect(codec::percent_decode(text).size() <= text.size());
  size_t size = 0;
  for (const auto& [name, value] : codec::parse_query(text))
    size += name.size() + value.size();
  expect(size <= text.size());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  check_url(text);
  check_site_url(text);
  check_origin(text);
  check_query(text);
  (void)codec::origin_pattern::parse(text);
  return 0;
}
