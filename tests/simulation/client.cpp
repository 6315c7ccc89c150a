#include "tests/simulation/client.hpp"

#include "actors/api/type_ids.hpp"

#include <caf/send.hpp>

namespace signalbox::simulation {

using socket::packet_type;

void client::open(shard& home, const connection_context& to) {
  home_ = &home;
  home.enter_thread();
  auto [handle, side] = spawn_connection(
    home, to, *this, std::make_shared<const session::handshake>());
  actor_ = handle;
  side_ = side;
  connected_ = true;
}

void client::join(const std::string& nsp, std::vector<std::string> rooms) {
  auto x = std::make_unique<seat>();
  x->owner = this;
  x->nsp = nsp;
  x->rooms = std::move(rooms);
  // The site of the simulation takes it from there.
  auto auth = '"' + user_;
  for (const auto& room : x->rooms)
    auth += ' ' + room;
  change(*seats_.emplace_back(std::move(x)), seat::stage::asking);
  say(packet_type::connect, nsp, auth + '"');
}

void client::leave(const std::string& nsp) {
  if (auto* x = find(nsp)) {
    say(packet_type::disconnect, nsp);
    change(*x, seat::stage::closed);
  }
}

void client::close() {
  if (!connected_)
    return;
  home_->enter_thread();
  side_->session_gone();
  caf::anon_send(actor_, session_closed{session::close_reason::client_close});
  gone();
}

void client::crash() {
  if (!connected_)
    return;
  home_->enter_thread();
  caf::anon_send_exit(actor_, caf::exit_reason::kill);
  gone();
}

seat* client::find(const std::string& nsp) const {
  for (const auto& x : seats_)
    if (x->nsp == nsp
        && (x->at == seat::stage::asking || x->at == seat::stage::joined))
      return x.get();
  return nullptr;
}

bool client::send(const codec::shared_event& event,
                  std::optional<uint64_t> ack_id, bool) {
  if (!connected_)
    return false;
  watcher_.on_event(*this, event);
  if (ack_id) {
    watcher_.on_ack(*this, event);
    say(packet_type::ack, event.nsp(), "[]", ack_id);
  }
  return true;
}

void client::send(const socket::packet& x) {
  auto* to = find(x.nsp);
  if (to == nullptr)
    return;
  switch (x.type) {
  case packet_type::connect:
    to->sid = x.data.substr(8, x.data.size() - 10);
    change(*to, seat::stage::joined);
    break;
  case packet_type::connect_error:
    change(*to, seat::stage::refused);
    break;
  case packet_type::disconnect:
    change(*to, seat::stage::closed);
    break;
  default:
    break;
  }
}

void client::close(session::close_reason why) {
  if (!connected_)
    return;
  side_->session_gone();
  caf::anon_send(actor_, session_closed{why});
  gone();
}

void client::say(packet_type type, const std::string& nsp, std::string data,
                 std::optional<uint64_t> id) {
  if (side_ == nullptr)
    return;
  socket::packet x;
  x.type = type;
  x.nsp = nsp;
  x.id = id;
  x.data = std::move(data);
  home_->enter_thread();
  side_->on_packet(std::move(x));
}

void client::change(seat& x, seat::stage to) {
  x.at = to;
  watcher_.on_stage(x);
}

void client::gone() {
  connected_ = false;
  side_ = nullptr;
  actor_ = nullptr;
  for (auto& x : seats_)
    if (x->at == seat::stage::asking || x->at == seat::stage::joined)
      change(*x, seat::stage::closed);
}

} // namespace signalbox::simulation
