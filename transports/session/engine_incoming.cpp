#include "transports/codec/dialect.hpp"
#include "transports/session/engine_session.hpp"

#include <utility>

// What an Engine.IO session makes of the packets of its client.

namespace signalbox::session {

using engine::packet_type;

namespace {

/// Answers to pings that may wait for a client; further pings get none.
constexpr size_t max_pongs = 16;

} // namespace

void engine_session::on_piece(const engine::piece& piece,
                              std::string& scratch) {
  opts_.count->packets_in.fetch_add(1, std::memory_order_relaxed);
  auto x = speaks_.decode_packet(piece, scratch);
  if (!x) {
    fault(close_reason::parse_error);
    return;
  }
  // Where clients ping, any bytes of theirs stand for one.
  alive_ = speaks_.server_pings();
  if (!alive_) {
    heartbeat_ = next_heartbeat();
    arm();
  }
  switch (x->type) {
  case packet_type::message:
    if (x->binary)
      on_attachment(std::string{x->data});
    else
      on_message(x->data);
    break;
  case packet_type::pong:
    if (pinged_) {
      pinged_ = false;
      heartbeat_ = next_heartbeat();
      arm();
    }
    break;
  case packet_type::ping:
    on_ping();
    break;
  case packet_type::close:
    if (websocket_ != nullptr) {
      close(close_reason::client_close);
      break;
    }
    leaving_ = poll_ == nullptr;
    answer_poll({"6"});
    end(close_reason::client_close, true);
    break;
  default:
    // Open, upgrade and noop are ignored, as the official server does.
    break;
  }
}

void engine_session::on_ping() {
  if (speaks_.server_pings()) {
    fault(close_reason::parse_error);
  } else if (outbox_.controls() < max_pongs) {
    outbox_.push_control("3");
    flush();
  }
}

void engine_session::on_message(std::string_view text) {
  if (opts_.raw) {
    socket::packet raw;
    raw.data = text;
    up_->on_packet(std::move(raw));
    return;
  }
  auto x = speaks_.decode_message(text, opts_.packets);
  if (!x) {
    close(close_reason::parse_error);
    return;
  }
  if (assembler_ == nullptr) {
    if (x->expected_attachments == 0) {
      hand_up(std::move(*x));
      return;
    }
    assembler_ = std::make_unique<socket::assembler>(opts_.max_payload);
    assembly_ = std::make_unique<transfer_watch>(
      wheel_.now(), arrived_, opts_.assembly_timeout.count(), opts_.transfers);
    arm();
  }
  hand_up(assembler_->add(std::move(*x)));
}

void engine_session::on_attachment(std::string bytes) {
  if (opts_.raw) {
    socket::packet raw;
    raw.type = socket::packet_type::binary_event;
    raw.data = std::move(bytes);
    up_->on_packet(std::move(raw));
    return;
  }
  if (assembler_ == nullptr) {
    close(close_reason::parse_error);
    return;
  }
  hand_up(assembler_->add_binary(std::move(bytes)));
}

void engine_session::hand_up(codec::result<std::optional<socket::packet>> x) {
  if (!x) {
    assembler_.reset();
    assembly_.reset();
    close(close_reason::parse_error);
    return;
  }
  if (!assembler_->waiting()) {
    assembler_.reset();
    assembly_.reset();
    arm();
  }
  if (*x)
    hand_up(std::move(**x));
}

void engine_session::hand_up(socket::packet&& x) {
  if (speaks_.joins_main()) {
    if (x.type == socket::packet_type::connect) {
      on_connect(x);
      return;
    }
    if (x.type == socket::packet_type::disconnect && x.nsp == "/")
      main_ = main_stage::out;
  }
  up_->on_packet(std::move(x));
}

// -- the main namespace of old clients ----------------------------------------

/// Such a client says nothing to be in the main namespace, and expects the
/// server to say that it is.
void engine_session::ask_main() {
  if (!speaks_.joins_main() || opts_.raw)
    return;
  if (!opts_.main_namespace) {
    main_ = main_stage::in;
    outbox_.push_control("40");
    return;
  }
  main_ = main_stage::asked;
  socket::packet x;
  x.type = socket::packet_type::connect;
  if (from_ != nullptr)
    x.data = codec::query_json(from_->query(), {});
  up_->on_packet(std::move(x));
}

void engine_session::on_connect(socket::packet& x) {
  if (x.nsp == "/") {
    // Some ask all the same, and get the answer they wait for.
    if (main_ == main_stage::out)
      ask_main();
    else if (main_ == main_stage::in)
      outbox_.push_control("40");
    flush();
    return;
  }
  x.data = codec::query_json(
    from_ == nullptr ? std::string_view{} : from_->query(), x.data);
  up_->on_packet(std::move(x));
}

} // namespace signalbox::session
