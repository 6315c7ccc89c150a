#include "apps/router/listen.hpp"

#include "apps/router/show.hpp"
#include "transports/codec/json_split.hpp"
#include "transports/codec/json_text.hpp"
#include "transports/codec/uri.hpp"
#include "transports/net/http_client.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iostream>
#include <memory>
#include <utility>

namespace signalbox::app {

namespace {

/// Longer than a poll is held by any setting that makes sense.
constexpr auto poll_timeout = std::chrono::minutes{5};

constexpr char record_separator = '\x1e';

/// A session by polling: one GET after the other, a POST where one is due.
class listener {
public:
  listener(const command_line& line, const std::string& url, std::string key,
           codec::url where)
    : line_(line), url_(url), key_(std::move(key)), where_(std::move(where)) {
    std::string error;
    net::http_client::options bounds;
    bounds.timeout = poll_timeout;
    bounds.max_reply = 16 << 20;
    client_ = std::make_unique<net::http_client>(
      loop_, bounds, net::tls_context::client({}, error));
  }

  int run() {
    get([this](const std::string& body) { on_open(body); });
    loop_.run();
    client_.reset();
    return code_;
  }

private:
  void stop(int code, const std::string& why) {
    if (!why.empty())
      std::cerr << "signalbox: " << why << "\n";
    code_ = code;
    loop_.stop();
  }

  template <class F>
  void call(std::string_view method, std::string body, F then) {
    net::client_request x;
    x.method = method;
    x.url = where_;
    x.url.target = "/socket.io/?EIO=4&transport=polling";
    if (!sid_.empty())
      x.url.target += "&sid=" + sid_;
    if (!body.empty())
      x.headers.emplace_back("Content-Type", "text/plain;charset=UTF-8");
    x.body = std::move(body);
    client_->call(std::move(x), [this, then](net::client_reply reply) {
      if (!reply.error.empty())
        stop(1, "cannot reach " + codec::hide_user_info(url_) + ": "
                  + reply.error);
      else if (reply.status != 200)
        stop(1, codec::hide_user_info(url_) + " answered "
                  + std::to_string(reply.status)
                  + "; is that the address of listen.ingest, with engine.path "
                    "/socket.io/ and polling in engine.transports?");
      else
        then(reply.body);
    });
  }

  template <class F>
  void get(F then) {
    call("GET", {}, then);
  }

  void post(std::string body) {
    call("POST", std::move(body), [](const std::string&) {
      // nop
    });
  }

  void poll() {
    get([this](const std::string& body) { on_poll(body); });
  }

  void on_open(const std::string& body) {
    auto sid = codec::find_member(
      codec::split_object(std::string_view{body}.substr(body.empty() ? 0 : 1)),
      "sid");
    if (!body.starts_with("0{") || !sid)
      return stop(1, "this is no Socket.IO server");
    sid_ = codec::unquote_json(*sid);
    std::string auth = "{\"key\":";
    codec::quote_json(key_, auth);
    auth += ",\"listen\":";
    codec::quote_json(line_.args.front(), auth);
    auto nsp = line_.value("namespace", "/");
    post("40" + (nsp == "/" ? std::string{} : nsp + ',') + auth + '}');
    poll();
  }

  void on_poll(const std::string& body) {
    for (auto each : split_payload(body)) {
      if (each == "2")
        post("3");
      else if (each == "1")
        return stop(1, "the router has closed the connection");
      else if (each.starts_with('4') && !on_packet(each.substr(1)))
        return;
      else if (each.starts_with('b'))
        print("(" + std::to_string(each.size() / 4 * 3) + " bytes)");
    }
    poll();
  }

  bool on_packet(std::string_view packet) {
    auto x = read_heard(packet);
    using kind = heard::kind;
    if (x.is == kind::refused)
      stop(1, "refused: " + x.text
                + "; the key needs may-listen in ingest.keys, and the "
                  "namespace");
    else if (x.is == kind::ended)
      stop(1, "the user was disconnected");
    else if (x.is == kind::joined && ::isatty(STDERR_FILENO) == 1)
      std::cerr << "signalbox: listening; Ctrl-C ends it. This counts as a "
                   "connection of the user.\n";
    else if (x.is == kind::event)
      print(x.text);
    return x.is != kind::refused && x.is != kind::ended;
  }

  void print(const std::string& what) {
    if (for_people(line_)) {
      auto now = std::time(nullptr);
      std::tm parts{};
      ::localtime_r(&now, &parts);
      char text[16];
      std::strftime(text, sizeof(text), "%H:%M:%S", &parts);
      std::cout << text << "  " << plain_text(what) << std::endl;
    } else {
      std::cout << what << std::endl;
    }
  }

  const command_line& line_;
  const std::string& url_;
  std::string key_;
  codec::url where_;
  net::loop loop_{0};
  std::unique_ptr<net::http_client> client_;
  std::string sid_;
  int code_ = 0;
};

} // namespace

int listen(const command_line& line, const std::string& url,
           const std::string& key) {
  auto where = codec::parse_url(url);
  if (!where) {
    std::cerr << "signalbox: " << codec::hide_user_info(url)
              << " is no URL; give --url=http://HOST:PORT\n";
    return 1;
  }
  return listener{line, url, key, *where}.run();
}

std::vector<std::string_view> split_payload(std::string_view body) {
  std::vector<std::string_view> out;
  while (!body.empty()) {
    auto packet = body.substr(0, body.find(record_separator));
    out.push_back(packet);
    body.remove_prefix(std::min(packet.size() + 1, body.size()));
  }
  return out;
}

heard read_heard(std::string_view packet) {
  using kind = heard::kind;
  if (packet.empty())
    return {};
  auto type = packet.front();
  packet.remove_prefix(1);
  // Binary events begin with the number of their attachments.
  if (type == '5')
    packet.remove_prefix(std::min(packet.find('-') + 1, packet.size()));
  if (packet.starts_with('/'))
    packet.remove_prefix(std::min(packet.find(',') + 1, packet.size()));
  auto begin = packet.find_first_of("[{");
  std::string text{begin == packet.npos ? std::string_view{}
                                        : packet.substr(begin)};
  switch (type) {
  case '0':
    return {kind::joined, {}};
  case '1':
    return {kind::ended, {}};
  case '2':
  case '5':
    return {kind::event, std::move(text)};
  case '4':
    return {kind::refused, std::move(text)};
  default:
    return {};
  }
}

} // namespace signalbox::app
