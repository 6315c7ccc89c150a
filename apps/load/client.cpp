#include "apps/load/client.hpp"

#include "apps/load/long_poll_client.hpp"
#include "apps/load/nats_client.hpp"
#include "apps/load/raw_client.hpp"
#include "apps/load/socket_io_client.hpp"

namespace signalbox::load {

client_observer::~client_observer() {
  // nop
}

client::client(loop& parent, const client_settings& common,
               client_observer& observer, uint32_t index,
               const std::string& cookie)
  : tcp_connection(parent), common_(common), observer_(observer),
    index_(index) {
  if (!cookie.empty())
    fields_ = "Cookie: " + cookie + "\r\n";
}

void client::leave() {
  vanish();
}

void client::vanish() {
  if (ended_)
    return;
  close();
  ended_ = true;
  observer_.on_left(*this);
}

uint32_t client::index() const noexcept {
  return index_;
}

void client::on_end(const std::string& why) {
  fail(why);
}

void client::fail(const std::string& why) {
  if (ended_)
    return;
  close();
  ended_ = true;
  observer_.on_failed(*this, why);
}

bool client::ended() const noexcept {
  return ended_;
}

const client_settings& client::common() const noexcept {
  return common_;
}

client_observer& client::observer() const noexcept {
  return observer_;
}

const std::string& client::fields() const noexcept {
  return fields_;
}

std::unique_ptr<client> make_client(loop& parent, const client_settings& common,
                                    client_observer& observer, uint32_t index,
                                    const std::string& cookie,
                                    const std::string& auth) {
  switch (common.speaks) {
  case protocol::websocket:
    return std::make_unique<raw_client>(parent, common, observer, index,
                                        cookie);
  case protocol::long_poll:
    return std::make_unique<long_poll_client>(parent, common, observer, index,
                                              cookie);
  case protocol::nats:
    return std::make_unique<nats_client>(parent, common, observer, index,
                                         cookie);
  default:
    return std::make_unique<socket_io_client>(parent, common, observer, index,
                                              cookie, auth);
  }
}

} // namespace signalbox::load
