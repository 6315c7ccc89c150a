#include "actors/transport/tunnel_link.hpp"

#include "actors/api/messages.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/shard/light_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <iterator>

namespace signalbox {

namespace {

wire::tunnel describe(net::tunnel_frame&& x) {
  wire::tunnel out;
  out.what = static_cast<uint8_t>(x.what);
  out.from_opener = x.from_opener;
  out.id = x.id;
  out.listener = x.listener;
  out.sid = std::move(x.sid);
  out.peer = std::move(x.peer);
  out.secure = x.secure;
  out.bytes = std::move(x.bytes);
  out.credit = x.credit;
  return out;
}

net::tunnel_frame read(wire::tunnel&& x) {
  net::tunnel_frame out;
  out.what = static_cast<net::tunnel_frame::kind>(x.what);
  out.from_opener = x.from_opener;
  out.id = x.id;
  out.listener = x.listener;
  out.sid = std::move(x.sid);
  out.peer = std::move(x.peer);
  out.secure = x.secure;
  out.bytes = std::move(x.bytes);
  out.credit = x.credit;
  return out;
}

class tunnels_impl : public light_actor {
public:
  tunnels_impl(caf::actor_config& cfg, shard& at, tunnel_link& owner,
               counters& count)
    : light_actor(cfg, at), owner_(owner),
      population_(count, actor_kind::tunnels) {
    // nop
  }

  const char* name() const override {
    return "signalbox.tunnels";
  }

  void start(mesh& others, net::tunnels& to) {
    mesh_ = &others;
    to_ = &to;
  }

protected:
  void receive(caf::mailbox_element& x) override {
    auto known = dispatch<wire::tunnel, tunnel_out, view_changed>(
      x, [this](auto& msg) { on(msg); });
    if (!known)
      unexpected(x);
  }

  void on_end(const caf::error&) override {
    population_.end();
    owner_.replace({});
  }

private:
  void on(wire::tunnel& x) {
    constexpr auto last =
      static_cast<uint8_t>(net::tunnel_frame::kind::release);
    if (x.what <= last)
      to_->on_frame(x.from, read(std::move(x)));
  }

  void on(tunnel_out& x) {
    x.frame.session = mesh_->session(x.node);
    if (mesh_->send(x.node, x.frame) == 0)
      to_->on_node_down(x.node);
  }

  void on(view_changed& x) {
    for (auto node : owner_.replace({x.nodes.begin(), x.nodes.end()}))
      to_->on_node_down(node);
  }

  tunnel_link& owner_;
  population population_;
  mesh* mesh_ = nullptr;
  net::tunnels* to_ = nullptr;
};

} // namespace

tunnel_link::tunnel_link(shard& control, counters& count)
  : actor_(spawn_light<tunnels_impl, caf::actor>(control, *this, count).first) {
  // nop
}

tunnel_link::~tunnel_link() {
  stop();
}

void tunnel_link::start(mesh& others, net::tunnels& to) {
  static_cast<tunnels_impl*>(caf::actor_cast<caf::abstract_actor*>(actor_))
    ->start(others, to);
}

void tunnel_link::stop() {
  if (actor_)
    caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
  actor_ = nullptr;
}

bool tunnel_link::reaches(uint16_t node) const {
  std::lock_guard guard{mutex_};
  return live_.count(node) > 0;
}

bool tunnel_link::send(uint16_t node, net::tunnel_frame&& x) {
  if (!reaches(node) || !actor_)
    return false;
  caf::anon_send(actor_, tunnel_out{node, describe(std::move(x))});
  return true;
}

std::set<uint16_t> tunnel_link::replace(std::set<uint16_t> live) {
  std::set<uint16_t> gone;
  std::lock_guard guard{mutex_};
  std::set_difference(live_.begin(), live_.end(), live.begin(), live.end(),
                      std::inserter(gone, gone.end()));
  live_ = std::move(live);
  return gone;
}

} // namespace signalbox
