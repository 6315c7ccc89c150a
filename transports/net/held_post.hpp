#pragma once

#include "transports/net/http_connection.hpp"
#include "transports/session/session_core.hpp"

#include <memory>
#include <utility>

namespace signalbox::net {

/// A POST that is answered when its session has taken all its packets.
class held_post : public session::post,
                  public std::enable_shared_from_this<held_post> {
public:
  /// Keeps `to` alive until then.
  held_post(const std::shared_ptr<http_connection>& from,
            std::shared_ptr<session::session_core> to, http_response answer)
    : from_(from), home_(from->home()), to_(std::move(to)),
      answer_(std::move(answer)) {
    // nop
  }

  void done() override {
    if (auto x = from_.lock())
      x->respond(std::move(answer_));
  }

  void go_on_later() override {
    home_.post([self = shared_from_this()] { self->to_->go_on(); });
  }

private:
  std::weak_ptr<http_connection> from_;
  loop& home_;
  std::shared_ptr<session::session_core> to_;
  http_response answer_;
};

} // namespace signalbox::net
