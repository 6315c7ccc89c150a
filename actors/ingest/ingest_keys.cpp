#include "actors/api/type_ids.hpp"
#include "actors/ingest/ingest_impl.hpp"

#include <caf/send.hpp>

namespace signalbox {

namespace {

/// Keys that are looked at in one turn.
constexpr size_t keys_at_once = 256;

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

idempotency* ingest_impl::table_of(const std::string& credential) {
  for (size_t i = 0; i < repeats_.size(); ++i)
    if (keys_.at(i).name == credential)
      return &repeats_[i];
  return nullptr;
}

/// Remembers the key of another node's event. Returns null if there is no room.
template <class T>
idempotency::entry* ingest_impl::hold_key(idempotency& table, const T& x) {
  auto* out = table.insert(x.key, now());
  if (out != nullptr) {
    out->id = x.id;
    out->seq = x.seq;
    out->node = x.from;
    count_idempotency();
  }
  return out;
}

void ingest_impl::on(wire::claim& x) {
  wire::claimed answer;
  answer.ticket = x.ticket;
  auto* table = table_of(x.credential);
  auto* known = table == nullptr ? nullptr : table->find(x.key, now());
  if (known == nullptr && table != nullptr && x.owner) {
    known = hold_key(*table, x);
    if (known == nullptr)
      answer.outcome = ec::idempotency_full;
  }
  auto own = known != nullptr && known->node == x.from && known->seq == x.seq;
  // Two nodes that accept a key at once ask each other, too: its owner decides,
  // or who owned it until now.
  if (known == nullptr || own || (!x.owner && !known->done && ours(*known))) {
    caf::anon_send(relay_, std::move(answer));
    return;
  }
  if (!known->done) {
    // Its asker sends it in no case, but need not wait for the numbers.
    answer.dup = answer.pending = true;
    answer.id = known->id;
    answer.seq = known->seq;
    answer.at = known->node;
    caf::anon_send(relay_, std::move(answer));
  }
  answer_slot slot;
  slot.relay = relay_;
  slot.claim = x.ticket;
  repeat(*known, std::move(slot));
}

void ingest_impl::on(wire::claim_settled& x) {
  auto* table = table_of(x.credential);
  auto* known = table == nullptr ? nullptr : table->find(x.key, now());
  // Its claim was not heard here, or was freed with another one of the same
  // key.
  if (known == nullptr && table != nullptr && x.outcome == ec::none)
    known = hold_key(*table, x);
  if (known == nullptr || known->done)
    return;
  under_way event;
  event.id = x.id;
  event.dup = true;
  event.key = x.key;
  event.credential = static_cast<size_t>(table - repeats_.data());
  event.matched = x.matched;
  event.online = x.online;
  if (x.outcome == ec::none)
    remember(event);
  // One that was refused may be another node's, with the same id.
  else if (find_key(event) != nullptr && known->node == x.from
           && known->seq == x.seq)
    free_key(event, x.outcome);
}

bool ingest_impl::ours(const idempotency::entry& x) const {
  return x.node == static_cast<uint16_t>(opts_.router.node);
}

// -- keys that find other owners ----------------------------------------------

void ingest_impl::on(list_keys& x) {
  keys_listed out;
  out.walk = x.walk;
  out.credential = x.credential;
  out.position = x.position;
  auto look = [&](const std::string& key, const idempotency::entry& y) {
    out.keys.push_back({keys_.at(out.credential).name, key, y.id, y.seq, y.node,
                        y.done, y.matched, y.online, y.until - now()});
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
    auto* table = table_of(each.credential);
    if (table == nullptr || each.left <= 0)
      continue;
    auto* known = table->find(each.key, now());
    if (known == nullptr) {
      known = table->insert(each.key, now(), each.left);
      if (known == nullptr) {
        ++count_.limit_idempotency;
        continue;
      }
      known->id = each.id;
      known->seq = each.seq;
      known->node = each.at;
    }
    // The numbers of an event that this node knew as under way.
    if (each.done && !known->done && known->id == each.id) {
      under_way event;
      event.id = each.id;
      event.dup = true;
      event.key = each.key;
      event.credential = static_cast<size_t>(table - repeats_.data());
      event.matched = each.matched;
      event.online = each.online;
      remember(event);
    }
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
