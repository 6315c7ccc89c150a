#include "apps/load/socket_io_client.hpp"

#include <algorithm>

namespace signalbox::load {

namespace {

constexpr char separator = '\x1e';

std::string_view json_text(std::string_view json, std::string_view name) {
  auto at = json.find("\"" + std::string{name} + "\":\"");
  if (at == std::string_view::npos)
    return {};
  json.remove_prefix(at + name.size() + 4);
  return json.substr(0, json.find('"'));
}

} // namespace

socket_io_client::socket_io_client(loop& parent, const client_settings& common,
                                   client_observer& observer, uint32_t index,
                                   const std::string& cookie, std::string auth)
  : websocket_client(parent, common, observer, index, cookie),
    nsp_(common.namespaces[index % common.namespaces.size()]),
    speaks_(common.dialects[index % common.dialects.size()]),
    auth_(std::move(auth)) {
  // nop
}

void socket_io_client::start() {
  auto greets = speaks_ == codec::dialect::v09;
  stage_ = greets             ? stage::greeting
           : common().polling ? stage::opening
                              : stage::upgrading;
  if (!open(common().where))
    return;
  exchange_ = exchange::get;
  send_get(target(), !common().polling && !greets);
}

void socket_io_client::emit(std::string_view packet) {
  std::string text{"4"};
  text += packet;
  say(text);
}

void socket_io_client::on_bytes(std::span<char> bytes) {
  if (common().polling) {
    http_answer answer;
    while (!ended()) {
      auto found = http().next(bytes, answer);
      if (found == http_reader::outcome::more)
        return;
      if (found == http_reader::outcome::bad || exchange_ == exchange::none)
        return fail("the server answered with what is no HTTP/1.1 answer with "
                    "Content-Length");
      take_answer(answer);
    }
    return;
  }
  if (stage_ == stage::greeting)
    take_greeting(bytes);
  if (stage_ != stage::greeting && !bytes.empty() && !ended())
    websocket_client::on_bytes(bytes);
}

void socket_io_client::on_upgraded() {
  stage_ = stage::opening;
}

void socket_io_client::on_message(ws::opcode op, std::string_view data) {
  if (op == ws::opcode::text)
    take_packet(data);
}

void socket_io_client::take_greeting(std::span<char>& bytes) {
  http_answer answer;
  auto found = http().next(bytes, answer);
  if (found == http_reader::outcome::more)
    return;
  if (found == http_reader::outcome::bad || answer.status != 200)
    return fail("the server refused the handshake: " + excerpt(answer));
  sid_ = answer.body.substr(0, answer.body.find(':'));
  stage_ = stage::upgrading;
  send_get(target(), true);
}

// -- polling ------------------------------------------------------------------

void socket_io_client::take_answer(const http_answer& answer) {
  if (answer.status != 200)
    return fail("the server refused a request: " + excerpt(answer));
  if (exchange_ == exchange::get)
    take_payload(answer.body);
  exchange_ = exchange::none;
  if (!ended())
    next_exchange();
}

void socket_io_client::take_payload(std::string_view payload) {
  // What is said meanwhile waits for next_exchange().
  exchange_ = exchange::none;
  while (!ended()) {
    auto packet = payload.substr(0, payload.find(separator));
    take_packet(packet);
    if (packet.size() == payload.size())
      return;
    payload.remove_prefix(packet.size() + 1);
  }
}

void socket_io_client::next_exchange() {
  if (outbox_.empty()) {
    exchange_ = exchange::get;
    return send_get(target(), false);
  }
  std::string request;
  append_post(target(), common().where.host, fields(), outbox_, request);
  outbox_ = {};
  exchange_ = exchange::post;
  send(request);
}

std::string socket_io_client::target() const {
  if (speaks_ == codec::dialect::v09)
    return common().path + (sid_.empty() ? "1/" : "1/websocket/" + sid_);
  auto result = common().path + "?EIO="
                + (speaks_ == codec::dialect::eio4 ? "4" : "3") + "&transport=";
  result += common().polling ? "polling" : "websocket";
  if (!sid_.empty())
    result += "&sid=" + sid_;
  return result;
}

// -- both ---------------------------------------------------------------------

void socket_io_client::take_packet(std::string_view packet) {
  if (speaks_ == codec::dialect::v09)
    return take_old(packet);
  auto type = packet.empty() ? '?' : packet.front();
  if (stage_ == stage::opening) {
    if (type != '0')
      return fail("the server's first packet is no open packet");
    if (common().polling)
      sid_ = json_text(packet, "sid");
    return join();
  }
  switch (type) {
  case '1':
    return fail("the server closed the session");
  case '2':
    return say("3");
  case '3':
    return;
  case '4':
    return take_message(packet.substr(1));
  case '6':
    return;
  default:
    return fail("the server sent an unknown Engine.IO packet");
  }
}

/// Asks to be let into the namespace, unless the server does so unasked.
void socket_io_client::join() {
  stage_ = stage::joining;
  auto named = nsp_ != "/";
  if (speaks_ == codec::dialect::v09) {
    say("1::" + nsp_);
  } else if (named || speaks_ == codec::dialect::eio4) {
    std::string text = "40";
    if (named)
      text += nsp_ + ",";
    say(text + auth_);
  }
}

/// A packet of 0.9; what is said of it above is said in today's words.
void socket_io_client::take_old(std::string_view packet) {
  auto named = nsp_ != "/";
  auto place = named ? std::string_view{nsp_} : std::string_view{};
  if (packet.starts_with("2::")) {
    say("2::");
  } else if (packet.starts_with("1::")) {
    if (stage_ == stage::opening && named)
      join();
    else if (packet.substr(3) == place)
      take_message("0");
  } else if (packet.starts_with("5:")) {
    auto data = packet.find('{');
    auto text = named ? "2" + nsp_ + "," : std::string{"2"};
    take_message(text.append(packet.substr(std::min(data, packet.size()))));
  } else if (!packet.starts_with("8::")) {
    fail("the server ended the session: " + std::string{packet.substr(0, 40)});
  }
}

void socket_io_client::take_message(std::string_view text) {
  auto type = text.empty() ? '?' : text.front();
  switch (type) {
  case '0':
    // Clients of 2 hear of the main namespace first.
    if (nsp_ != "/" && speaks_ == codec::dialect::eio3
        && !text.substr(1).starts_with(nsp_))
      return;
    if (stage_ != stage::joined && !ended()) {
      stage_ = stage::joined;
      observer().on_connected(*this);
    }
    return;
  case '1':
    return fail("the server disconnected the client from the namespace");
  case '2':
  case '3':
    return observer().on_packet(*this, text);
  case '4':
    return fail("the namespace refused the client: "
                + std::string{text.substr(1, 300)});
  default:
    return fail("the server sent a packet type this client does not read: "
                + std::string{text.substr(0, 40)});
  }
}

void socket_io_client::say(std::string_view packet) {
  if (!common().polling)
    return send_frame(ws::opcode::text, packet);
  if (exchange_ == exchange::get)
    return observer().post_aside(target(), fields(), packet);
  if (!outbox_.empty())
    outbox_ += separator;
  outbox_ += packet;
}

} // namespace signalbox::load
