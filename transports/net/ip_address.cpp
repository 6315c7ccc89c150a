#include "transports/net/ip_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace signalbox::net {

namespace {

/// Bytes before those of an IPv4 address in its mapped form.
constexpr std::array<uint8_t, 12> mapped{0, 0, 0, 0, 0,    0,
                                         0, 0, 0, 0, 0xFF, 0xFF};

} // namespace

std::optional<ip_address> ip_address::parse(std::string_view text) {
  // The zone means something on this machine only.
  auto v6 = text.find(':') != text.npos;
  if (v6)
    text = text.substr(0, text.find('%'));
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof(copy))
    return {};
  text.copy(copy, sizeof(copy));
  copy[text.size()] = '\0';
  // A NUL within would end the text early.
  if (std::strlen(copy) != text.size())
    return {};
  ip_address out;
  auto* at = out.bytes_.data();
  if (!v6)
    at = std::copy(mapped.begin(), mapped.end(), at);
  if (::inet_pton(v6 ? AF_INET6 : AF_INET, copy, at) != 1)
    return {};
  return out;
}

std::string ip_address::text() const {
  char out[INET6_ADDRSTRLEN];
  if (is_v4())
    ::inet_ntop(AF_INET, bytes_.data() + mapped.size(), out, sizeof(out));
  else
    ::inet_ntop(AF_INET6, bytes_.data(), out, sizeof(out));
  return out;
}

bool ip_address::is_v4() const noexcept {
  return std::equal(mapped.begin(), mapped.end(), bytes_.begin());
}

bool ip_address::is_loopback() const noexcept {
  if (is_v4())
    return bytes_[12] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1,
                     [](auto x) { return x == 0; })
         && bytes_.back() == 1;
}

ip_address ip_address::client() const noexcept {
  auto out = *this;
  if (!is_v4() && !is_loopback())
    std::fill(out.bytes_.begin() + 8, out.bytes_.end(), uint8_t{0});
  return out;
}

size_t ip_address::hash::operator()(const ip_address& x) const noexcept {
  return std::hash<std::string_view>{}(
    {reinterpret_cast<const char*>(x.bytes_.data()), x.bytes_.size()});
}

networks::networks(const std::vector<std::string>& entries) {
  for (const auto& text : entries) {
    auto slash = text.find('/');
    auto host = std::string_view{text}.substr(0, slash);
    auto base = ip_address::parse(host);
    if (!base)
      continue;
    entry x{*base};
    if (slash != std::string::npos) {
      std::from_chars(text.data() + slash + 1, text.data() + text.size(),
                      x.bits);
      if (host.find(':') == host.npos)
        x.bits += 8 * mapped.size();
    }
    entries_.push_back(x);
  }
}

bool networks::contains(const ip_address& x) const noexcept {
  auto holds = [&x](const entry& each) {
    if (each.base.is_v4() != x.is_v4())
      return false;
    const auto& a = each.base.bytes();
    const auto& b = x.bytes();
    auto whole = std::min<size_t>(each.bits / 8, a.size());
    if (!std::equal(a.begin(), a.begin() + whole, b.begin()))
      return false;
    auto left = each.bits % 8;
    return whole == a.size() || left == 0
           || (a[whole] ^ b[whole]) >> (8 - left) == 0;
  };
  return std::any_of(entries_.begin(), entries_.end(), holds);
}

bool networks::contains(std::string_view address) const {
  if (entries_.empty())
    return false;
  auto x = ip_address::parse(address);
  return x && contains(*x);
}

} // namespace signalbox::net
