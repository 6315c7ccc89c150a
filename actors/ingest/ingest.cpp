#include "actors/ingest/ingest.hpp"

#include "actors/api/log.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/ingest/answers.hpp"
#include "actors/ingest/api_paths.hpp"
#include "actors/ingest/idempotency.hpp"
#include "actors/ingest/post.hpp"
#include "actors/shard/light_actor.hpp"
#include "transports/codec/encoded.hpp"
#include "transports/codec/json_scan.hpp"
#include "transports/codec/json_split.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace signalbox {

namespace {

constexpr std::string_view events_path = "/api/v1/events";

/// Wrong keys are reported once per so many milliseconds.
constexpr session::time_point report_interval = 1000;

class ingest_impl : public light_actor {
public:
  ingest_impl(caf::actor_config& cfg, shard& at, const settings& opts,
              const credentials& keys, users_actor users,
              std::map<std::string, nsp_actor> nsps, nsp_actor relay,
              std::string id_prefix, counters& count)
    : light_actor(cfg, at), opts_(opts), keys_(keys), users_(std::move(users)),
      nsps_(std::move(nsps)), relay_(std::move(relay)),
      id_prefix_(std::move(id_prefix)), count_(count),
      population_(count, actor_kind::ingest) {
    for (size_t i = 0; i < keys.size(); ++i)
      repeats_.emplace_back(opts.ingest.idempotency_keys,
                            opts.ingest.idempotency_window.count());
  }

  const char* name() const override {
    return "signalbox.ingest";
  }

  /// Asks to be told when a namespace ends.
  void watch() {
    for (const auto& [name, nsp] : nsps_)
      monitor(nsp);
  }

protected:
  void receive(caf::mailbox_element& x) override {
    auto known = dispatch<api_call, publish, routed, confirmed, user_info>(
      x, [this](auto& msg) { on(msg); });
    if (!known)
      unexpected(x);
  }

  void on_down(const caf::down_msg& x) override {
    auto i = std::find_if(nsps_.begin(), nsps_.end(), [&x](const auto& each) {
      return each.second == x.source;
    });
    if (i == nsps_.end())
      return;
    i->second = nullptr;
    // Whoever waits for its answer gets one.
    std::vector<uint64_t> lost;
    for (const auto& [ticket, each] : events_)
      if (each.broadcast_in == i->first)
        lost.push_back(ticket);
    for (auto ticket : lost) {
      routed answer;
      answer.ticket = ticket;
      on(answer);
    }
  }

  void on_end(const caf::error&) override {
    population_.end();
    confirms_.clear();
    users_ = nullptr;
    relay_ = nullptr;
    nsps_.clear();
    answers_.clear();
    commands_.clear();
  }

private:
  /// A command under way.
  struct question {
    transport_actor asker;
    uint64_t ticket = 0;
    user_command asked;
  };

  /// An event whose acks are awaited.
  struct confirm {
    confirm(ingest_impl* self, uint64_t number)
      : owner(self), ticket(number),
        deadline(session::make_timer<&confirm::on_deadline>(this)) {
      // nop
    }

    void on_deadline() {
      owner->finish_confirm(ticket);
    }

    ingest_impl* owner;
    uint64_t ticket;
    session::timer deadline;
    under_way event;
    bool routed = false;
    std::vector<std::string> users;
    std::unordered_set<std::string> delivered;
    std::unordered_set<std::string> offline;
  };

  session::time_point now() {
    return home().home().wheel().now();
  }

  codec::json_limits json_limits() const {
    return {opts_.limits.json_depth, opts_.limits.json_nodes};
  }

  post_limits bounds() const {
    return {opts_.ingest.max_event, opts_.limits.name_bytes,
            opts_.ingest.max_recipients};
  }

  // -- HTTP -------------------------------------------------------------------

  void on(api_call& x) {
    auto key = keys_.find_bearer(x.authorization);
    if (!key) {
      ++count_.bad_keys;
      report("a post without a valid key was refused");
      answer(x, {ec::bad_key, "", ""});
      return;
    }
    codec::json_kind kind{};
    if (!x.body.empty()) {
      auto view = codec::scan_json(x.body, json_limits());
      if (!view) {
        ++count_.events_refused;
        answer(x, {ec::bad_request, "",
                   std::string{"the body is no valid JSON: "}
                     + codec::to_string(view.error())});
        return;
      }
      kind = view->kind;
    }
    if (x.path != events_path) {
      on_command(x, *key);
      return;
    }
    if (x.method != "POST") {
      answer(x, {ec::method_not_allowed, "", ""});
      return;
    }
    auto array = kind == codec::json_kind::array && !x.body.empty();
    auto events = array ? codec::split_array(x.body)
                        : std::vector<std::string_view>{x.body};
    if (events.size() > opts_.ingest.max_batch) {
      ++count_.limit_batch;
      answer(x, {ec::batch_too_large, "", ""});
      return;
    }
    if (events.empty()) {
      caf::anon_send(x.asker, api_answer{x.ticket, 200, "[]"});
      return;
    }
    auto number = answers_.open(x.asker, x.ticket, array, events.size());
    for (size_t i = 0; i < events.size(); ++i) {
      answer_slot slot;
      slot.call = number;
      slot.index = i;
      post event;
      auto no = x.body.empty()
                  ? refusal{ec::bad_request, "", "the body is empty"}
                  : read_post(events[i], bounds(), event);
      if (no)
        refuse(slot, std::move(*no));
      else
        accept(std::move(event), *key, std::move(slot));
    }
  }

  void on_command(api_call& x, size_t key) {
    user_command out;
    auto no = read_command(
      x.method, x.path, x.body,
      {opts_.ingest.max_batch, opts_.limits.name_bytes, opts_.limits.rooms},
      out);
    if (!no && !out.nsp.empty() && !keys_.may_post(key, out.nsp))
      no = refusal{ec::not_allowed, "/namespace", ""};
    if (no) {
      answer(x, *no);
      return;
    }
    out.ticket = ++last_ticket_;
    commands_[out.ticket] = {x.asker, x.ticket, out};
    caf::anon_send(users_, std::move(out));
  }

  void on(user_info& x) {
    auto node = commands_.extract(x.ticket);
    if (node.empty())
      return;
    const auto& [asker, ticket, asked] = node.mapped();
    auto outcome = found_nothing(asked, x) ? ec::not_found : ec::none;
    caf::anon_send(asker, api_answer{ticket, http_status(outcome),
                                     outcome == ec::none
                                       ? describe(asked, x)
                                       : to_json({outcome, "", ""})});
  }

  static void answer(const api_call& to, const refusal& why) {
    caf::anon_send(to.asker,
                   api_answer{to.ticket, http_status(why.code), to_json(why)});
  }

  // -- publishers -------------------------------------------------------------

  void on(publish& x) {
    answer_slot slot;
    slot.publisher = x.asker;
    slot.publisher_ticket = x.ticket;
    post event;
    event.nsp = std::move(x.nsp);
    event.type = std::move(x.type);
    event.payload = std::move(x.payload);
    if (event.payload.size() > opts_.ingest.max_event)
      refuse(slot, {ec::too_large, "", ""});
    else if (event.type.size() > opts_.limits.name_bytes)
      refuse(slot,
             {ec::bad_request, "/type", "a string within limits.name-bytes"});
    else
      accept(std::move(event), x.key, std::move(slot));
  }

  // -- events -----------------------------------------------------------------

  void accept(post event, size_t key, answer_slot slot) {
    target to;
    std::string name;
    if (auto no = check(event, key, to, name)) {
      refuse(slot, std::move(*no));
      return;
    }
    if (!event.key.empty()) {
      if (auto* first = repeats_[key].find(event.key, now())) {
        repeat(*first, std::move(slot));
        return;
      }
    }
    std::vector<std::string> attachments;
    auto args = codec::extract_binary(event_array(event, name), attachments);
    if (!args) {
      refuse(slot,
             {ec::bad_request, "/payload", "a $base64 value is no base64"});
      return;
    }
    if (event.confirm_ms > 0 && confirms_.size() >= opts_.ingest.max_confirms) {
      ++count_.limit_confirms;
      refuse(slot, {ec::too_many_confirms, "/confirm", ""});
      return;
    }
    idempotency::entry* remembered = nullptr;
    if (!event.key.empty()) {
      remembered = repeats_[key].insert(event.key, now());
      if (remembered == nullptr) {
        ++count_.limit_idempotency;
        refuse(slot, {ec::idempotency_full, "/key", ""});
        return;
      }
    }
    ++count_.events_accepted;
    auto ticket = ++last_ticket_;
    under_way x;
    x.slot = std::move(slot);
    x.id = id_prefix_ + std::to_string(++last_id_);
    x.seq = ++sequence_[event.nsp];
    x.key = event.key;
    x.credential = key;
    if (remembered != nullptr) {
      remembered->id = x.id;
      remembered->seq = x.seq;
      count_idempotency();
    }
    auto packet = std::make_shared<const codec::shared_event>(
      event.nsp, std::move(*args), std::move(attachments));
    send(event, to, ticket, std::move(packet), std::move(x));
  }

  std::optional<refusal> check(const post& event, size_t key, target& to,
                               std::string& name) {
    auto nsp = nsps_.find(event.nsp);
    if (nsp == nsps_.end())
      return refusal{ec::invalid_namespace, "/namespace", ""};
    if (!nsp->second)
      return refusal{ec::unavailable, "/namespace",
                     "the namespace has ended; restart the router"};
    if (!keys_.may_post(key, event.nsp))
      return refusal{ec::not_allowed, "/namespace", ""};
    if (event.to && !keys_.at(key).may_target)
      return refusal{ec::not_allowed, "/to", ""};
    return route(event, opts_.rules, bounds(), to, name);
  }

  void send(const post& event, target& to, uint64_t ticket,
            codec::event_ptr packet, under_way x) {
    if (to.what != target::kind::users) {
      x.broadcast_in = event.nsp;
      events_[ticket] = std::move(x);
      broadcast out;
      out.ticket = ticket;
      out.event = std::move(packet);
      if (to.what == target::kind::rooms)
        out.rooms = std::move(to.names);
      out.volatile_ = event.volatile_;
      caf::anon_send(relay_ ? relay_ : nsps_[event.nsp], std::move(out));
      return;
    }
    deliver_users out;
    out.ticket = ticket;
    out.event = std::move(packet);
    out.volatile_ = event.volatile_;
    if (event.confirm_ms > 0) {
      out.confirm = ticket;
      out.confirm_ms = event.confirm_ms;
      auto& c = *(confirms_[ticket] = std::make_unique<confirm>(this, ticket));
      c.users = to.names;
      c.event = std::move(x);
      home().home().wheel().arm(c.deadline, event.confirm_ms);
      count_.confirms_pending = static_cast<int64_t>(confirms_.size());
    } else {
      events_[ticket] = std::move(x);
    }
    out.users = std::move(to.names);
    caf::anon_send(users_, std::move(out));
  }

  void on(routed& x) {
    if (x.online == 0)
      ++count_.events_offline;
    if (auto i = confirms_.find(x.ticket); i != confirms_.end()) {
      auto& c = *i->second;
      c.routed = true;
      c.event.matched = x.matched;
      c.event.online = x.online;
      c.event.unreachable = std::move(x.unreachable);
      c.offline.insert(x.offline.begin(), x.offline.end());
      remember(c.event);
      settle(c);
      return;
    }
    auto i = events_.find(x.ticket);
    if (i == events_.end())
      return;
    auto event = std::move(i->second);
    events_.erase(i);
    event.matched = x.matched;
    event.online = x.online;
    event.unreachable = std::move(x.unreachable);
    remember(event);
    answers_.add(event.slot, describe_event(event) + '}');
  }

  // -- confirms ---------------------------------------------------------------

  void on(confirmed& x) {
    auto i = confirms_.find(x.confirm);
    if (i == confirms_.end())
      return;
    i->second->delivered.insert(x.user);
    settle(*i->second);
  }

  void settle(confirm& x) {
    if (x.routed && x.delivered.size() + x.offline.size() >= x.users.size())
      finish_confirm(x.ticket);
  }

  void finish_confirm(uint64_t ticket) {
    auto node = confirms_.extract(ticket);
    if (node.empty())
      return;
    auto& x = *node.mapped();
    // Numbers that come later find nobody; repeats must not wait for them.
    if (!x.routed)
      remember(x.event);
    auto json = describe_event(x.event) + ",\"confirmed\":{";
    for (const auto& user : x.users) {
      if (json.back() != '{')
        json += ',';
      codec::quote_json(user, json);
      json += x.delivered.count(user) > 0 ? ":\"delivered\""
              : x.offline.count(user) > 0 ? ":\"offline\""
                                          : ":\"timed_out\"";
    }
    answers_.add(x.event.slot, json + "}}");
    count_.confirms_pending = static_cast<int64_t>(confirms_.size());
  }

  // -- repeats ----------------------------------------------------------------

  void repeat(idempotency::entry& first, answer_slot slot) {
    ++count_.events_duplicate;
    if (!first.done) {
      auto ticket = ++last_ticket_;
      first.waiting.push_back(ticket);
      auto& x = events_[ticket];
      x.slot = std::move(slot);
      return;
    }
    under_way x;
    x.slot = std::move(slot);
    answer_repeat(first, x);
  }

  void answer_repeat(const idempotency::entry& first, under_way& x) {
    x.id = first.id;
    x.seq = first.seq;
    x.dup = true;
    x.matched = first.matched;
    x.online = first.online;
    answers_.add(x.slot, describe_event(x) + '}');
  }

  void remember(const under_way& x) {
    if (x.key.empty())
      return;
    auto* first = repeats_[x.credential].find(x.key, now());
    if (first == nullptr || first->id != x.id)
      return;
    first->done = true;
    first->matched = x.matched;
    first->online = x.online;
    for (auto ticket : std::exchange(first->waiting, {})) {
      auto node = events_.extract(ticket);
      if (!node.empty())
        answer_repeat(*first, node.mapped());
    }
  }

  void count_idempotency() {
    size_t n = 0;
    for (const auto& each : repeats_)
      n += each.size();
    count_.idempotency_keys = static_cast<int64_t>(n);
  }

  // -- refusals ---------------------------------------------------------------

  void refuse(const answer_slot& to, refusal why) {
    ++count_.events_refused;
    if (why.code == ec::too_large)
      ++count_.limit_event_size;
    if (answers_.is_batch(to.call))
      why.pointer = "/" + std::to_string(to.index) + why.pointer;
    answers_.add(to, to_json(why), http_status(why.code));
  }

  void report(std::string_view what) {
    if (now() - reported_ < report_interval && reported_ != 0)
      return;
    reported_ = now();
    spdlog::warn("{}; see ingest.keys", what);
  }

  const settings& opts_;
  const credentials& keys_;
  users_actor users_;
  std::map<std::string, nsp_actor> nsps_;
  /// Takes all broadcasts in the place of the namespaces, in a cluster.
  nsp_actor relay_;
  std::string id_prefix_;
  counters& count_;
  population population_;
  std::vector<idempotency> repeats_;
  std::unordered_map<std::string, uint64_t> sequence_;
  answers answers_;
  std::unordered_map<uint64_t, question> commands_;
  std::unordered_map<uint64_t, under_way> events_;
  std::unordered_map<uint64_t, std::unique_ptr<confirm>> confirms_;
  uint64_t last_ticket_ = 0;
  uint64_t last_id_ = 0;
  session::time_point reported_ = 0;
};

} // namespace

ingest_actor spawn_ingest(shard& home, const settings& opts,
                          const credentials& keys, users_actor users,
                          std::map<std::string, nsp_actor> nsps,
                          nsp_actor relay, std::string id_prefix,
                          counters& count) {
  auto [handle, self] = spawn_light<ingest_impl, ingest_actor>(
    home, opts, keys, std::move(users), std::move(nsps), std::move(relay),
    std::move(id_prefix), count);
  self->watch();
  return handle;
}

} // namespace signalbox
