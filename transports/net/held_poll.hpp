#pragma once

#include "transports/net/http_connection.hpp"
#include "transports/net/press.hpp"
#include "transports/session/carrier.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace signalbox::net {

/// How a held GET is answered.
struct poll_style {
  /// Further header lines, complete with their CRLF.
  std::string headers;
  /// What calls the page's callback, with an open parenthesis, for a poll by
  /// script tag (JSONP); empty for others.
  std::string call;
  /// Whether a large answer is gzipped for clients that accept it.
  bool compression = false;
};

/// Gives a response the type of a script, and forbids to take it for anything
/// else.
void make_script(http_response& x);

/// A poll that waits in its HTTP connection.
class held_poll : public session::poll {
public:
  held_poll(std::shared_ptr<http_connection> via, poll_style style)
    : via_(std::move(via)), style_(std::move(style)) {
    // nop
  }

  void answer(std::string payload, bool binary) override;
  void answer_with(session::parcel x) override;
  void refuse() override;

  bool leaving() const noexcept override {
    auto x = answering_.lock();
    return x != nullptr && ((making_ != nullptr && *making_) || x->blocked());
  }

  bool text_only() const noexcept override {
    return !style_.call.empty();
  }

private:
  http_response head(bool binary);
  bool zips() const;
  void answer_later(http_response x, press::order body);

  std::shared_ptr<http_connection> via_;
  /// The same after the answer, which may take its time.
  std::weak_ptr<http_connection> answering_;
  /// Whether its body is still being made; null if it was not ordered.
  std::shared_ptr<bool> making_;
  poll_style style_;
};

} // namespace signalbox::net
