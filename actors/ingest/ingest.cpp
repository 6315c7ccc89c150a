#include "actors/ingest/ingest.hpp"

#include "actors/api/log.hpp"
#include "actors/api/ring.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/ingest/answers.hpp"
#include "actors/ingest/api_paths.hpp"
#include "actors/ingest/confirms.hpp"
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

namespace signalbox {

namespace {

constexpr std::string_view events_path = "/api/v1/events";

/// Wrong keys are reported once per so many milliseconds.
constexpr session::time_point report_interval = 1000;

class ingest_impl : public light_actor {
public:
  ingest_impl(caf::actor_config& cfg, shard& at, const settings& opts,
              const credentials& keys, users_actor users,
              std::map<std::string, nsp_actor> nsps, relay_actor relay,
              std::string id_prefix, counters& count)
    : light_actor(cfg, at), opts_(opts), keys_(keys), users_(std::move(users)),
      nsps_(std::move(nsps)), relay_(std::move(relay)),
      id_prefix_(std::move(id_prefix)), count_(count),
      population_(count, actor_kind::ingest),
      confirms_(at.home().wheel(),
                [this](auto& event, bool is_routed, const auto& outcome) {
                  on_confirm_over(event, is_routed, outcome);
                }) {
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
    auto known =
      dispatch<api_call, publish, routed, confirmed, user_info, wire::claim,
               wire::claim_settled>(x, [this](auto& msg) { on(msg); });
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
    events_.clear();
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
    ++last_id_;
    // Where another node may take the same event, it gets the same id.
    x.id = relay_ && !event.key.empty()
             ? stable_id(keys_.at(key).name + '\n' + event.key)
             : id_prefix_ + std::to_string(last_id_);
    x.seq = ++sequence_[event.nsp];
    x.key = event.key;
    x.credential = key;
    if (remembered != nullptr) {
      remembered->id = x.id;
      remembered->seq = x.seq;
      remembered->node = static_cast<uint16_t>(opts_.router.node);
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
      out.claim = describe_key(events_[ticket]);
      if (relay_)
        caf::anon_send(relay_, std::move(out));
      else
        caf::anon_send(nsps_[event.nsp], std::move(out));
      return;
    }
    deliver_users out;
    out.ticket = ticket;
    out.event = std::move(packet);
    out.volatile_ = event.volatile_;
    out.claim = describe_key(x);
    if (event.confirm_ms > 0) {
      out.confirm = ticket;
      out.confirm_ms = event.confirm_ms;
      confirms_.open(ticket, std::move(x), to.names, event.confirm_ms);
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
    auto* awaited = confirms_.find(x.ticket);
    auto final_ = x.dup || x.outcome != ec::none;
    if (awaited != nullptr && !final_) {
      note(*awaited, x);
      remember(*awaited);
      confirms_.on_routed(x);
      return;
    }
    std::optional<under_way> event = confirms_.take(x.ticket);
    if (auto node = events_.extract(x.ticket); !node.empty())
      event = std::move(node.mapped());
    if (!event)
      return;
    note(*event, x);
    if (x.outcome != ec::none) {
      ++count_.limit_idempotency;
      refuse(event->slot, {x.outcome, "/key", ""});
      return;
    }
    remember(*event);
    answers_.add(event->slot, describe_event(*event) + '}');
  }

  static void note(under_way& event, routed& x) {
    event.matched = x.matched;
    event.online = x.online;
    event.unreachable = std::move(x.unreachable);
    event.dup = x.dup;
    if (x.dup)
      event.seq = x.seq;
  }

  void on(confirmed& x) {
    confirms_.on_confirmed(x);
  }

  void on_confirm_over(under_way& event, bool is_routed,
                       const std::string& outcome) {
    // Numbers that come later find nobody; repeats must not wait for them.
    if (!is_routed)
      remember(event);
    answers_.add(event.slot, describe_event(event) + outcome + '}');
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
    if (x.slot.claim != 0)
      caf::anon_send(x.slot.relay,
                     wire::claimed{0, x.slot.claim, ec::none, true, x.id, x.seq,
                                   x.matched, x.online});
    else
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
    if (relay_ && !x.dup)
      caf::anon_send(
        relay_, wire::claim_settled{static_cast<uint16_t>(opts_.router.node),
                                    keys_.at(x.credential).name, x.key, x.id,
                                    x.matched, x.online});
  }

  // -- keys of other nodes ----------------------------------------------------

  event_key describe_key(const under_way& x) const {
    if (x.key.empty())
      return {};
    return {keys_.at(x.credential).name, x.key, x.id, x.seq};
  }

  idempotency* table_of(const std::string& credential) {
    for (size_t i = 0; i < repeats_.size(); ++i)
      if (keys_.at(i).name == credential)
        return &repeats_[i];
    return nullptr;
  }

  void on(wire::claim& x) {
    wire::claimed answer;
    answer.ticket = x.ticket;
    auto* table = table_of(x.credential);
    auto* known = table == nullptr ? nullptr : table->find(x.key, now());
    if (known == nullptr && table != nullptr && x.owner) {
      known = table->insert(x.key, now());
      if (known == nullptr) {
        answer.outcome = ec::idempotency_full;
      } else {
        known->id = x.id;
        known->seq = x.seq;
        known->node = x.from;
        count_idempotency();
      }
    }
    auto own = known != nullptr && known->node == x.from && known->seq == x.seq;
    // Whoever does not decide knows only what is over and done with.
    if (known == nullptr || own || (!x.owner && !known->done)) {
      caf::anon_send(relay_, std::move(answer));
      return;
    }
    answer_slot slot;
    slot.relay = relay_;
    slot.claim = x.ticket;
    repeat(*known, std::move(slot));
  }

  void on(wire::claim_settled& x) {
    auto* table = table_of(x.credential);
    auto* known = table == nullptr ? nullptr : table->find(x.key, now());
    if (known == nullptr || known->done)
      return;
    under_way event;
    event.id = x.id;
    event.dup = true;
    event.key = x.key;
    event.credential = static_cast<size_t>(table - repeats_.data());
    event.matched = x.matched;
    event.online = x.online;
    remember(event);
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
  relay_actor relay_;
  std::string id_prefix_;
  counters& count_;
  population population_;
  std::vector<idempotency> repeats_;
  std::unordered_map<std::string, uint64_t> sequence_;
  answers answers_;
  std::unordered_map<uint64_t, question> commands_;
  std::unordered_map<uint64_t, under_way> events_;
  confirms confirms_;
  uint64_t last_ticket_ = 0;
  uint64_t last_id_ = 0;
  session::time_point reported_ = 0;
};

} // namespace

ingest_actor spawn_ingest(shard& home, const settings& opts,
                          const credentials& keys, users_actor users,
                          std::map<std::string, nsp_actor> nsps,
                          relay_actor relay, std::string id_prefix,
                          counters& count) {
  auto [handle, self] = spawn_light<ingest_impl, ingest_actor>(
    home, opts, keys, std::move(users), std::move(nsps), std::move(relay),
    std::move(id_prefix), count);
  self->watch();
  return handle;
}

} // namespace signalbox
