#include "actors/api/ring.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/ingest/ingest_impl.hpp"
#include "transports/codec/json_split.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace signalbox {

namespace {

refusal refusal_of(ec why) {
  if (why == ec::unanswered)
    return {
      why, "",
      "it was accepted before, by a node that is gone or does not answer; "
      "whether it was sent is unknown, so repeat it with its key"};
  return {why, why == ec::idempotency_full ? "/key" : "", ""};
}

} // namespace

// -- events -----------------------------------------------------------------

void ingest_impl::accept(post& event, size_t key, answer_slot slot) {
  target to;
  std::string name;
  if (auto no = check(event, key, to, name)) {
    refuse(slot, std::move(*no));
    return;
  }
  if (!event.key.empty()) {
    if (auto* first = look_up(key, event.key)) {
      under_way x;
      x.slot = std::move(slot);
      x.key = event.key;
      x.credential = key;
      repeat(*first, std::move(x));
      return;
    }
  }
  std::vector<std::string> attachments;
  auto args = codec::extract_binary(event_array(event, name), attachments);
  if (!args) {
    refuse(slot, {ec::bad_request, "/payload", "a $base64 value is no base64"});
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
    remembered->process = process();
    count_idempotency();
  }
  auto packet = std::make_shared<const codec::shared_event>(
    event.nsp, std::move(*args), std::move(attachments));
  send(event, to, ticket, std::move(packet), std::move(x));
}

std::optional<refusal> ingest_impl::check(post& event, size_t key, target& to,
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

void ingest_impl::send(const post& event, target& to, uint64_t ticket,
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
  out.scoped = !keys_.at(x.credential).namespaces.empty();
  out.claim = describe_key(x);
  if (event.confirm_ms > 0) {
    out.confirm = ticket;
    out.confirm_ms = event.confirm_ms;
    confirms_.open(ticket, std::move(x), to.names, event.confirm_ms);
    count_.confirms_pending = static_cast<int64_t>(confirms_.size());
  } else {
    events_.emplace(ticket, std::move(x));
  }
  out.users = std::move(to.names);
  caf::anon_send(users_, std::move(out));
}

void ingest_impl::on(routed& x) {
  auto* awaited = confirms_.find(x.ticket);
  auto final_ = x.dup || x.outcome != ec::none;
  if (x.online == 0 && !final_)
    ++count_.events_offline;
  if (awaited != nullptr && !final_) {
    note(*awaited, x);
    remember(*awaited);
    confirms_.on_routed(x);
    return;
  }
  auto event = confirms_.take(x.ticket);
  if (event)
    count_.confirms_pending = static_cast<int64_t>(confirms_.size());
  if (auto node = events_.extract(x.ticket); !node.empty())
    event = std::move(node.mapped());
  if (!event)
    return;
  note(*event, x);
  if (x.outcome != ec::none) {
    take_back(*event, x.outcome);
    return;
  }
  if (x.dup && !event->unreachable.empty())
    ask_again(*event);
  else
    remember(*event);
  answers_.add(event->slot, describe_event(*event) + '}');
}

/// RELAY cannot take an event, or another node cannot remember its key.
void ingest_impl::take_back(const under_way& event, ec why) {
  if (why == ec::idempotency_full)
    ++count_.limit_idempotency;
  if (find_key(event) != nullptr) {
    free_key(event.credential, event.key, why);
    settle_claim(event, why);
  }
  refuse(event.slot, refusal_of(why));
}

/// Forgets a key, which is known; repeats that came meanwhile are refused.
void ingest_impl::free_key(size_t credential, const std::string& key, ec why) {
  auto& table = repeats_[credential];
  auto waiting = std::move(table.find(key, now())->waiting);
  table.erase(key);
  count_idempotency();
  refuse_repeats(waiting, why);
}

void ingest_impl::refuse_repeats(const std::vector<uint64_t>& tickets, ec why) {
  for (auto ticket : tickets) {
    auto node = events_.extract(ticket);
    if (node.empty())
      continue;
    const auto& slot = node.mapped().slot;
    if (slot.claim == 0) {
      refuse(slot, refusal_of(why));
      continue;
    }
    wire::claimed answer;
    answer.ticket = slot.claim;
    answer.outcome = why;
    caf::anon_send(slot.relay, std::move(answer));
  }
}

void ingest_impl::note(under_way& event, routed& x) {
  event.matched = x.matched;
  event.online = x.online;
  event.unreachable = std::move(x.unreachable);
  event.dup = x.dup;
  if (x.dup)
    event.seq = x.seq;
}

void ingest_impl::on(confirmed& x) {
  confirms_.on_confirmed(x);
}

void ingest_impl::on_confirm_over(under_way& event, bool is_routed,
                                  const std::string& outcome) {
  // Numbers that come later find no event; repeats must not wait for them.
  if (!is_routed)
    remember(event);
  answers_.add(event.slot, describe_event(event) + outcome + '}');
  count_.confirms_pending = static_cast<int64_t>(confirms_.size());
}

// -- repeats ----------------------------------------------------------------

/// Returns the event of a key. One that was under way at a process that is gone
/// is forgotten: whether it was sent is unknown.
idempotency::entry* ingest_impl::look_up(size_t credential,
                                         const std::string& key) {
  auto* out = repeats_[credential].find(key, now());
  if (out == nullptr || !is_gone(*out))
    return out;
  free_key(credential, key, ec::unanswered);
  return nullptr;
}

void ingest_impl::repeat(idempotency::entry& first, under_way x) {
  ++count_.events_duplicate;
  if (first.done) {
    answer_repeat(first, x);
    return;
  }
  auto ticket = ++last_ticket_;
  first.waiting.push_back(ticket);
  x.dup = true;
  x.id = first.id;
  // RELAY sees to it that an event of this node ends, and a node that asked
  // answers its poster in time by itself.
  if (relay_ && !ours(first) && x.slot.claim == 0) {
    patient_.emplace_back(now() + opts_.cluster.request_timeout.count(),
                          ticket);
    await_patient();
  }
  events_[ticket] = std::move(x);
}

void ingest_impl::await_patient() {
  if (!patient_.empty() && !patience_.armed())
    home().home().wheel().arm(patience_, patient_.front().first - now());
}

/// Repeats whose first events take long at other nodes are repeats all the
/// same. Their keys stay.
void ingest_impl::on_patience_over() {
  attempt([this] {
    while (!patient_.empty() && patient_.front().first <= now()) {
      auto node = events_.extract(patient_.front().second);
      patient_.pop_front();
      if (node.empty())
        continue;
      auto& x = node.mapped();
      if (const auto* first = find_key(x))
        answer_late(x, first->seq, {first->node});
      else
        refuse(x.slot, refusal_of(ec::unanswered));
    }
    await_patient();
  });
}

/// Answers a repeat without the numbers of its first event.
void ingest_impl::answer_late(under_way& x, uint64_t seq,
                              std::vector<uint16_t> unreachable) {
  x.seq = seq;
  x.unreachable = std::move(unreachable);
  answers_.add(x.slot, describe_event(x) + '}');
}

void ingest_impl::answer_repeat(const idempotency::entry& first, under_way& x) {
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

/// Returns the entry of an event's key, null without one.
idempotency::entry* ingest_impl::find_key(const under_way& x) {
  if (x.key.empty())
    return nullptr;
  auto* out = repeats_[x.credential].find(x.key, now());
  return out == nullptr || out->id != x.id ? nullptr : out;
}

void ingest_impl::remember(const under_way& x) {
  auto* first = find_key(x);
  if (first == nullptr)
    return;
  first->done = true;
  if (x.dup)
    first->seq = x.seq;
  first->matched = x.matched;
  first->online = x.online;
  for (auto ticket : std::exchange(first->waiting, {})) {
    auto node = events_.extract(ticket);
    if (!node.empty())
      answer_repeat(*first, node.mapped());
  }
  if (!x.dup)
    settle_claim(x);
}

/// Another node knows the event of this repeat, and did not tell its numbers in
/// time. The repeats that wait here get the same answer; the next one asks that
/// node again.
void ingest_impl::ask_again(const under_way& x) {
  auto* first = find_key(x);
  if (first == nullptr || first->done)
    return;
  for (auto ticket : std::exchange(first->waiting, {})) {
    auto node = events_.extract(ticket);
    // A node that asked answers its poster by itself.
    if (node.empty() || node.mapped().slot.claim != 0)
      continue;
    answer_late(node.mapped(), x.seq, x.unreachable);
  }
  repeats_[x.credential].erase(x.key);
  count_idempotency();
}

} // namespace signalbox
