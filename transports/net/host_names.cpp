#include "transports/net/host_names.hpp"

#include "transports/net/http.hpp"

#include <algorithm>
#include <iterator>

namespace signalbox::net {

namespace {

constexpr std::string_view loopback_hosts[] = {"localhost", "127.0.0.1", "::1"};

} // namespace

bool is_known_host(std::string_view host,
                   const std::vector<std::string>& list) {
  auto same = [host](std::string_view name) { return same_token(name, host); };
  return std::any_of(std::begin(loopback_hosts), std::end(loopback_hosts), same)
         || std::any_of(list.begin(), list.end(), same);
}

} // namespace signalbox::net
