#include "tests/simulation/parcels.hpp"

#include "actors/api/type_ids.hpp"
#include "tests/simulation/node.hpp"

#include <caf/send.hpp>

namespace signalbox::simulation {

namespace {

/// After a fault a node needs so long to find the others again, besides the
/// time until a silent one is dead.
constexpr int64_t recovery = 6000;

/// Keys are posted again until so long before they are forgotten.
constexpr int64_t margin = 3000;

/// A stall of a second makes that time pass at once.
constexpr int64_t stall = 1300;

/// Returns a part of an answer, from `begin` to before `end`.
std::string part(const std::string& json, const std::string& begin,
                 const std::string& end) {
  auto from = json.find(begin);
  auto to = json.find(end, from);
  return from == json.npos || to == json.npos ? json
                                              : json.substr(from, to - from);
}

} // namespace

/// Returns whether at this time and since then nothing was to be noticed of any
/// fault.
bool parcels::calm_since(int64_t when) const {
  return when - upheaval_ > how_.opts.cluster.dead_after.count() + recovery
         && !how_.slow() && how_.opts.cluster.queue_bytes > 1000000;
}

bool parcels::sure(parcel& x) const {
  x.sure = x.sure && calm_since(x.first);
  return x.sure;
}

std::vector<std::string> parcels::keys() const {
  std::vector<std::string> out;
  auto window = how_.opts.ingest.idempotency_window.count() - margin;
  for (const auto& [key, x] : all_)
    if (net_.now() - x.first < window)
      out.push_back(key);
  return out;
}

std::string parcels::some_key(dice& luck) {
  auto known = keys();
  if (known.empty() || luck.percent(40))
    return text("k", ++last_);
  return luck.pick(known);
}

void parcels::post(node& at, const std::string& key, bool whole, bool known) {
  auto [i, is_new] = all_.try_emplace(key);
  auto& x = i->second;
  if (is_new)
    x.first = net_.now();
  x.sure = x.sure && whole;
  auto ticket = ++last_;
  open_[{at.id(), ticket}] = {key, net_.now(), at.now(),
                              whole && calm_since(net_.now()), known};
  log_.note("parcel ", key, " (", ticket, ") is posted at node ", at.number(),
            sure(x) ? ", sure" : "");
  at.control().enter_thread();
  api_call out;
  out.asker = at.asker();
  out.ticket = ticket;
  out.method = "POST";
  out.path = "/api/v1/events";
  out.authorization = "Bearer " + how_.opts.ingest.keys.front().key;
  out.body =
    text("{\"namespace\":\"", keyed, "\",\"type\":\"parcel\",\"payload\":\"",
         key, "\",\"key\":\"", key, "\"}");
  caf::anon_send(at.posts(), std::move(out));
  at.poll(true);
}

void parcels::on_parcel(node& at, const std::string& key) {
  log_.detail("node ", at.number(), " gets parcel ", key);
  auto& x = all_[key];
  if (!x.at.insert(at.id()).second && sure(x))
    log_.fail("parcel ", key, " came twice to node ", at.number());
}

void parcels::on_answer(node& at, uint64_t ticket, unsigned status,
                        const std::string& json) {
  auto open = open_.extract({at.id(), ticket});
  // TRANSPORT has given it up.
  if (open.empty())
    return;
  const auto& of = open.mapped();
  log_.detail("parcel ", of.key, " (", ticket, ") is answered by node ",
              at.number(), ": ", status, " ", json);
  auto& x = all_[of.key];
  if (of.known && json.find("\"dup\":true") == json.npos)
    log_.fail("parcel ", of.key, " is not known at node ", at.number(), ": ",
              json);
  if (!sure(x))
    return;
  if (status != 200) {
    log_.fail("parcel ", of.key, " is refused at node ", at.number(), ": ",
              json);
    return;
  }
  auto dup = json.find("\"dup\":true") != json.npos;
  auto numbers = part(json, "\"id\":", ",\"dup\"");
  if (!dup && std::exchange(x.accepted, true))
    log_.fail("parcel ", of.key, " is accepted a second time: ", json);
  else if (dup && json.find("\"partial\"") != json.npos)
    log_.fail("a repeat of parcel ", of.key, " is partial: ", json);
  else if (!x.numbers.empty() && x.numbers != numbers)
    log_.fail("parcel ", of.key, " is answered by ", json, " and by ",
              x.numbers);
  x.numbers = numbers;
}

void parcels::watch(node& at) {
  const auto& c = how_.opts.cluster;
  auto soon = c.request_timeout.count() + stall;
  auto late = (c.dead_after + 3 * c.request_timeout).count() + stall;
  for (auto i = open_.lower_bound({at.id(), 0});
       i != open_.end() && i->first.first == at.id();) {
    const auto& [key, when, local, calm, known] = i->second;
    auto age = at.now() - local;
    if (age > soon && calm && calm_since(when)) {
      log_.fail("no answer about parcel ", key, " at node ", at.number(),
                " for ", age, " ms");
      return;
    }
    // As TRANSPORT does.
    if (age > late)
      i = open_.erase(i);
    else
      ++i;
  }
}

void parcels::forget(process x) {
  open_.erase(open_.lower_bound({x, 0}), open_.lower_bound({x + 1, 0}));
}

void parcels::audit() {
  for (const auto& [whose, x] : open_)
    log_.fail("never answered: parcel ", x.key, " (process ", whose.first, ")");
}

} // namespace signalbox::simulation
