#include "transports/net/engine_service.hpp"

#include "transports/codec/jsonp.hpp"
#include "transports/net/held_post.hpp"
#include "transports/net/legacy_service.hpp"
#include "transports/net/page_gate.hpp"
#include "transports/net/release.hpp"
#include "transports/net/tunnel.hpp"
#include "transports/net/upgrade.hpp"

#include <algorithm>
#include <functional>

namespace signalbox::net {

namespace {

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

/// A client that has polled so often will not ask for a WebSocket, and so many
/// in a row are no chance.
constexpr uint8_t settled = 5;
constexpr uint32_t many_polling = 20;

constexpr std::string_view no_store = "cache-control: no-store\r\n";

/// The answer to a post of events where browsers connect.
constexpr std::string_view wrong_listener =
  R"({"ok":false,"error":{"message":"this listener is for browsers; )"
  R"(the API that takes events is at listen.ingest"}})";

constexpr std::string_view octets = "application/octet-stream";

} // namespace

/// A session with its state on this floor.
struct engine_service::entry : session_seat {
  entry(std::string sid, const engine::revision& speaks,
        const session::options& opts, loop& home, session_table<entry>& owner)
    : session(std::move(sid), speaks, opts, home.wheel(),
              &session_table<entry>::forget, &owner) {
    // nop
  }

  session::engine_session session;
  uint64_t cookies = 0;
  uint8_t polls = 0;
  std::weak_ptr<http_connection> poster;
};

/// The session that a request under way belongs to.
struct engine_service::exchange {
  std::shared_ptr<entry> owner;
  /// A GET, and its poll as long as it is not answered.
  bool polls = false;
  std::weak_ptr<const session::poll> poll;
  /// A POST that is a form, with the payload in a field.
  bool form = false;
};

engine_service::engine_service(loop& home, const engine_options& opts,
                               const session_ids& ids,
                               const origin_policy& origins,
                               const client_files& files,
                               engine_counters& counters,
                               session::acceptor& accept)
  : home_(home), opts_(opts), ids_(ids), origins_(origins), files_(files),
    counters_(counters), accept_(accept), drain_(home), gate_(opts, counters),
    sessions_(home, counters), legacy_(std::make_unique<legacy_service>(
                                 home, opts, ids, gate_, counters, accept)) {
  // nop
}

engine_service::~engine_service() = default;

// -- requests -----------------------------------------------------------------

/// Returns the path below the prefix; nothing elsewhere.
std::optional<std::string_view>
engine_service::below(const http_request& x) const {
  const std::string_view prefix = opts_.path;
  if (x.path.starts_with(prefix))
    return x.path.substr(prefix.size());
  // Some clients and proxies leave the last slash out.
  if (x.path == prefix.substr(0, prefix.size() - 1))
    return std::string_view{};
  return {};
}

std::optional<codec::legacy_path>
engine_service::legacy_path(const http_request& x) const {
  auto rest = below(x);
  return rest ? codec::parse_legacy_path(*rest) : std::nullopt;
}

size_t engine_service::on_header(const std::shared_ptr<http_connection>& from) {
  const auto& x = from->request();
  auto upgrade = wants_upgrade(x);
  auto rest = below(x);
  if (!rest) {
    if (x.path.starts_with("/api/") && !opts_.site)
      answer(*from, 404, std::string{wrong_listener}, "application/json");
    else
      answer(*from, 404, {}, "text/plain; charset=UTF-8");
    return 0;
  }
  if ((x.method == "GET" || x.method == "HEAD") && !opts_.site) {
    if (auto file = files_.find(*rest, x)) {
      file->headers += cors_headers(x, opts_);
      from->respond(std::move(*file));
      return 0;
    }
    if (client_files::is_build(*rest))
      tell(opts_, notice::no_client_files, x.path);
  }
  auto legacy = legacy_path(x);
  engine_query query{x.query, opts_};
  auto script = legacy ? legacy_->by_script(x, *legacy)
                       : query.script && query.transport == "polling";
  if (!admit_page(*from, origins_, opts_, counters_,
                  {script, upgrade, legacy.has_value()}))
    return 0;
  if (x.method == "OPTIONS" && !x.header("origin").empty() && !opts_.site) {
    from->respond(origin_policy::preflight(x));
    return 0;
  }
  if (legacy)
    return legacy_->on_header(from, *legacy, stopping_);
  if (query.transport == "websocket" && !upgrade)
    tell(opts_, notice::no_upgrade, x.address);
  auto polling = query.transport == "polling" && opts_.session.polling;
  auto websocket = query.transport == "websocket" && opts_.session.websocket;
  if (!polling && !websocket) {
    answer_error(*from, transport_unknown, upgrade && opts_.session.websocket);
    return 0;
  }
  auto served =
    query.speaks && opts_.serves[static_cast<size_t>(*query.speaks)];
  if (query.sid.empty()) {
    if (x.method != "GET")
      answer_error(*from, bad_method, upgrade);
    else if (websocket && !upgrade)
      answer_error(*from, bad_request, false);
    else if (!served)
      refuse_revision(*from, query, upgrade);
    else if (script && !opts_.jsonp[static_cast<size_t>(*query.speaks)])
      answer_error(*from, bad_request, false);
    else
      open(from, query, upgrade);
    return 0;
  }
  // An id that is known here needs no proof.
  auto owner = sessions_.find(query.sid);
  if (owner == nullptr && pass_on(*from, query.sid, ids_, opts_))
    return opts_.session.max_payload;
  if (owner == nullptr || owner->cookies != hash_cookies(x, opts_.bind_cookies)
      || owner->session.expire(home_.now())) {
    ++counters_.unknown_sids;
    answer_error(*from, sid_unknown, upgrade);
    return 0;
  }
  owner->use();
  owner->session.catch_up();
  if (sessions_.find(query.sid) != owner) {
    ++counters_.unknown_sids;
    answer_error(*from, sid_unknown, upgrade);
    return 0;
  }
  auto dialect = owner->session.speaks().dialect();
  if (!query.says(dialect)
      || (script && !opts_.jsonp[static_cast<size_t>(dialect)]))
    answer_error(*from, bad_request, upgrade);
  else if (upgrade)
    on_upgrade(from, query);
  else if (!polling || owner->session.on_socket())
    answer_error(*from, bad_request, false);
  else
    on_session(from, owner, query);
  return opts_.session.max_payload;
}

void engine_service::refuse_revision(http_connection& from,
                                     const engine_query& query, bool upgrade) {
  tell(opts_,
       query.eio.empty() ? notice::revision_missing : notice::revision_refused,
       query.eio);
  answer_error(from, bad_version, upgrade);
}

/// Counts clients that go on polling, which a proxy may force on them.
void engine_service::note_poll(entry& x, const http_connection& from) {
  if (!opts_.session.websocket || x.polls == settled || ++x.polls < settled)
    return;
  if (++counters_.stayed_polling % many_polling == 0)
    tell(opts_, notice::never_upgraded, from.request().address);
}

/// A GET or a POST of a polling session.
void engine_service::on_session(const std::shared_ptr<http_connection>& from,
                                const std::shared_ptr<entry>& owner,
                                const engine_query& query) {
  const auto& x = from->request();
  auto under_way = std::make_shared<exchange>();
  under_way->owner = owner;
  if (x.method == "GET") {
    // A poll is held before its body would be read, so it must have none.
    auto length = x.header("content-length");
    if ((!length.empty() && length.find_first_not_of('0') != length.npos)
        || !x.header("transfer-encoding").empty()) {
      answer_error(*from, bad_request, false);
      return;
    }
    auto poll = std::make_shared<held_poll>(from, style(x, query));
    under_way->polls = true;
    under_way->poll = poll;
    if (!query.script)
      note_poll(*owner, *from);
    from->context = under_way;
    release_with(*from, owner);
    owner->session.on_poll(std::move(poll));
    return;
  }
  if (x.method != "POST") {
    answer(*from, 500, {}, "text/plain; charset=UTF-8");
    return;
  }
  if (x.header("content-type") == octets
      && !owner->session.speaks().takes_binary_payloads()) {
    owner->session.on_post_lost();
    answer(*from, 400, {}, "text/plain; charset=UTF-8");
    return;
  }
  if (!owner->session.on_post_begin()) {
    if (auto first = owner->poster.lock())
      first->abort();
    answer(*from, 400, {}, "text/plain; charset=UTF-8");
    return;
  }
  owner->poster = from;
  under_way->form = query.script.has_value();
  from->context = under_way;
}

void engine_service::on_request(const std::shared_ptr<http_connection>& from) {
  if (from->away != nullptr) {
    opts_.away->open(from);
    return;
  }
  auto under_way = std::static_pointer_cast<exchange>(from->context);
  if (legacy_path(from->request())) {
    legacy_->on_request(from);
    return;
  }
  // A GET has been taken by its session already.
  if (under_way == nullptr || under_way->polls)
    return;
  const auto& x = from->request();
  std::shared_ptr<session::engine_session> to{under_way->owner,
                                              &under_way->owner->session};
  auto post = std::make_shared<held_post>(
    from, to, make_answer(x, 200, "ok", "text/html"));
  if (!under_way->form)
    return to->on_post(from->take_body(), x.header("content-type") == octets,
                       std::move(post));
  if (auto data = codec::form_data(x.body))
    return to->on_post(codec::restore_newlines(*data), false, std::move(post));
  to->on_post_refused();
  post->done();
}

void engine_service::on_too_large(http_connection& from) {
  if (from.away != nullptr || legacy_path(from.request()))
    return;
  if (auto x = std::static_pointer_cast<exchange>(from.context))
    x->owner->session.on_post_refused();
}

void engine_service::on_abort(http_connection& from) {
  if (from.away != nullptr)
    return;
  if (legacy_path(from.request())) {
    legacy_->on_abort(from);
    return;
  }
  auto x = std::static_pointer_cast<exchange>(from.context);
  if (x == nullptr)
    return;
  if (!x->polls)
    x->owner->session.on_post_lost();
  else if (auto poll = x->poll.lock())
    x->owner->session.on_poll_lost(poll.get());
}

std::string engine_service::error_headers(const http_request& x) {
  return origins_.admits(x) ? cors_headers(x, opts_) : std::string{};
}

// -- opening ------------------------------------------------------------------

/// Makes a session. Returns null if the request has been refused.
std::shared_ptr<engine_service::entry>
engine_service::insert(http_connection& by, const engine_query& query,
                       refusal_form form) {
  const auto& x = by.request();
  const auto& speaks = engine::find_revision(
    *query.speaks, query.base64 || query.script.has_value());
  auto from = make_handshake(by, opts_, speaks.dialect());
  if (query.eio.empty())
    tell(opts_, notice::revision_assumed, x.address);
  auto y = std::make_shared<entry>(ids_.make(home_.index()), speaks,
                                   opts_.session, home_, sessions_);
  if (!gate_.admit(by, *y, form))
    return nullptr;
  y->cookies = hash_cookies(x, opts_.bind_cookies);
  y->session.attach(accept_.on_open(y->session, from, home_.index()), from);
  sessions_.insert(y);
  if (opts_.census != nullptr)
    opts_.census->note(speaks.dialect(),
                       query.script ? "jsonp" : query.transport,
                       x.header("origin"));
  return y;
}

poll_style engine_service::style(const http_request& x,
                                 const engine_query& query) const {
  poll_style out;
  out.headers = cors_headers(x, opts_);
  out.compression = opts_.compression;
  if (query.script)
    out.call = "___eio[" + *query.script + "](";
  return out;
}

void engine_service::open(const std::shared_ptr<http_connection>& from,
                          const engine_query& query, bool upgrade) {
  if (stopping_) {
    refuse_while_stopping(*from, opts_);
    return;
  }
  if (upgrade)
    return on_upgrade(from, query);
  auto x = insert(*from, query, refusal_form::json);
  if (x == nullptr)
    return;
  gate_.expect(*x, x->session);
  x->session.open_polling();
  x->session.on_poll(
    std::make_shared<held_poll>(from, style(from->request(), query)));
}

void engine_service::on_upgrade(const std::shared_ptr<http_connection>& from,
                                const engine_query& query) {
  const auto& x = from->request();
  auto headers = cors_headers(x, opts_);
  auto verdict = judge_upgrade(
    x, {opts_.websocket.deflate, !query.says(codec::dialect::eio4), headers});
  if (verdict.accepted.empty()) {
    refuse_upgrade(*from, verdict.refusal,
                   headers.append(verdict.refusal_headers));
    return;
  }
  auto polling = query.transport == "polling";
  std::shared_ptr<entry> owner;
  if (!query.sid.empty())
    owner = sessions_.find(query.sid);
  else if (!polling)
    owner = insert(*from, query, refusal_form::upgrade);
  if (owner == nullptr && !polling)
    return;
  auto peer = from->admitted_as();
  std::string rest;
  auto io = from->release(rest);
  auto& listener = from->owner();
  auto via = std::make_shared<websocket_connection>(
    listener, home_, std::move(io), std::move(peer), opts_.websocket,
    verdict.deflate);
  // transport=polling on an upgrade: accepted and dropped at once.
  if (owner == nullptr)
    return;
  counters_.stayed_polling = 0;
  std::shared_ptr<session::engine_session> session{owner, &owner->session};
  if (query.sid.empty()) {
    session->open_websocket(*via);
  } else if (polling || !session->on_probe(*via)) {
    ++counters_.probes_refused;
    via->start(session, std::move(verdict.accepted), {});
    via->finish();
    return;
  }
  via->start(session, std::move(verdict.accepted), std::move(rest));
}

// -- end ----------------------------------------------------------------------

void engine_service::drain(int64_t spread_ms) {
  stopping_ = true;
  session_list all;
  collect(all);
  auto count = all.size();
  drain_.start(count, spread_ms, [all = std::move(all)](size_t i) {
    if (auto each = all[i].lock())
      each->close(session::close_reason::shutdown);
  });
}

void engine_service::collect(session_list& to) const {
  sessions_.collect(to);
  legacy_->collect(to);
}

void engine_service::close_all() {
  stopping_ = true;
  drain_.cancel();
  sessions_.close_all();
  legacy_->close_all();
}

// -- answers ------------------------------------------------------------------

void engine_service::answer_error(http_connection& from, int code, bool raw) {
  http_response x;
  x.status = 400;
  x.headers = cors_headers(from.request(), opts_);
  if (raw) {
    x.content_type = "text/html";
    x.body = error_texts[code];
    x.close = true;
  } else {
    x.content_type = "application/json";
    x.body = "{\"code\":" + std::to_string(code) + ",\"message\":\"";
    x.body.append(error_texts[code]).append("\"}");
  }
  from.respond(std::move(x));
}

http_response engine_service::make_answer(const http_request& to,
                                          unsigned status, std::string body,
                                          std::string_view type) const {
  http_response x;
  x.status = status;
  x.body = std::move(body);
  x.content_type = type;
  x.headers = cors_headers(to, opts_).append(no_store);
  return x;
}

void engine_service::answer(http_connection& from, unsigned status,
                            std::string body, std::string_view type) {
  from.respond(make_answer(from.request(), status, std::move(body), type));
}

} // namespace signalbox::net
