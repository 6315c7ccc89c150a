#include "transports/net/upgrade.hpp"

#include "transports/codec/ws/handshake.hpp"
#include "transports/net/header_list.hpp"
#include "transports/net/http_connection.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::net {

namespace {

bool is_token(std::string_view x) noexcept {
  static constexpr std::string_view separators = "()<>@,;:\\\"/[]?={}";
  return !x.empty() && std::all_of(x.begin(), x.end(), [](char c) {
    return c > ' ' && c < 0x7F && separators.find(c) == separators.npos;
  });
}

upgrade_answer refused(std::string_view text, std::string_view headers = {}) {
  upgrade_answer out;
  out.refusal = text;
  out.refusal_headers = headers;
  return out;
}

} // namespace

bool wants_upgrade(const http_request& x) {
  return !x.header("upgrade").empty() && lists(x, "connection", "upgrade");
}

upgrade_answer judge_upgrade(const http_request& x,
                             const upgrade_options& opts) {
  auto version = single(x, "sec-websocket-version");
  auto key = single(x, "sec-websocket-key");
  auto protocols = list_elements(x, "sec-websocket-protocol");
  std::string_view protocol;
  if (!protocols.empty())
    protocol = protocols.front();
  if (x.method != "GET")
    return refused("Bad handshake method");
  if (!lists(x, "upgrade", "websocket"))
    return refused("Invalid Upgrade header");
  if (!ws::valid_key(key) && !(opts.old_key && ws::valid_old_key(key)))
    return refused("Missing or invalid Sec-WebSocket-Key header");
  if (version != "13" && version != "8")
    return refused("Missing or invalid Sec-WebSocket-Version header",
                   "Sec-WebSocket-Version: 13, 8\r\n");
  if (!protocols.empty() && !is_token(protocol))
    return refused("Invalid Sec-WebSocket-Protocol header");
  upgrade_answer out;
  out.deflate =
    opts.deflate && ws::offers_deflate(joined(x, "sec-websocket-extensions"));
  auto& reply = out.accepted;
  reply = "HTTP/1.1 101 Switching Protocols\r\n"
          "Upgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: ";
  reply += ws::accept_key(key);
  reply += "\r\n";
  reply += opts.headers;
  if (out.deflate)
    reply.append("Sec-WebSocket-Extensions: ")
      .append(ws::deflate_answer)
      .append("\r\n");
  if (!protocols.empty())
    reply.append("Sec-WebSocket-Protocol: ").append(protocol).append("\r\n");
  reply += "\r\n";
  return out;
}

void refuse_upgrade(http_connection& from, std::string_view text,
                    std::string headers) {
  http_response no;
  no.status = 400;
  no.content_type = "text/html";
  no.headers = std::move(headers);
  no.body = text;
  no.close = true;
  from.respond(std::move(no));
}

} // namespace signalbox::net
