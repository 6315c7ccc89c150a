#include "actors/api/type_ids.hpp"
#include "actors/ingest/ingest_impl.hpp"

#include <caf/send.hpp>

namespace signalbox {

namespace {

/// Keys that are looked at in one turn.
constexpr size_t keys_at_once = 256;

/// Every event ends within `cluster.request-timeout`, once its node runs; the
/// rest is for the way here.
constexpr int patience = 3;

/// Compares what names processes; 0 is any.
bool same_process(uint64_t x, uint64_t y) {
  return x == 0 || y == 0 || x == y;
}

/// Returns whether a key's event is the one that a node speaks of, which it
/// accepted.
template <class T>
bool accepted(const idempotency::entry& known, const T& x) {
  return known.node == x.from && known.seq == x.seq
         && same_process(known.process, x.from_process);
}

} // namespace

// -- keys of other nodes ----------------------------------------------------

event_key ingest_impl::describe_key(const under_way& x) const {
  if (x.key.empty())
    return {};
  return {keys_.at(x.credential).name, x.key, x.id, x.seq};
}

/// Tells the owner of a key what became of the event.
void ingest_impl::settle_claim(const under_way& x, ec outcome) {
  if (relay_)
    caf::anon_send(relay_,
                   wire::claim_settled{static_cast<uint16_t>(opts_.router.node),
                                       keys_.at(x.credential).name, x.key, x.id,
                                       x.matched, x.online, outcome, x.seq});
}

std::optional<size_t>
ingest_impl::find_credential(const std::string& name) const {
  for (size_t i = 0; i < repeats_.size(); ++i)
    if (keys_.at(i).name == name)
      return i;
  return {};
}

/// Returns what names this process, 0 without other nodes.
uint64_t ingest_impl::process() const {
  auto i = live_.find(static_cast<uint16_t>(opts_.router.node));
  return i == live_.end() ? 0 : i->second;
}

/// Returns whether nothing will be heard of an event any more: its process is
/// gone, or the news of its end was lost with a link.
bool ingest_impl::is_gone(const idempotency::entry& x) {
  if (x.done || live_.empty())
    return false;
  auto i = live_.find(x.node);
  if (i == live_.end() || !same_process(x.process, i->second))
    return true;
  const auto& c = opts_.cluster;
  return !ours(x)
         && now() - x.since
              > (c.dead_after + patience * c.request_timeout).count();
}

/// Remembers the key of another node's event. Returns null if there is no room.
template <class T>
idempotency::entry* ingest_impl::hold_key(size_t credential, const T& x) {
  auto* out = repeats_[credential].insert(x.key, now());
  if (out != nullptr) {
    out->id = x.id;
    out->seq = x.seq;
    out->node = x.from;
    out->process = x.from_process;
    count_idempotency();
  }
  return out;
}

/// Takes the numbers of an event that another node has accepted.
template <class T>
void ingest_impl::remember_numbers(size_t credential, const T& x) {
  under_way event;
  event.id = x.id;
  event.seq = x.seq;
  event.dup = true;
  event.key = x.key;
  event.credential = credential;
  event.matched = x.matched;
  event.online = x.online;
  remember(event);
}

void ingest_impl::on(wire::claim& x) {
  wire::claimed answer;
  answer.ticket = x.ticket;
  auto credential = find_credential(x.credential);
  auto* known = credential ? look_up(*credential, x.key) : nullptr;
  if (known == nullptr && credential && x.owner) {
    known = hold_key(*credential, x);
    if (known == nullptr)
      answer.outcome = ec::idempotency_full;
  }
  auto own = known != nullptr && !known->done && known->node == x.from
             && same_process(known->process, x.from_process);
  // Who asks again has forgotten its earlier event, and must not wait for
  // itself.
  if (own)
    known->seq = x.seq;
  if (known == nullptr || own) {
    caf::anon_send(relay_, std::move(answer));
    return;
  }
  if (!known->done) {
    // Its asker sends it in no case, but need not wait for the numbers. RELAY
    // says so of an event of this node only if it may be sent.
    answer.dup = answer.pending = true;
    answer.id = known->id;
    answer.seq = known->seq;
    answer.at = known->node;
    answer.process = known->process;
    caf::anon_send(relay_, std::move(answer));
  }
  under_way asked;
  asked.slot.relay = relay_;
  asked.slot.claim = x.ticket;
  asked.key = x.key;
  asked.credential = *credential;
  repeat(*known, std::move(asked));
}

void ingest_impl::on(wire::claim_settled& x) {
  auto credential = find_credential(x.credential);
  if (!credential)
    return;
  auto* known = repeats_[*credential].find(x.key, now());
  // Its claim was not heard here, or was freed with another one of the same
  // key.
  if (known == nullptr && x.owner && x.outcome == ec::none)
    known = hold_key(*credential, x);
  if (known == nullptr || known->done || known->id != x.id)
    return;
  // One that was refused may be another node's, with the same id.
  if (x.outcome != ec::none) {
    if (accepted(*known, x))
      free_key(*credential, x.key, x.outcome);
    return;
  }
  remember_numbers(*credential, x);
}

bool ingest_impl::ours(const idempotency::entry& x) const {
  return x.node == static_cast<uint16_t>(opts_.router.node)
         && same_process(x.process, process());
}

/// Repeats that wait for an event of a process that is gone are refused. Its
/// key stays until it comes again: a node that was cut off for a moment tells
/// how its event ended.
void ingest_impl::on(live_processes& x) {
  live_ = std::move(x.all);
  std::vector<uint64_t> repeats;
  for (const auto& [ticket, each] : events_)
    if (each.dup)
      repeats.push_back(ticket);
  for (auto ticket : repeats)
    if (auto i = events_.find(ticket); i != events_.end())
      if (auto* first = find_key(i->second);
          first != nullptr && is_gone(*first))
        refuse_repeats({ticket}, ec::unanswered);
}

// -- keys that find other owners ----------------------------------------------

void ingest_impl::on(list_keys& x) {
  keys_listed out;
  out.walk = x.walk;
  out.credential = x.credential;
  out.position = x.position;
  auto look = [&](const std::string& key, const idempotency::entry& y) {
    out.keys.push_back({keys_.at(out.credential).name, key, y.id, y.seq, y.node,
                        y.done, y.matched, y.online, y.until - now(),
                        y.process});
  };
  // Mostly one credential has keys.
  auto more = false;
  while (!more && out.keys.empty() && out.credential < repeats_.size()) {
    more =
      repeats_[out.credential].walk(out.position, keys_at_once, now(), look);
    if (!more) {
      ++out.credential;
      out.position = 0;
    }
  }
  out.last = out.credential == repeats_.size();
  if (relay_)
    caf::anon_send(relay_, std::move(out));
}

void ingest_impl::on(wire::keys& x) {
  for (const auto& each : x.all) {
    auto credential = find_credential(each.credential);
    if (!credential || each.left <= 0)
      continue;
    auto* known = look_up(*credential, each.key);
    if (known == nullptr) {
      known = repeats_[*credential].insert(each.key, now(), each.left);
      if (known == nullptr) {
        ++count_.limit_idempotency;
        continue;
      }
      known->id = each.id;
      known->seq = each.seq;
      known->node = each.at;
      known->process = each.process;
    }
    // The numbers of an event that this node knew as under way.
    if (each.done && !known->done && known->id == each.id)
      remember_numbers(*credential, each);
  }
  count_idempotency();
}

void ingest_impl::count_idempotency() {
  size_t n = 0;
  for (const auto& each : repeats_)
    n += each.size();
  count_.idempotency_keys = static_cast<int64_t>(n);
}

} // namespace signalbox
