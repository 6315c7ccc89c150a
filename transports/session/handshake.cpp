#include "transports/session/handshake.hpp"

namespace signalbox::session {

handshake::handshake(std::string_view address, std::string_view query,
                     codec::dialect speaks, bool site)
  : address_(static_cast<uint32_t>(address.size())),
    query_(static_cast<uint32_t>(query.size())), dialect_(speaks), site_(site) {
  text_.append(address).append(query);
}

void handshake::add(std::string_view name, std::string_view value) {
  text_.append(name).append(1, ':').append(value).append(1, '\n');
}

void handshake::reached(std::string_view host, bool secure) {
  // No header has a name with a colon.
  if (!host.empty())
    add(":host", host);
  secure_ = secure;
}

std::string_view handshake::header(std::string_view name) const noexcept {
  auto rest = std::string_view{text_}.substr(address_ + query_);
  while (!rest.empty()) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    if (line.size() > name.size() && line[name.size()] == ':'
        && line.starts_with(name))
      return line.substr(name.size() + 1);
  }
  return {};
}

} // namespace signalbox::session
