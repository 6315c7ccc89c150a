#include "actors/site_auth/site_auth.hpp"

#include "actors/api/log.hpp"
#include "actors/api/stamp.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/shard/light_actor.hpp"
#include "actors/site_auth/forwarded.hpp"
#include "actors/site_auth/verdict.hpp"
#include "actors/site_auth/verdict_cache.hpp"
#include "transports/codec/json_scan.hpp"
#include "transports/codec/json_text.hpp"
#include "transports/codec/uri.hpp"
#include "transports/log/line_limit.hpp"
#include "transports/net/call_queue.hpp"
#include "transports/net/digest.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <unordered_map>

namespace signalbox {

namespace {

/// Most cached verdicts; the oldest makes room.
constexpr size_t cache_size = 100000;

/// A User-Agent is cut to this many bytes.
constexpr size_t header_bytes = 512;

class site_auth_impl : public light_actor {
public:
  site_auth_impl(caf::actor_config& cfg, shard& at, const settings& opts,
                 std::shared_ptr<net::tls_context> tls,
                 connect_report& decisions, counters& count)
    : light_actor(cfg, at), opts_(opts), count_(count), decisions_(decisions),
      population_(count, actor_kind::site_auth),
      client_(std::make_unique<net::http_client>(
        at.home(),
        net::http_client::options{opts.site.connect_timeout, opts.site.timeout,
                                  opts.site.keep_alive, opts.site.concurrency,
                                  opts.site.max_reply},
        std::move(tls))),
      calls_(std::make_unique<net::call_queue>(
        at.home(), *client_,
        net::call_queue::options{opts.site.concurrency, opts.site.queue,
                                 opts.site.queue_timeout})) {
    if (auto x = codec::parse_site_url(opts.site.auth_url))
      auth_url_ = *x;
    if (auto x = codec::parse_site_url(opts.site.event_url))
      event_url_ = *x;
  }

  const char* name() const override {
    return "signalbox.site_auth";
  }

protected:
  void receive(caf::mailbox_element& x) override {
    auto known =
      dispatch<authenticate, forward_event>(x, [this](auto& msg) { on(msg); });
    if (!known)
      unexpected(x);
    count_calls();
  }

  void on_end(const caf::error&) override {
    population_.end();
    calls_.reset();
    client_.reset();
    questions_.clear();
    latest_.clear();
    cache_.clear();
    expiry_.cancel();
  }

private:
  using header_list = std::vector<std::pair<std::string, std::string>>;

  struct waiter {
    connection_actor who;
    uint64_t ticket = 0;
  };

  /// A question under way, and the askers that share its answer.
  struct question {
    std::string key;
    std::vector<waiter> waiters;
    /// Namespace and handshake of the first of them.
    std::string nsp;
    std::shared_ptr<const session::handshake> from;
    /// Where it waits.
    uint64_t call = 0;
  };

  /// After every message and every reply.
  void count_calls() {
    count_.site_calls_active = static_cast<int64_t>(client_->active());
    count_.site_calls_waiting = static_cast<int64_t>(calls_->waiting());
    count_.site_calls_full = calls_->dropped().full;
    count_.site_calls_late = calls_->dropped().late;
  }

  void on(authenticate& x) {
    if (auth_url_.host.empty()) {
      report("site.auth-url is not set, so no browser can enter " + x.nsp);
      tell(x.nsp, *x.from, ec::unavailable,
           [] { return "site.auth-url is not set"; });
      reply({x.asker, x.ticket}, verdict{});
      return;
    }
    auto headers = headers_for(x);
    // Everything the verdict can depend on, unambiguously joined.
    std::string key;
    for (const auto& [name, value] : headers)
      key.append(1, '\0').append(name).append(1, '\0').append(value);
    key = net::sha256(key);
    const auto* known = cache_.find(key, home().home().wheel().now());
    if (known != nullptr && known->asked >= x.not_before) {
      ++count_.auth_cached;
      tell(x.nsp, *x.from, known->outcome,
           [] { return "the site said so before"; });
      reply({x.asker, x.ticket}, *known);
      return;
    }
    auto& latest = latest_[key];
    if (latest != 0 && latest >= x.not_before) {
      ++count_.auth_shared;
      auto& same = questions_.at(latest);
      same.waiters.push_back({std::move(x.asker), x.ticket});
      calls_->share(same.call, origin_of(*x.from));
      return;
    }
    latest = next_stamp();
    ask(latest,
        {std::move(key), {{std::move(x.asker), x.ticket}}, x.nsp, x.from, 0},
        std::move(headers), origin_of(*x.from));
  }

  /// Returns whose turn a call waits for.
  static net::call_origin origin_of(const session::handshake& x) {
    return {net::ip_address::parse(x.address()).value_or(net::ip_address{}),
            x.connection()};
  }

  void ask(uint64_t stamp, question x, header_list headers,
           const net::call_origin& from) {
    auto& fresh = questions_.emplace(stamp, std::move(x)).first->second;
    ++count_.auth_calls;
    net::client_request call;
    call.url = auth_url_;
    call.headers = std::move(headers);
    call.headers.emplace_back("Accept", "application/json");
    fresh.call = calls_->call(std::move(call), net::call_kind::question, from,
                              [this, stamp](net::client_reply answer) {
                                attempt([&] {
                                  count_calls();
                                  on_verdict(stamp, answer);
                                });
                              });
  }

  void on_verdict(uint64_t stamp, const net::client_reply& x) {
    auto node = questions_.extract(stamp);
    if (node.empty())
      return;
    const auto& [key, waiters, nsp, from, call] = node.mapped();
    // A newer question may have been asked since, and answered before.
    auto latest = latest_.find(key);
    auto is_latest = latest != latest_.end() && latest->second == stamp;
    if (is_latest)
      latest_.erase(latest);
    std::string why;
    auto answer =
      read_verdict(x, {opts_.limits.name_bytes, opts_.limits.rooms}, why);
    answer.asked = stamp;
    tell(nsp, *from, answer.outcome, [&] {
      return why.empty()
               ? "the site answered with status " + std::to_string(x.status)
               : why;
    });
    if (answer.outcome == ec::unavailable) {
      ++count_.auth_failures;
      report("cannot ask " + codec::hide_user_info(opts_.site.auth_url) + ": "
             + why);
    }
    auto ttl = opts_.site_auth.cache_ttl.count();
    if (is_latest && ttl > 0) {
      if (answer.outcome == ec::none)
        cache_.add(key, answer, home().home().wheel().now() + ttl);
      else if (answer.outcome == ec::unauthorized)
        cache_.remove(key);
      expire();
    }
    for (const auto& each : waiters)
      reply(each, answer);
  }

  /// Drops cached verdicts whose time is over.
  void expire() {
    auto& wheel = home().home().wheel();
    if (auto next = cache_.expire(wheel.now()); next > 0)
      wheel.arm(expiry_, next - wheel.now());
  }

  void reply(const waiter& to, verdict x) {
    x.ticket = to.ticket;
    caf::anon_send(to.who, std::move(x));
  }

  /// The headers of the question that are not the same for all: those
  /// forwarded, and our own.
  header_list headers_for(const authenticate& x) const {
    header_list out;
    out.reserve(opts_.site.headers.size() + 8);
    auto cookies = wanted_cookies(x.from->header("cookie"));
    if (!cookies.empty())
      out.emplace_back("Cookie", std::move(cookies));
    for (const auto& each : opts_.site.headers) {
      auto value = x.from->header(each);
      if (!value.empty())
        out.emplace_back(each, value.substr(0, header_bytes));
    }
    add_origin(*x.from, out);
    out.emplace_back("X-Signalbox-Namespace", x.nsp);
    if (!x.auth.empty()) {
      std::string ascii;
      codec::ascii_json(x.auth, ascii);
      out.emplace_back("X-Signalbox-Auth", std::move(ascii));
    }
    return out;
  }

  void add_origin(const session::handshake& from, header_list& headers) const {
    add_forwarded(opts_.site.forwarded,
                  {from.address(), from.host(), from.secure()}, headers);
  }

  std::string wanted_cookies(std::string_view all) const {
    const auto& wanted = opts_.site.cookies;
    if (wanted.empty())
      return std::string{all};
    std::string out;
    while (!all.empty()) {
      auto end = std::min(all.find(';'), all.size());
      auto item = all.substr(0, end);
      all.remove_prefix(std::min(end + 1, all.size()));
      while (item.starts_with(' '))
        item.remove_prefix(1);
      auto name = item.substr(0, item.find('='));
      if (std::find(wanted.begin(), wanted.end(), name) == wanted.end())
        continue;
      if (!out.empty())
        out += "; ";
      out += item;
    }
    return out;
  }

  void on(forward_event& x) {
    auto fail = [&x](ec why) {
      event_forwarded answer;
      answer.ticket = x.ticket;
      answer.outcome = why;
      caf::anon_send(x.asker, std::move(answer));
    };
    if (event_url_.host.empty()) {
      report("site.event-url is not set, so events of browsers go nowhere");
      fail(ec::site_failed);
      return;
    }
    auto parts = codec::scan_json(
      x.args, {opts_.limits.json_depth, opts_.limits.json_nodes});
    if (!parts || parts->elements.empty()) {
      fail(ec::bad_request);
      return;
    }
    net::client_request call;
    call.method = "POST";
    call.url = event_url_;
    call.headers = {{"Content-Type", "application/json"},
                    {"Accept", "application/json"}};
    if (x.from != nullptr)
      add_origin(*x.from, call.headers);
    call.body = "{\"user\":";
    if (x.user.empty())
      call.body += "null";
    else
      codec::quote_json(x.user, call.body);
    call.body += ",\"namespace\":";
    codec::quote_json(x.nsp, call.body);
    call.body += ",\"event\":";
    call.body += parts->elements[0];
    call.body += ",\"args\":[";
    for (size_t i = 1; i < parts->elements.size(); ++i) {
      if (i > 1)
        call.body += ',';
      call.body += parts->elements[i];
    }
    call.body += x.ack ? "],\"ack\":true}" : "],\"ack\":false}";
    auto from = x.from ? origin_of(*x.from) : net::call_origin{};
    calls_->call(
      std::move(call), net::call_kind::event, from,
      [this, who = x.asker, ticket = x.ticket](net::client_reply reply) {
        attempt([&] { on_forwarded(who, ticket, reply); });
      });
  }

  /// Reports what the site said of a client; `said` makes the words.
  template <class Said>
  void tell(const std::string& nsp, const session::handshake& from, ec outcome,
            Said said) {
    if (!connect_report::tells(outcome))
      return;
    auto anonymous = std::any_of(
      opts_.namespaces.begin(), opts_.namespaces.end(),
      [&nsp](const auto& x) { return x.anonymous && x.name == nsp; });
    if (outcome == ec::unauthorized && anonymous)
      return;
    decisions_.asked(nsp, from, outcome, [&] {
      connect_report::answer out;
      if (outcome != ec::none)
        out.said.append(to_string(outcome)).append(", ");
      out.said += said();
      out.forwarded = wanted_cookies(from.header("cookie"));
      return out;
    });
  }

  void on_forwarded(const connection_actor& who, uint64_t ticket,
                    const net::client_reply& reply) {
    count_calls();
    std::string why;
    auto answer = read_event_reply(reply, why);
    answer.ticket = ticket;
    if (answer.outcome != ec::none) {
      ++count_.forward_failures;
      report("cannot forward to " + codec::hide_user_info(opts_.site.event_url)
             + ": " + why);
    }
    caf::anon_send(who, std::move(answer));
  }

  /// Logs a problem with the site, but not for each of a thousand clients.
  void report(const std::string& what) {
    if (auto turn = log_turn(log_cause::site))
      spdlog::warn("{}{}", printable(what), *turn);
  }

  const settings& opts_;
  counters& count_;
  connect_report& decisions_;
  population population_;
  std::unique_ptr<net::http_client> client_;
  /// Both kinds of call wait here.
  std::unique_ptr<net::call_queue> calls_;
  codec::url auth_url_;
  codec::url event_url_;
  /// By stamp.
  std::unordered_map<uint64_t, question> questions_;
  /// The question that newcomers share, by key.
  std::unordered_map<std::string, uint64_t> latest_;
  verdict_cache cache_{cache_size};
  session::timer expiry_{make_actor_timer<&site_auth_impl::expire>(this)};
};

} // namespace

site_auth_actor spawn_site_auth(shard& home, const settings& opts,
                                std::shared_ptr<net::tls_context> tls,
                                connect_report& report, counters& count) {
  return spawn_light<site_auth_impl, site_auth_actor>(
           home, opts, std::move(tls), report, count)
    .first;
}

} // namespace signalbox
