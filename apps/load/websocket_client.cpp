#include "apps/load/websocket_client.hpp"

#include "transports/codec/ws/handshake.hpp"

namespace signalbox::load {

namespace {

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

} // namespace

websocket_client::websocket_client(loop& parent, const client_settings& common,
                                   client_observer& observer, uint32_t index,
                                   const std::string& cookie)
  : client(parent, common, observer, index, cookie),
    frames_(ws::reader::peer::server, {16'000'000, 1024}) {
  // nop
}

void websocket_client::leave() {
  if (!upgraded_)
    return vanish();
  leaving_ = true;
  send_frame(ws::opcode::close, ws::close_body(ws::close_code::normal, {}));
}

void websocket_client::on_bytes(std::span<char> bytes) {
  if (!upgraded_)
    take_upgrade(bytes);
  if (upgraded_ && !bytes.empty() && !ended())
    take_frames(bytes);
}

void websocket_client::on_end(const std::string& why) {
  if (leaving_)
    vanish();
  else
    fail(why);
}

void websocket_client::send_get(const std::string& target, bool upgrade) {
  std::string request = "GET " + target + " HTTP/1.1\r\nHost: ";
  request += common().where.host;
  request += "\r\n";
  request += fields();
  if (upgrade) {
    request += "Upgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ";
    request += upgrade_key;
    request += "\r\n";
  }
  request += "\r\n";
  send(request);
}

void websocket_client::send_frame(ws::opcode op, std::string_view payload) {
  std::string frame;
  ws::encode_masked_frame(op, payload, next_mask(), frame);
  send(frame);
}

http_reader& websocket_client::http() noexcept {
  return http_;
}

void websocket_client::take_upgrade(std::span<char>& bytes) {
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
  upgraded_ = true;
  on_upgraded();
}

void websocket_client::take_frames(std::span<char> bytes) {
  while (!ended()) {
    ws::message message;
    auto found = frames_.next(bytes, message);
    if (!found)
      return fail("the server sent a bad frame ("
                  + std::string{codec::to_string(found.error())} + ")");
    if (!*found)
      return;
    if (message.op == ws::opcode::close) {
      if (leaving_)
        return vanish();
      auto code = message.data.size() < 2 ? int{ws::close_code::none}
                                          : (uint8_t(message.data[0]) << 8)
                                              + uint8_t(message.data[1]);
      return fail("the server closed the WebSocket with code "
                  + std::to_string(code));
    }
    if (message.op == ws::opcode::ping)
      send_frame(ws::opcode::pong, message.data);
    else if (message.op == ws::opcode::text || message.op == ws::opcode::binary)
      on_message(message.op, message.data);
  }
}

} // namespace signalbox::load
