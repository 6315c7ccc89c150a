#include "transports/net/engine_service.hpp"

#include "transports/codec/deflate.hpp"
#include "transports/codec/uri.hpp"
#include "transports/codec/ws/handshake.hpp"

#include <algorithm>
#include <functional>

namespace signalbox::net {

namespace {

/// Poll answers from this size on are compressed, as the official server does.
constexpr size_t compress_from = 1024;

constexpr std::string_view error_texts[] = {
  "Transport unknown", "Session ID unknown", "Bad handshake method",
  "Bad request",       "Forbidden",          "Unsupported protocol version",
};

enum error : int {
  transport_unknown,
  sid_unknown,
  bad_method,
  bad_request,
  forbidden,
  bad_version,
};

constexpr std::string_view no_store = "cache-control: no-store\r\n";

bool wants_upgrade(const http_request& x) {
  return !x.header("upgrade").empty()
         && has_token(x.header("connection"), "upgrade");
}

} // namespace

/// A session with what belongs to it on this floor.
struct engine_service::entry {
  entry(std::string sid, const session::options& opts, loop& home,
        engine_service& owner)
    : session(std::move(sid), opts, home.wheel(), &engine_service::forget,
              &owner) {
    // nop
  }

  session::engine_session session;
  uint64_t cookies = 0;
  std::weak_ptr<http_connection> poster;
};

/// What a request that is under way belongs to.
struct engine_service::exchange {
  std::shared_ptr<entry> owner;
  const session::poll* poll = nullptr;
};

struct engine_service::params {
  explicit params(std::string_view query) {
    for (auto& [name, value] : codec::parse_query(query)) {
      // The last one wins, as in the official server.
      if (name == "transport")
        transport = value;
      else if (name == "sid")
        sid = value;
      else if (name == "EIO")
        eio = value;
    }
  }

  std::string transport;
  std::string sid;
  std::string eio;
};

class engine_service::held_poll : public session::poll {
public:
  held_poll(std::shared_ptr<http_connection> via, bool compression)
    : via_(std::move(via)), compression_(compression) {
    // nop
  }

  void answer(std::string payload) override {
    http_response x;
    x.headers = origin_policy::headers(via_->request());
    x.headers += no_store;
    auto accepted = via_->request().header("accept-encoding");
    if (compression_ && payload.size() >= compress_from
        && has_token(accepted, "gzip")) {
      codec::gzip(payload, x.body);
      x.headers += "Content-Encoding: gzip\r\n";
    } else {
      x.body = std::move(payload);
    }
    std::exchange(via_, nullptr)->respond(std::move(x));
  }

  void refuse() override {
    http_response x;
    x.status = 400;
    x.headers = origin_policy::headers(via_->request());
    std::exchange(via_, nullptr)->respond(std::move(x));
  }

private:
  std::shared_ptr<http_connection> via_;
  bool compression_;
};

engine_service::engine_service(loop& home, const engine_options& opts,
                               const session_ids& ids,
                               const origin_policy& origins,
                               const client_files& files,
                               engine_counters& counters,
                               session::acceptor& accept)
  : home_(home), opts_(opts), ids_(ids), origins_(origins), files_(files),
    counters_(counters), accept_(accept),
    drain_timer_(session::make_timer<&engine_service::drain_some>(this)) {
  // nop
}

engine_service::~engine_service() = default;

// -- requests -----------------------------------------------------------------

size_t engine_service::on_header(const std::shared_ptr<http_connection>& from) {
  const auto& x = from->request();
  auto upgrade = wants_upgrade(x);
  if (!x.path.starts_with(opts_.path)) {
    answer(*from, 404, {}, "text/plain; charset=UTF-8");
    return 0;
  }
  if (x.method == "GET" || x.method == "HEAD") {
    if (auto file = files_.find(x.path.substr(opts_.path.size()), x)) {
      file->headers += origin_policy::headers(x);
      from->respond(std::move(*file));
      return 0;
    }
  }
  if (!origins_.admits(x)) {
    ++counters_.origins_refused;
    if (opts_.on_origin_refused)
      opts_.on_origin_refused(x.header("origin"), x.host);
    http_response no;
    no.status = 403;
    no.content_type = "application/json";
    no.body = R"({"code":4,"message":"Forbidden"})";
    no.close = upgrade;
    from->respond(std::move(no));
    return 0;
  }
  if (x.method == "OPTIONS" && !x.header("origin").empty()) {
    from->respond(origin_policy::preflight(x));
    return 0;
  }
  params query{x.query};
  auto polling = query.transport == "polling" && opts_.session.polling;
  auto websocket = query.transport == "websocket" && opts_.session.websocket;
  if (!polling && !websocket) {
    answer_error(*from, transport_unknown, upgrade && opts_.session.websocket);
    return 0;
  }
  if (query.sid.empty()) {
    if (x.method != "GET")
      answer_error(*from, bad_method, upgrade);
    else if (websocket && !upgrade)
      answer_error(*from, bad_request, false);
    else if (query.eio != "4")
      answer_error(*from, bad_version, upgrade);
    else
      open(from, upgrade);
    return 0;
  }
  auto where = ids_.parse(query.sid);
  if (where && where->shard != home_.index()) {
    from->hand_over(where->shard);
    return 0;
  }
  auto i = where ? sessions_.find(query.sid) : sessions_.end();
  if (i == sessions_.end() || i->second->cookies != cookie_hash(x)) {
    ++counters_.unknown_sids;
    answer_error(*from, sid_unknown, upgrade);
    return 0;
  }
  if (query.eio != "4") {
    answer_error(*from, bad_request, upgrade);
    return 0;
  }
  if (upgrade) {
    on_upgrade(from, query);
    return 0;
  }
  auto owner = i->second;
  if (!polling || owner->session.on_socket()) {
    answer_error(*from, bad_request, false);
    return 0;
  }
  if (x.method == "GET") {
    // A poll is held before its body would be read, so it must have none.
    auto length = x.header("content-length");
    if ((!length.empty() && length != "0")
        || !x.header("transfer-encoding").empty()) {
      answer_error(*from, bad_request, false);
      return 0;
    }
    auto poll = std::make_shared<held_poll>(from, opts_.compression);
    auto under_way = std::make_shared<exchange>();
    under_way->owner = owner;
    under_way->poll = poll.get();
    from->context = under_way;
    owner->session.on_poll(std::move(poll));
    return 0;
  }
  if (x.method != "POST") {
    answer(*from, 500, {}, "text/plain; charset=UTF-8");
    return 0;
  }
  if (x.header("content-type") == "application/octet-stream") {
    owner->session.on_post_lost();
    answer(*from, 400, {}, "text/plain; charset=UTF-8");
    return 0;
  }
  if (!owner->session.on_post_begin()) {
    if (auto first = owner->poster.lock())
      first->abort();
    answer(*from, 400, {}, "text/plain; charset=UTF-8");
    return 0;
  }
  owner->poster = from;
  auto under_way = std::make_shared<exchange>();
  under_way->owner = owner;
  from->context = under_way;
  return opts_.session.max_payload;
}

void engine_service::on_request(const std::shared_ptr<http_connection>& from) {
  auto under_way = std::static_pointer_cast<exchange>(from->context);
  // A GET has been taken by its session already.
  if (under_way == nullptr || under_way->poll != nullptr)
    return;
  auto owner = under_way->owner;
  owner->session.on_post(from->request().body);
  answer(*from, 200, "ok", "text/html");
}

void engine_service::on_too_large(http_connection& from) {
  if (auto x = std::static_pointer_cast<exchange>(from.context))
    x->owner->session.on_post_refused();
}

void engine_service::on_abort(http_connection& from) {
  auto x = std::static_pointer_cast<exchange>(from.context);
  if (x == nullptr)
    return;
  if (x->poll != nullptr)
    x->owner->session.on_poll_lost(x->poll);
  else
    x->owner->session.on_post_lost();
}

std::string engine_service::error_headers(const http_request& x) {
  return origins_.admits(x) ? origin_policy::headers(x) : std::string{};
}

// -- opening ------------------------------------------------------------------

std::shared_ptr<engine_service::entry>
engine_service::insert(const http_request& x) {
  auto from = std::make_shared<session::handshake>();
  for (const auto& [name, value] : x.headers)
    for (const auto& wanted : opts_.keep_headers)
      if (same_token(name, wanted))
        from->headers.emplace_back(wanted, value);
  from->address = x.address;
  from->query = x.query;
  auto y = std::make_shared<entry>(ids_.make(home_.index()), opts_.session,
                                   home_, *this);
  y->cookies = cookie_hash(x);
  y->session.attach(
    accept_.on_open(y->session, std::move(from), home_.index()));
  sessions_.emplace(y->session.sid(), y);
  ++counters_.sessions;
  return y;
}

void engine_service::open(const std::shared_ptr<http_connection>& from,
                          bool upgrade) {
  if (stopping_) {
    http_response x;
    x.status = 503;
    x.headers = origin_policy::headers(from->request()) + "Retry-After: 1\r\n";
    x.close = true;
    from->respond(std::move(x));
    return;
  }
  if (upgrade) {
    on_upgrade(from, params{from->request().query});
    return;
  }
  auto x = insert(from->request());
  x->session.open_polling();
  x->session.on_poll(std::make_shared<held_poll>(from, opts_.compression));
}

void engine_service::on_upgrade(const std::shared_ptr<http_connection>& from,
                                const params& query) {
  const auto& x = from->request();
  auto refuse = [&](std::string text, std::string_view extra = {}) {
    http_response no;
    no.status = 400;
    no.content_type = "text/html";
    no.headers = origin_policy::headers(x);
    no.headers += extra;
    no.body = std::move(text);
    no.close = true;
    from->respond(std::move(no));
  };
  auto version = x.header("sec-websocket-version");
  auto key = x.header("sec-websocket-key");
  if (x.method != "GET")
    return refuse("Bad handshake method");
  if (!same_token(x.header("upgrade"), "websocket"))
    return refuse("Invalid Upgrade header");
  if (!ws::valid_key(key))
    return refuse("Missing or invalid Sec-WebSocket-Key header");
  if (version != "13" && version != "8")
    return refuse("Missing or invalid Sec-WebSocket-Version header",
                  "Sec-WebSocket-Version: 13, 8\r\n");
  std::string reply = "HTTP/1.1 101 Switching Protocols\r\n"
                      "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: ";
  reply += ws::accept_key(key);
  reply += "\r\n";
  reply += origin_policy::headers(x);
  auto deflate = opts_.websocket.deflate
                 && ws::offers_deflate(x.header("sec-websocket-extensions"));
  if (deflate) {
    reply += "Sec-WebSocket-Extensions: ";
    reply += ws::deflate_answer;
    reply += "\r\n";
  }
  auto protocols = x.header("sec-websocket-protocol");
  if (!protocols.empty()) {
    auto first = protocols.substr(0, protocols.find(','));
    auto token =
      !first.empty() && std::all_of(first.begin(), first.end(), [](char c) {
        return c > ' ' && c < 0x7F
               && std::string_view{"()<>@,;:\\\"/[]?={}"}.find(c)
                    == std::string_view::npos;
      });
    if (!token)
      return refuse("Invalid Sec-WebSocket-Protocol header");
    reply += "Sec-WebSocket-Protocol: ";
    reply += first;
    reply += "\r\n";
  }
  reply += "\r\n";
  auto polling = query.transport == "polling";
  std::shared_ptr<entry> owner;
  if (!query.sid.empty())
    owner = sessions_.find(query.sid)->second;
  else if (!polling)
    owner = insert(x);
  auto peer = from->peer();
  std::string rest;
  auto io = from->release(rest);
  auto& listener = from->owner();
  auto via = std::make_shared<websocket_connection>(
    listener, home_, std::move(io), std::move(peer), opts_.websocket, deflate);
  if (owner == nullptr) {
    // transport=polling on an upgrade: accepted and dropped at once.
    return;
  }
  std::shared_ptr<session::engine_session> session{owner, &owner->session};
  if (query.sid.empty()) {
    session->open_websocket(*via);
  } else if (polling || !session->on_probe(*via)) {
    ++counters_.probes_refused;
    via->start(session, std::move(reply), {});
    via->finish();
    return;
  }
  via->start(session, std::move(reply), std::move(rest));
}

// -- end ----------------------------------------------------------------------

void engine_service::drain(int64_t spread_ms) {
  stopping_ = true;
  for (const auto& [sid, each] : sessions_)
    to_drain_.push_back(each);
  drain_from_ = home_.wheel().now();
  drain_for_ = std::max<int64_t>(spread_ms, 1);
  drain_some();
}

void engine_service::drain_some() {
  auto passed = home_.wheel().now() - drain_from_;
  auto share = std::min(1.0, static_cast<double>(passed)
                               / static_cast<double>(drain_for_));
  auto until =
    static_cast<size_t>(static_cast<double>(to_drain_.size()) * share);
  for (; drained_ < until; ++drained_)
    if (auto each = to_drain_[drained_].lock())
      each->session.close(session::close_reason::shutdown);
  if (drained_ < to_drain_.size())
    home_.wheel().arm(drain_timer_, session::timer_wheel::granularity);
}

void engine_service::close_all() {
  stopping_ = true;
  drain_timer_.cancel();
  auto all = sessions_;
  for (const auto& [sid, each] : all)
    each->session.abort(session::close_reason::shutdown);
}

// -- answers ------------------------------------------------------------------

void engine_service::answer_error(http_connection& from, int code, bool raw) {
  http_response x;
  x.status = 400;
  x.headers = origin_policy::headers(from.request());
  if (raw) {
    x.content_type = "text/html";
    x.body = error_texts[code];
    x.close = true;
  } else {
    x.content_type = "application/json";
    x.body = "{\"code\":" + std::to_string(code) + ",\"message\":\"";
    x.body += error_texts[code];
    x.body += "\"}";
  }
  from.respond(std::move(x));
}

void engine_service::answer(http_connection& from, unsigned status,
                            std::string body, std::string_view type) {
  http_response x;
  x.status = status;
  x.body = std::move(body);
  x.content_type = type;
  x.headers = origin_policy::headers(from.request());
  x.headers += no_store;
  from.respond(std::move(x));
}

uint64_t engine_service::cookie_hash(const http_request& x) const {
  if (opts_.bind_cookies.empty())
    return 0;
  std::string all;
  auto cookies = x.header("cookie");
  for (const auto& name : opts_.bind_cookies) {
    for (auto rest = cookies; !rest.empty();) {
      auto end = std::min(rest.find(';'), rest.size());
      auto item = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (item.starts_with(' '))
        item.remove_prefix(1);
      if (item.starts_with(name) && item.substr(name.size()).starts_with('='))
        all.append(item) += ';';
    }
  }
  return std::hash<std::string>{}(all) | 1;
}

void engine_service::forget(void* self, session::engine_session& x) {
  auto& me = *static_cast<engine_service*>(self);
  auto i = me.sessions_.find(x.sid());
  if (i == me.sessions_.end())
    return;
  // Whoever called into the session may still be inside it.
  auto last = std::move(i->second);
  me.sessions_.erase(i);
  --me.counters_.sessions;
  me.home_.post([last] {});
}

} // namespace signalbox::net
