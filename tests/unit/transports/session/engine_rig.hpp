#pragma once

#include "tests/unit/transports/session/session_rig.hpp"
#include "transports/session/engine_session.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Stand-ins for everything around an Engine.IO session.

namespace signalbox::session {

/// One session of Engine.IO.
class engine_rig : public session_rig {
public:
  explicit engine_rig(std::function<void(options&)> change = {},
                      const engine::revision& speaks =
                        engine::find_revision(codec::dialect::eio4, false),
                      std::string query = {})
    : session_rig(change) {
    session = std::make_unique<engine_session>("sid0123456789", speaks, opts,
                                               wheel, &session_rig::forget,
                                               static_cast<session_rig*>(this));
    attach(*session, std::move(query));
  }

  /// Opens on polling and fetches the open packet.
  engine_rig& polling() {
    session->open_polling();
    get();
    return *this;
  }

  /// Opens on a WebSocket and reads the open packet.
  fake_websocket& websocket() {
    auto& x = connect();
    session->open_websocket(x);
    x.take();
    return x;
  }

  /// A connection that has not presented itself yet.
  fake_websocket& connect() {
    sockets_.push_back(std::make_unique<fake_websocket>(*session));
    return *sockets_.back();
  }

  poll_result get() {
    auto result = std::make_shared<std::string>("pending");
    last_poll = std::make_shared<fake_poll>(result);
    session->on_poll(last_poll);
    return result;
  }

  /// A POST from begin to end. Returns whether it was taken.
  bool post(std::string_view payload, bool binary = false) {
    if (!session->on_post_begin())
      return false;
    give(*session, payload, binary);
    return true;
  }

  /// Sends an event to all in `/`.
  bool emit(std::string args, bool is_volatile = false) {
    return session->send({"/", std::move(args), {}}, {}, is_volatile);
  }

  std::unique_ptr<engine_session> session;

private:
  std::vector<std::unique_ptr<fake_websocket>> sockets_;
};

} // namespace signalbox::session
