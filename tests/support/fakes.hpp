#pragma once

#include "actors/connection/connection.hpp"
#include "actors/shard/light_actor.hpp"
#include "transports/session/handler.hpp"

#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// What stands in the place of a session or of other rooms in the tests of one.

namespace signalbox::test {

/// Records what a session would have been told.
class fake_port : public session::port {
public:
  /// The session ends with its port.
  ~fake_port() override {
    if (gone)
      gone->session_gone();
  }

  bool send(const codec::shared_event& event, std::optional<uint64_t> ack_id,
            bool) override {
    if (breaks)
      throw std::bad_alloc{};
    events.emplace_back(event.args());
    acks.push_back(ack_id);
    return !full;
  }

  void send(const socket::packet& x) override {
    if (breaks)
      throw std::bad_alloc{};
    packets.push_back(x);
  }

  void close(session::close_reason why) override {
    closed = session::to_string(why);
    if (gone)
      gone->session_gone();
  }

  std::string_view transport() const noexcept override {
    return carrier;
  }

  std::string_view label() const noexcept override {
    return "fake";
  }

  void resume() override {
    ++resumed;
  }

  /// Returns the data of the last packet, after its type's digit.
  std::string last() const {
    return packets.empty()
             ? std::string{}
             : std::to_string(static_cast<int>(packets.back().type))
                 + packets.back().data;
  }

  std::vector<std::string> events;
  std::vector<std::optional<uint64_t>> acks;
  std::vector<socket::packet> packets;
  std::string closed;
  std::string carrier = "websocket";
  bool full = false;
  /// Whether there is no memory for what is sent.
  bool breaks = false;
  int resumed = 0;
  session_side* gone = nullptr;
};

/// Records messages of the given types.
template <class... Ts>
class recorder : public light_actor {
public:
  using light_actor::light_actor;

  const char* name() const override {
    return "recorder";
  }

  std::tuple<std::vector<Ts>...> got;

  template <class T>
  std::vector<T>& all() {
    return std::get<std::vector<T>>(got);
  }

protected:
  void receive(caf::mailbox_element& x) override {
    dispatch<Ts...>(x, [&](auto& msg) {
      all<std::decay_t<decltype(msg)>>().push_back(std::move(msg));
    });
  }
};

} // namespace signalbox::test
