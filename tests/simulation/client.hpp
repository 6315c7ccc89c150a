#pragma once

#include "actors/connection/connection.hpp"
#include "tests/simulation/network.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace signalbox::simulation {

class client;

/// A client's place in a namespace, from its CONNECT on.
struct seat {
  enum class stage { asking, joined, refused, closed };

  client* owner = nullptr;
  std::string nsp;
  std::vector<std::string> rooms;
  stage at = stage::asking;
  std::string sid;
  int64_t joined_at = 0;
};

/// Keeps the books about clients.
class client_watcher {
public:
  virtual ~client_watcher() = default;

  /// A client has an event.
  virtual void on_event(client& x, const codec::shared_event& event) = 0;

  /// A client acknowledges an event.
  virtual void on_ack(client& x, const codec::shared_event& event) = 0;

  /// A seat has changed its stage.
  virtual void on_stage(const seat& x) = 0;
};

/// A browser with its session at a node; the CONNECTION is a real one.
class client : public session::port {
public:
  client(client_watcher& watcher, process at, uint16_t number, std::string user)
    : watcher_(watcher), at_(at), number_(number), user_(std::move(user)) {
    // nop
  }

  /// Connects to the node.
  void open(shard& home, const connection_context& to);

  /// Asks for a namespace.
  void join(const std::string& nsp, std::vector<std::string> rooms);

  /// Leaves a namespace.
  void leave(const std::string& nsp);

  /// The client is gone.
  void close();

  /// The node has died under it.
  void crash();

  bool connected() const noexcept {
    return connected_;
  }

  process at() const noexcept {
    return at_;
  }

  uint16_t number() const noexcept {
    return number_;
  }

  const std::string& user() const noexcept {
    return user_;
  }

  const std::vector<std::unique_ptr<seat>>& seats() const noexcept {
    return seats_;
  }

  /// Returns the seat in a namespace, null if there is none.
  seat* find(const std::string& nsp) const;

  /// The events it has, and the last one of each node and namespace.
  std::set<uint64_t> seen;
  std::map<std::pair<process, std::string>, uint64_t> last;
  /// Those of the sequenced namespace, in the order in which they came.
  std::vector<uint64_t> row;

  /// When the person behind it left, 0 while here; and whether that one has
  /// come to another node since, with all that was seen here.
  int64_t left = 0;
  bool moved = false;

  // -- session::port
  // ------------------------------------------------------------

  bool send(const codec::shared_event& event, std::optional<uint64_t> ack_id,
            bool volatile_) override;
  void send(const socket::packet& x) override;
  void close(session::close_reason why) override;

  void resume() override {
    // nop
  }

  std::string_view transport() const noexcept override {
    return "websocket";
  }

  std::string_view label() const noexcept override {
    return user_;
  }

private:
  void say(socket::packet_type type, const std::string& nsp,
           std::string data = {}, std::optional<uint64_t> id = {});
  void change(seat& x, seat::stage to);
  void gone();

  client_watcher& watcher_;
  process at_;
  uint16_t number_;
  std::string user_;
  shard* home_ = nullptr;
  connection_actor actor_;
  session_side* side_ = nullptr;
  bool connected_ = false;
  std::vector<std::unique_ptr<seat>> seats_;
};

} // namespace signalbox::simulation
