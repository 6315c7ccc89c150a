#include "apps/load/client.hpp"

#include "transports/codec/ws/handshake.hpp"

#include <algorithm>

namespace signalbox::load {

namespace {

constexpr char separator = '\x1e';

// The key may be any; a constant one saves a hash per connection.
constexpr std::string_view upgrade_key = "c2lnbmFsYm94LWxvYWQhIQ==";

const std::string& upgrade_accept() {
  static const std::string value = ws::accept_key(upgrade_key);
  return value;
}

// Masks need no secrecy between a load client and its own server.
uint32_t next_mask() {
  static uint32_t state = 2463534242;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

std::string_view json_text(std::string_view json, std::string_view name) {
  auto at = json.find("\"" + std::string{name} + "\":\"");
  if (at == std::string_view::npos)
    return {};
  json.remove_prefix(at + name.size() + 4);
  return json.substr(0, json.find('"'));
}

} // namespace

client_observer::~client_observer() {
  // nop
}

client::client(loop& parent, const client_settings& common,
               client_observer& observer, uint32_t index, std::string cookie,
               std::string auth)
  : tcp_connection(parent), common_(common), observer_(observer), index_(index),
    speaks_(common.dialects[index % common.dialects.size()]),
    auth_(std::move(auth)),
    frames_(ws::reader::peer::server, {16'000'000, 1024}) {
  if (!cookie.empty())
    fields_ = "Cookie: " + std::move(cookie) + "\r\n";
}

void client::start() {
  auto greets = speaks_ == codec::dialect::v09;
  stage_ = greets            ? stage::greeting
           : common_.polling ? stage::opening
                             : stage::upgrading;
  if (!open(common_.where))
    return;
  send_get(!common_.polling && !greets);
}

void client::emit(std::string_view packet) {
  std::string text{"4"};
  text += packet;
  say(text);
}

uint32_t client::index() const noexcept {
  return index_;
}

void client::on_bytes(std::span<char> bytes) {
  if (common_.polling) {
    http_answer answer;
    while (stage_ != stage::ended) {
      auto found = http_.next(bytes, answer);
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
  if (stage_ == stage::upgrading && !bytes.empty())
    take_upgrade(bytes);
  if (!bytes.empty() && stage_ != stage::ended)
    take_frames(bytes);
}

void client::on_end(const std::string& why) {
  fail(why);
}

void client::fail(const std::string& why) {
  if (stage_ == stage::ended)
    return;
  close();
  stage_ = stage::ended;
  observer_.on_failed(*this, why);
}

void client::send_get(bool upgrade) {
  std::string request = "GET " + target() + " HTTP/1.1\r\nHost: ";
  request += common_.where.host;
  request += "\r\n";
  request += fields_;
  if (upgrade) {
    request += "Upgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ";
    request += upgrade_key;
    request += "\r\n";
  }
  request += "\r\n";
  exchange_ = exchange::get;
  send(request);
}

// -- WebSocket ----------------------------------------------------------------

void client::take_greeting(std::span<char>& bytes) {
  http_answer answer;
  auto found = http_.next(bytes, answer);
  if (found == http_reader::outcome::more)
    return;
  if (found == http_reader::outcome::bad || answer.status != 200)
    return fail("the server refused the handshake: " + excerpt(answer));
  sid_ = answer.body.substr(0, answer.body.find(':'));
  stage_ = stage::upgrading;
  send_get(true);
}

void client::take_upgrade(std::span<char>& bytes) {
  http_answer answer;
  auto found = http_.next(bytes, answer);
  if (found == http_reader::outcome::more)
    return;
  if (found == http_reader::outcome::bad)
    return fail("the server answered the handshake with no HTTP/1.1 answer");
  if (answer.status != 101)
    return fail("the server refused the WebSocket: " + excerpt(answer));
  if (answer.head.find(upgrade_accept()) == std::string_view::npos)
    return fail("the server's Sec-WebSocket-Accept is wrong");
  stage_ = stage::opening;
}

void client::take_frames(std::span<char> bytes) {
  for (;;) {
    ws::message message;
    auto found = frames_.next(bytes, message);
    if (!found)
      return fail("the server sent a bad frame ("
                  + std::string{codec::to_string(found.error())} + ")");
    if (!*found)
      return;
    if (message.op == ws::opcode::close) {
      auto code = message.data.size() < 2 ? int{ws::close_code::none}
                                          : (uint8_t(message.data[0]) << 8)
                                              + uint8_t(message.data[1]);
      return fail("the server closed the WebSocket with code "
                  + std::to_string(code));
    }
    if (message.op == ws::opcode::ping)
      send_frame(ws::opcode::pong, message.data);
    else if (message.op == ws::opcode::text)
      take_packet(message.data);
    if (stage_ == stage::ended)
      return;
  }
}

void client::send_frame(ws::opcode op, std::string_view payload) {
  std::string frame;
  ws::encode_masked_frame(op, payload, next_mask(), frame);
  send(frame);
}

// -- polling ------------------------------------------------------------------

void client::take_answer(const http_answer& answer) {
  if (answer.status != 200)
    return fail("the server refused a request: " + excerpt(answer));
  if (exchange_ == exchange::get)
    take_payload(answer.body);
  exchange_ = exchange::none;
  if (stage_ != stage::ended)
    next_exchange();
}

void client::take_payload(std::string_view payload) {
  // What is said meanwhile waits for next_exchange().
  exchange_ = exchange::none;
  while (stage_ != stage::ended) {
    auto packet = payload.substr(0, payload.find(separator));
    take_packet(packet);
    if (packet.size() == payload.size())
      return;
    payload.remove_prefix(packet.size() + 1);
  }
}

void client::next_exchange() {
  if (outbox_.empty())
    return send_get(false);
  std::string request;
  append_post(target(), common_.where.host, fields_, outbox_, request);
  outbox_ = {};
  exchange_ = exchange::post;
  send(request);
}

std::string client::target() const {
  if (speaks_ == codec::dialect::v09)
    return common_.path + (sid_.empty() ? "1/" : "1/websocket/" + sid_);
  auto result = common_.path + "?EIO="
                + (speaks_ == codec::dialect::eio4 ? "4" : "3") + "&transport=";
  result += common_.polling ? "polling" : "websocket";
  if (!sid_.empty())
    result += "&sid=" + sid_;
  return result;
}

// -- both ---------------------------------------------------------------------

void client::take_packet(std::string_view packet) {
  if (speaks_ == codec::dialect::v09)
    return take_old(packet);
  auto type = packet.empty() ? '?' : packet.front();
  if (stage_ == stage::opening) {
    if (type != '0')
      return fail("the server's first packet is no open packet");
    if (common_.polling)
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
void client::join() {
  stage_ = stage::joining;
  auto named = common_.nsp != "/";
  if (speaks_ == codec::dialect::v09) {
    say("1::" + common_.nsp);
  } else if (named || speaks_ == codec::dialect::eio4) {
    std::string text = "40";
    if (named)
      text += common_.nsp + ",";
    say(text + auth_);
  }
}

/// A packet of 0.9; what is said of it above is said in today's words.
void client::take_old(std::string_view packet) {
  auto named = common_.nsp != "/";
  auto place = named ? std::string_view{common_.nsp} : std::string_view{};
  if (packet.starts_with("2::")) {
    say("2::");
  } else if (packet.starts_with("1::")) {
    if (stage_ == stage::opening && named)
      join();
    else if (packet.substr(3) == place)
      take_message("0");
  } else if (packet.starts_with("5:")) {
    auto data = packet.find('{');
    auto text = named ? "2" + common_.nsp + "," : std::string{"2"};
    take_message(text.append(packet.substr(std::min(data, packet.size()))));
  } else if (!packet.starts_with("8::")) {
    fail("the server ended the session: " + std::string{packet.substr(0, 40)});
  }
}

void client::take_message(std::string_view text) {
  auto type = text.empty() ? '?' : text.front();
  switch (type) {
  case '0':
    // Clients of 2 hear of the main namespace first.
    if (common_.nsp != "/" && speaks_ == codec::dialect::eio3
        && !text.substr(1).starts_with(common_.nsp))
      return;
    if (stage_ != stage::joined && stage_ != stage::ended) {
      stage_ = stage::joined;
      observer_.on_connected(*this);
    }
    return;
  case '1':
    return fail("the server disconnected the client from the namespace");
  case '2':
  case '3':
    return observer_.on_packet(*this, text);
  case '4':
    return fail("the namespace refused the client: "
                + std::string{text.substr(1, 300)});
  default:
    return fail("the server sent a packet type this client does not read: "
                + std::string{text.substr(0, 40)});
  }
}

void client::say(std::string_view packet) {
  if (!common_.polling)
    return send_frame(ws::opcode::text, packet);
  if (exchange_ == exchange::get)
    return observer_.post_aside(target(), fields_, packet);
  if (!outbox_.empty())
    outbox_ += separator;
  outbox_ += packet;
}

} // namespace signalbox::load
