#include "apps/router/listen.hpp"

#include "apps/router/show.hpp"
#include "transports/codec/engine/v4.hpp"
#include "transports/codec/json_split.hpp"
#include "transports/codec/json_text.hpp"
#include "transports/codec/socket/v5.hpp"
#include "transports/codec/uri.hpp"
#include "transports/net/http_client.hpp"

#include <unistd.h>

#include <chrono>
#include <ctime>
#include <iostream>
#include <limits>
#include <memory>
#include <utility>

namespace signalbox::app {

namespace {

/// Longer than a poll is held by any setting that makes sense.
constexpr auto poll_timeout = std::chrono::minutes{5};

/// Wide: what the router sends is within its own bounds already.
constexpr auto any_number = std::numeric_limits<size_t>::max();
constexpr socket::v5::limits bounds{{any_number, any_number}, 1000000, 65536};

/// A session by polling: one GET after the other, a POST where one is due.
class listener {
public:
  listener(const command_line& line, const std::string& url, std::string key,
           codec::url where)
    : line_(line), url_(url), key_(std::move(key)), where_(std::move(where)) {
    std::string error;
    net::http_client::options opts;
    opts.timeout = poll_timeout;
    opts.max_reply = 16 << 20;
    client_ = std::make_unique<net::http_client>(
      loop_, opts, net::tls_context::client({}, error));
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
    using type = engine::packet_type;
    auto pieces = engine::v4::split_payload(body, any_number);
    std::string scratch;
    for (const auto& each : *pieces) {
      auto x = engine::v4::decode_packet(each.bytes, scratch);
      if (!x)
        return stop(1, "the router sent what is no packet");
      if (x->type == type::ping)
        post("3");
      else if (x->type == type::close)
        return stop(1, "the router has closed the connection");
      else if (x->binary)
        print("(" + std::to_string(x->data.size()) + " bytes)");
      else if (x->type == type::message && !on_packet(x->data))
        return;
    }
    poll();
  }

  /// Returns whether more is to come.
  bool on_packet(std::string_view text) {
    using type = socket::packet_type;
    auto x = socket::v5::decode(text, bounds);
    if (!x) {
      stop(1, "the router sent what is no packet");
      return false;
    }
    switch (x->type) {
    case type::connect:
      if (::isatty(STDERR_FILENO) == 1)
        std::cerr << "signalbox: listening; Ctrl-C ends it. This counts as a "
                     "connection of the user.\n";
      return true;
    case type::connect_error:
      stop(1, "refused: " + x->data
                + "; the key needs may-listen in ingest.keys, and the "
                  "namespace");
      return false;
    case type::disconnect:
      stop(1, "the user was disconnected");
      return false;
    default:
      print(x->data);
      return true;
    }
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

} // namespace signalbox::app
