#include "transports/net/legacy_service.hpp"

#include "transports/codec/json_scan.hpp"
#include "transports/codec/json_text.hpp"
#include "transports/codec/jsonp.hpp"
#include "transports/codec/uri.hpp"
#include "transports/net/held_post.hpp"
#include "transports/net/htmlfile_connection.hpp"
#include "transports/net/release.hpp"
#include "transports/net/upgrade.hpp"

#include <optional>
#include <utility>

namespace signalbox::net {

namespace {

using codec::dialect;

constexpr auto v09 = static_cast<size_t>(dialect::v09);

constexpr std::string_view websocket = "websocket";
constexpr std::string_view xhr_polling = "xhr-polling";
constexpr std::string_view jsonp_polling = "jsonp-polling";
constexpr std::string_view htmlfile = "htmlfile";

/// The answer to a request with an unknown session id: come by a new
/// handshake.
constexpr std::string_view not_handshaken = "7:::1+0";

/// The handshake, held until the site's verdict has come.
class held_greeting : public session::greeting {
public:
  held_greeting(std::shared_ptr<http_connection> via, poll_style style)
    : via_(std::move(via)), style_(std::move(style)) {
    // nop
  }

  void accept(std::string line) override {
    http_response x;
    if (!style_.call.empty())
      codec::append_script(style_.call, line, x.body);
    else
      x.body = std::move(line);
    respond(std::move(x));
  }

  void refuse(unsigned status, std::string text) override {
    http_response x;
    if (style_.call.empty()) {
      x.status = status;
      x.body = std::move(text);
    } else {
      codec::append_script(style_.call + "new Error(", text, x.body);
      x.body.insert(x.body.size() - 1, ")");
    }
    respond(std::move(x));
  }

private:
  void respond(http_response x) {
    x.headers = std::move(style_.headers);
    x.headers += "cache-control: no-store\r\n";
    if (!style_.call.empty())
      make_script(x);
    std::exchange(via_, nullptr)->respond(std::move(x));
  }

  std::shared_ptr<http_connection> via_;
  poll_style style_;
};

/// Stands in for the session that a WebSocket asked for in vain.
class no_session : public session::carried {
public:
  no_session() : outbox_(1, 1) {
    outbox_.push_control(std::string{not_handshaken});
  }

  void on_text(session::carrier&, std::string_view) override {
    // nop
  }

  void on_binary(session::carrier&, std::string_view) override {
    // nop
  }

  void on_carrier_lost(session::carrier&, session::close_reason) override {
    // nop
  }

  session::outbox& queue() noexcept override {
    return outbox_;
  }

  bool carried_by(const session::carrier&) const noexcept override {
    return true;
  }

private:
  session::outbox outbox_;
};

/// Returns the literal for a transport's name, so that it lives forever.
std::string_view known_transport(std::string_view name) {
  for (auto each : {websocket, xhr_polling, jsonp_polling, htmlfile})
    if (each == name)
      return each;
  return {};
}

} // namespace

/// A session with its state on this floor.
struct legacy_service::entry : session_seat {
  entry(std::string sid, bool implicit, const session::options& opts,
        loop& home, session_table<entry>& owner)
    : session(std::move(sid), implicit, opts, home.wheel(),
              &session_table<entry>::forget, &owner) {
    // nop
  }

  session::legacy_session session;
  uint64_t cookies = 0;
  /// Whether the census knows it.
  bool counted = false;
};

/// The session that a request under way belongs to.
struct legacy_service::exchange {
  std::shared_ptr<entry> owner;
  /// The handshake or poll that is held; a POST if neither is.
  const session::greeting* greeting = nullptr;
  bool polls = false;
  std::weak_ptr<const session::poll> poll;
  /// A POST that is a form, with the payload in a field.
  bool form = false;
};

struct legacy_service::params {
  explicit params(std::string_view query) {
    for (auto& [name, value] : codec::parse_query(query)) {
      if (name == "disconnect")
        disconnect = !value.empty();
      else if (name == "key")
        key = true;
      else if (name == "jsonp" || name == "i")
        script = codec::script_index(value);
    }
  }

  /// The client leaves.
  bool disconnect = false;
  /// The client means to be a publisher.
  bool key = false;
  /// Index of the callback of a request by script tag.
  std::optional<std::string> script;
};

legacy_service::legacy_service(loop& home, const engine_options& opts,
                               const session_ids& ids, session_gate& gate,
                               engine_counters& counters,
                               session::acceptor& accept)
  : home_(home), opts_(opts), ids_(ids), gate_(gate), counters_(counters),
    accept_(accept), sessions_(home, counters) {
  // nop
}

legacy_service::~legacy_service() = default;

// -- requests -----------------------------------------------------------------

bool legacy_service::by_script(const http_request& x,
                               const codec::legacy_path& path) const {
  if (!path.sid.empty())
    return path.transport == jsonp_polling;
  return params{x.query}.script.has_value();
}

size_t legacy_service::on_header(const std::shared_ptr<http_connection>& from,
                                 const codec::legacy_path& path,
                                 bool stopping) {
  const auto& x = from->request();
  if (path.protocol == "0") {
    answer(*from, 200, "Welcome to socket.io.");
    return 0;
  }
  if (path.protocol != "1") {
    answer(*from, 500, "Protocol version not supported.");
    return 0;
  }
  params query{x.query};
  if (!opts_.serves[v09]) {
    tell(opts_, notice::revision_refused, "0.9");
    // Of all refusals the client tells its page this one alone.
    held_greeting{from, style(x, query)}.refuse(
      403, "handshake unsupported: this router does not serve Socket.IO 0.9");
    return 0;
  }
  if (by_script(x, path) && !opts_.jsonp[v09]) {
    answer(*from, 403, "jsonp is off");
    return 0;
  }
  if (path.sid.empty()) {
    if (stopping)
      refuse_while_stopping(*from, opts_);
    else
      open(from, query);
    return 0;
  }
  auto owner = sessions_.find(path.sid);
  if (owner == nullptr && pass_on(*from, path.sid, ids_, opts_))
    return opts_.session.max_payload;
  if (owner != nullptr
      && owner->cookies == hash_cookies(x, opts_.bind_cookies)) {
    owner->use();
    return on_session(from, owner, path, query);
  }
  ++counters_.unknown_sids;
  on_stranger(from, path, query);
  return 0;
}

void legacy_service::open(const std::shared_ptr<http_connection>& from,
                          const params& query) {
  const auto& x = from->request();
  auto hello = make_handshake(*from, opts_, dialect::v09);
  auto made =
    std::make_shared<entry>(ids_.make(home_.index()), opts_.site || query.key,
                            opts_.session, home_, sessions_);
  if (!gate_.admit(*from, *made, refusal_form::text))
    return;
  auto& session = made->session;
  made->cookies = hash_cookies(x, opts_.bind_cookies);
  sessions_.insert(made);
  gate_.expect(*made, session);
  std::string transports;
  auto offer = [&transports](bool on, std::string_view name) {
    if (on)
      transports.append(transports.empty() ? "" : ",").append(name);
  };
  offer(opts_.session.websocket, websocket);
  offer(opts_.session.polling && !opts_.site, htmlfile);
  offer(opts_.session.polling, xhr_polling);
  offer(opts_.session.polling && opts_.jsonp[v09], jsonp_polling);
  auto held = std::make_shared<held_greeting>(from, style(x, query));
  auto under_way = std::make_shared<exchange>();
  under_way->owner = made;
  under_way->greeting = held.get();
  from->context = under_way;
  session.attach(accept_.on_open(session, hello, home_.index()), hello);
  session.open(std::move(held), std::move(transports));
}

/// An unknown session: most likely the router was restarted.
void legacy_service::on_stranger(const std::shared_ptr<http_connection>& from,
                                 const codec::legacy_path& path,
                                 const params& query) {
  const auto& x = from->request();
  if (query.disconnect) {
    answer(*from, 200, {});
  } else if (wants_upgrade(x)) {
    on_upgrade(from, nullptr);
  } else if (x.method == "GET") {
    held_poll{from, style(x, query)}.answer(std::string{not_handshaken}, false);
  } else if (path.transport.empty()) {
    answer(*from, 400, "no transport");
  } else {
    answer(*from, 200, "1");
  }
}

size_t legacy_service::on_session(const std::shared_ptr<http_connection>& from,
                                  const std::shared_ptr<entry>& owner,
                                  const codec::legacy_path& path,
                                  const params& query) {
  const auto& x = from->request();
  auto transport = known_transport(path.transport);
  auto polls = opts_.session.polling && !transport.empty()
               && transport != websocket
               && !(opts_.site && transport == htmlfile);
  auto under_way = std::make_shared<exchange>();
  under_way->owner = owner;
  if (query.disconnect) {
    owner->session.on_disconnect();
    answer(*from, 200, {});
  } else if (transport == websocket && opts_.session.websocket) {
    if (wants_upgrade(x))
      on_upgrade(from, owner);
    else
      answer(*from, 400, "not a WebSocket");
  } else if (!polls) {
    answer(*from, 400, "transport not supported");
  } else if (x.method == "POST") {
    under_way->form = transport == jsonp_polling;
    from->context = under_way;
  } else if (x.method != "GET") {
    answer(*from, 400, "method not supported");
  } else if (transport == htmlfile) {
    on_htmlfile(from, owner);
  } else {
    count(*owner, transport, x);
    auto poll = std::make_shared<held_poll>(from, style(x, query));
    under_way->polls = true;
    under_way->poll = poll;
    from->context = under_way;
    release_with(*from, owner);
    owner->session.on_poll(std::move(poll), transport);
  }
  return opts_.session.max_payload;
}

void legacy_service::on_request(const std::shared_ptr<http_connection>& from) {
  auto x = std::static_pointer_cast<exchange>(from->context);
  if (x == nullptr || x->polls || x->greeting != nullptr)
    return;
  http_response answer;
  answer.headers = cors_headers(from->request(), opts_);
  answer.headers += "X-XSS-Protection: 0\r\n";
  answer.body = "1";
  std::shared_ptr<session::legacy_session> to{x->owner, &x->owner->session};
  auto post = std::make_shared<held_post>(from, to, std::move(answer));
  if (!x->form) {
    to->on_post(from->take_body(), false, std::move(post));
    return;
  }
  // The field is a JSON string of the payload.
  auto literal = codec::form_data(from->request().body);
  if (literal && literal->starts_with('"')
      && codec::scan_json(*literal, {1, 1}))
    to->on_post(codec::unquote_json(*literal), false, std::move(post));
  else
    post->done();
}

void legacy_service::on_abort(http_connection& from) {
  auto x = std::static_pointer_cast<exchange>(from.context);
  if (x == nullptr)
    return;
  if (auto poll = x->poll.lock())
    x->owner->session.on_poll_lost(poll.get());
  else if (x->greeting != nullptr)
    x->owner->session.on_greeting_lost(x->greeting);
}

// -- streams ------------------------------------------------------------------

void legacy_service::on_upgrade(const std::shared_ptr<http_connection>& from,
                                const std::shared_ptr<entry>& owner) {
  const auto& x = from->request();
  auto headers = cors_headers(x, opts_);
  auto verdict = judge_upgrade(x, {opts_.websocket.deflate, true, headers});
  if (verdict.accepted.empty()) {
    refuse_upgrade(*from, verdict.refusal,
                   headers.append(verdict.refusal_headers));
    return;
  }
  if (owner != nullptr)
    count(*owner, websocket, x);
  auto peer = from->admitted_as();
  std::string rest;
  auto io = from->release(rest);
  auto via = std::make_shared<websocket_connection>(
    from->owner(), home_, std::move(io), std::move(peer), opts_.websocket,
    verdict.deflate);
  if (owner == nullptr) {
    via->start(std::make_shared<no_session>(), std::move(verdict.accepted), {});
    via->finish();
    return;
  }
  std::shared_ptr<session::legacy_session> session{owner, &owner->session};
  session->on_carrier(*via, websocket);
  via->start(session, std::move(verdict.accepted), std::move(rest));
}

void legacy_service::on_htmlfile(const std::shared_ptr<http_connection>& from,
                                 const std::shared_ptr<entry>& owner) {
  const auto& x = from->request();
  count(*owner, htmlfile, x);
  auto headers = cors_headers(x, opts_);
  auto peer = from->admitted_as();
  std::string rest;
  auto io = from->release(rest);
  auto via = std::make_shared<htmlfile_connection>(
    from->owner(), home_, std::move(io), std::move(peer),
    opts_.websocket.close_ms);
  std::shared_ptr<session::legacy_session> session{owner, &owner->session};
  session->on_carrier(*via, htmlfile);
  via->start(session, headers);
}

// -- answers ------------------------------------------------------------------

void legacy_service::count(entry& x, std::string_view transport,
                           const http_request& by) {
  if (!std::exchange(x.counted, true) && opts_.census != nullptr)
    opts_.census->note(dialect::v09, transport, by.header("origin"));
}

poll_style legacy_service::style(const http_request& x,
                                 const params& query) const {
  poll_style out;
  out.headers = cors_headers(x, opts_);
  out.compression = opts_.compression;
  if (query.script) {
    out.headers += "X-XSS-Protection: 0\r\n";
    out.call = "io.j[" + *query.script + "](";
  }
  return out;
}

void legacy_service::answer(http_connection& from, unsigned status,
                            std::string body) {
  http_response x;
  x.status = status;
  x.headers = cors_headers(from.request(), opts_);
  x.body = std::move(body);
  from.respond(std::move(x));
}

// -- end ----------------------------------------------------------------------

void legacy_service::collect(
  std::vector<std::weak_ptr<session::session_core>>& to) const {
  sessions_.collect(to);
}

void legacy_service::close_all() {
  sessions_.close_all();
}

} // namespace signalbox::net
