#pragma once

#include "transports/net/engine_service.hpp"
#include "transports/net/server.hpp"
#include "transports/net/tunnel.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Two routers in one process, on loops that the test polls by hand, joined by
// a mesh that only hands frames on. Clients are real sockets.

namespace signalbox::net {

inline const std::string cluster_secret(32, 'k');

/// Sends every message back, and lets a test send others.
class echo : public session::acceptor {
public:
  class handler : public session::handler {
  public:
    handler(echo& owner, session::port& out) : owner_(owner), out_(out) {
      // nop
    }

    void on_packet(socket::packet&& x) override {
      out_.send(x);
    }

    void on_upgrade() override {
      // nop
    }

    void on_close(session::close_reason why) override {
      owner_.closed.push_back(why);
      owner_.port = nullptr;
    }

  private:
    echo& owner_;
    session::port& out_;
  };

  std::unique_ptr<session::handler>
  on_open(session::port& out, std::shared_ptr<const session::handshake>,
          size_t) override {
    port = &out;
    return std::make_unique<handler>(*this, out);
  }

  void send(std::string text) {
    socket::packet x;
    x.data = std::move(text);
    port->send(x);
  }

  session::port* port = nullptr;
  std::vector<session::close_reason> closed;
};

struct router;

/// Hands the frames of each router to the other one.
class mesh {
public:
  /// What went one way through one tunnel.
  struct flow {
    size_t sent = 0;
    size_t granted = 0;
    size_t most_open = 0;
  };

  void send(uint16_t from, uint16_t to, tunnel_frame&& x);

  /// Ends the way to a node, as all nodes notice.
  void cut(uint16_t node);

  size_t count(tunnel_frame::kind what) const {
    auto same = [what](const auto& x) { return x.what == what; };
    return static_cast<size_t>(std::count_if(log.begin(), log.end(), same));
  }

  /// The most bytes that were under way at a time in any tunnel.
  size_t most_open() const {
    size_t out = 0;
    for (const auto& [key, each] : flows)
      out = std::max(out, each.most_open);
    return out;
  }

  std::map<uint16_t, router*> nodes;
  std::map<uint16_t, bool> down;
  /// Frames without their bytes.
  std::vector<tunnel_frame> log;
  std::string last_bytes;
  std::map<std::pair<uint64_t, bool>, flow> flows;
};

/// A router without rooms.
struct router : tunnel_carrier {
  router(mesh& with, uint16_t number, size_t shards, size_t most = 100,
         size_t most_bytes = 1 << 24)
    : net(with), node(number), ids(number, shards, cluster_secret, "public") {
    net.nodes[number] = this;
    for (size_t i = 0; i < shards; ++i)
      loops.push_back(std::make_unique<loop>(i));
    std::vector<loop*> all;
    for (auto& each : loops)
      all.push_back(each.get());
    limits.addresses = &addresses;
    limits.counters = &counters;
    limits.connections = 100;
    opts.session.raw = true;
    opts.session.count = &sessions;
    opts.session.max_payload = 1000000;
    opts.websocket.messages.message = opts.session.max_payload;
    ways = std::make_unique<tunnels>(all, *this, most, most_bytes, tunnelled);
    opts.away = ways.get();
    std::string error;
    files = std::make_unique<client_files>("", error);
    at = std::make_unique<server>(all, limits, [this](loop& home) {
      auto x = std::make_unique<engine_service>(home, opts, ids, origins,
                                                *files, engine_count, app);
      engines.push_back(x.get());
      return x;
    });
    ways->add(0, *at, ids);
    error = at->listen("127.0.0.1:0", nullptr);
    if (!error.empty())
      std::abort();
  }

  ~router() override {
    ways->close_all();
    at->close_all();
    for (size_t i = 0; i < loops.size(); ++i)
      loops[i]->post([x = engines[i]] { x->close_all(); });
    for (auto i = 0; i < 4; ++i)
      turn();
    at->stop_accepting();
    turn();
    at.reset();
    turn();
    net.nodes.erase(node);
  }

  bool reaches(uint16_t to) const override {
    return net.nodes.count(to) > 0 && net.down.count(to) == 0;
  }

  bool send(uint16_t to, tunnel_frame&& x) override {
    if (!reaches(to))
      return false;
    net.send(node, to, std::move(x));
    return true;
  }

  size_t turn() {
    size_t n = 0;
    for (auto& each : loops)
      n += each->poll();
    return n;
  }

  uint16_t port() const {
    auto text = at->address();
    return static_cast<uint16_t>(
      std::atoi(text.substr(text.rfind(':') + 1).c_str()));
  }

  mesh& net;
  uint16_t node;
  session_ids ids;
  net_counters counters;
  engine_counters engine_count;
  session::counters sessions;
  tunnel_counters tunnelled;
  address_limiter addresses{50, 1000, true};
  shared_limits limits;
  origin_policy origins{{}, false};
  engine_options opts;
  echo app;
  std::unique_ptr<client_files> files;
  std::vector<std::unique_ptr<loop>> loops;
  std::unique_ptr<tunnels> ways;
  std::vector<engine_service*> engines;
  std::unique_ptr<server> at;
};

inline void mesh::send(uint16_t from, uint16_t to, tunnel_frame&& x) {
  auto& mine = flows[{x.id, x.from_opener}];
  mine.sent += x.bytes.size();
  mine.most_open = std::max(mine.most_open, mine.sent - mine.granted);
  flows[{x.id, !x.from_opener}].granted += x.credit;
  if (!x.bytes.empty())
    last_bytes = x.bytes;
  log.push_back(x);
  log.back().bytes.clear();
  nodes.at(to)->ways->on_frame(from, std::move(x));
}

inline void mesh::cut(uint16_t node) {
  down[node] = true;
  for (auto& [number, each] : nodes)
    if (number != node)
      each->ways->on_node_down(node);
}

} // namespace signalbox::net
