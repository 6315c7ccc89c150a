#include "tests/conformance/echo.hpp"

#include "transports/codec/json_scan.hpp"
#include "transports/codec/json_text.hpp"
#include "transports/net/session_ids.hpp"

#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace signalbox::conformance {

namespace {

using session::close_reason;
using socket::packet;
using socket::packet_type;

class engine_handler : public session::handler {
public:
  explicit engine_handler(session::port& out) : out_(out) {
    // nop
  }

  void on_packet(packet&& x) override {
    out_.send(x);
  }

  void on_upgrade() override {
    // nop
  }

  void on_close(close_reason) override {
    // nop
  }

private:
  session::port& out_;
};

class socket_handler : public session::handler {
public:
  socket_handler(session::port& out, session::timer_wheel& wheel,
                 session::time_point timeout)
    : out_(out),
      deadline_(session::make_timer<&socket_handler::on_deadline>(this)) {
    wheel.arm(deadline_, timeout);
  }

  void on_packet(packet&& x) override {
    if (x.type == packet_type::connect) {
      on_connect(x);
      return;
    }
    // What is sent to a namespace that was not joined is a violation.
    if (x.type == packet_type::connect_error || joined_.count(x.nsp) == 0) {
      out_.close(close_reason::parse_error);
      return;
    }
    if (x.type == packet_type::disconnect)
      joined_.erase(x.nsp);
    else if (x.type == packet_type::event
             || x.type == packet_type::binary_event)
      on_event(x);
  }

  void on_upgrade() override {
    // nop
  }

  void on_close(close_reason) override {
    deadline_.cancel();
  }

private:
  void on_connect(const packet& x) {
    if (x.nsp != "/" && x.nsp != "/custom") {
      packet no;
      no.type = packet_type::connect_error;
      no.nsp = x.nsp;
      no.data = R"({"message":"Invalid namespace"})";
      out_.send(no);
      return;
    }
    if (!joined_.insert(x.nsp).second) {
      out_.close(close_reason::parse_error);
      return;
    }
    deadline_.cancel();
    packet yes;
    yes.type = packet_type::connect;
    yes.nsp = x.nsp;
    yes.data = R"({"sid":")" + net::random_id() + "\"}";
    out_.send(yes);
    packet auth;
    auth.nsp = x.nsp;
    auth.data = R"(["auth",)" + (x.data.empty() ? "{}" : x.data) + ']';
    out_.send(auth);
  }

  void on_event(const packet& x) {
    auto json = codec::scan_json(x.data, {});
    if (!json || json->elements.empty()
        || codec::kind_of(json->elements[0]) != codec::json_kind::string)
      return;
    auto binary = !x.attachments.empty();
    packet back;
    back.nsp = x.nsp;
    back.attachments = x.attachments;
    auto name = codec::unquote_json(json->elements[0]);
    if (name == "message") {
      back.type = binary ? packet_type::binary_event : packet_type::event;
      back.data = R"(["message-back")";
    } else if (name == "message-with-ack" && x.id) {
      back.type = binary ? packet_type::binary_ack : packet_type::ack;
      back.id = x.id;
      back.data = "[";
    } else {
      return;
    }
    for (size_t i = 1; i < json->elements.size(); ++i) {
      if (back.data != "[")
        back.data += ',';
      back.data += json->elements[i];
    }
    back.data += ']';
    out_.send(back);
  }

  void on_deadline() {
    out_.close(close_reason::connect_timeout);
  }

  session::port& out_;
  session::timer deadline_;
  std::set<std::string> joined_;
};

} // namespace

std::unique_ptr<session::handler>
engine_echo::on_open(session::port& out,
                     std::shared_ptr<const session::handshake>, size_t) {
  return std::make_unique<engine_handler>(out);
}

std::unique_ptr<session::handler>
socket_echo::on_open(session::port& out,
                     std::shared_ptr<const session::handshake>, size_t shard) {
  return std::make_unique<socket_handler>(out, loops_[shard]->wheel(),
                                          timeout_);
}

} // namespace signalbox::conformance
