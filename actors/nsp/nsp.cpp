#include "actors/nsp/nsp.hpp"

#include "actors/api/type_ids.hpp"
#include "actors/nsp/hub.hpp"
#include "actors/shard/light_actor.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <unordered_map>

namespace signalbox {

namespace {

class nsp_impl : public light_actor {
public:
  nsp_impl(caf::actor_config& cfg, shard& at, std::string name, counters& count)
    : light_actor(cfg, at), population_(count, actor_kind::nsp),
      nsp_name_(std::move(name)) {
    // nop
  }

  const char* name() const override {
    return "signalbox.nsp";
  }

  void set_hubs(std::vector<hub_actor> hubs) {
    hubs_ = std::move(hubs);
    // A namespace without one of its hubs would lose events unseen.
    for (auto& each : hubs_)
      link_to(each);
  }

  void set_ingest(ingest_actor ingest) {
    ingest_ = std::move(ingest);
  }

protected:
  void receive(caf::mailbox_element& x) override {
    auto known = dispatch<broadcast, fanned_out, member_count>(
      x, [this](auto& msg) { on(msg); });
    if (!known)
      unexpected(x);
  }

  void on_end(const caf::error& reason) override {
    population_.end();
    if (reason != caf::exit_reason::user_shutdown)
      spdlog::error("namespace {} ended: {}", nsp_name_,
                    home().system().render(reason));
    hubs_.clear();
    ingest_ = nullptr;
  }

private:
  struct pending {
    size_t outstanding = 0;
    uint64_t online = 0;
    /// Users in the namespace when the event was accepted.
    uint64_t users = 0;
    std::vector<bool> rooms;
  };

  void on(broadcast& x) {
    auto& p = pending_[x.ticket];
    p.outstanding = hubs_.size();
    p.users = static_cast<uint64_t>(std::max<int64_t>(users_, 0));
    p.rooms.resize(x.rooms.size());
    for (auto& each : hubs_)
      caf::anon_send(
        each, fan_out{x.ticket, x.event, x.rooms, x.volatile_, x.before});
  }

  void on(fanned_out& x) {
    auto i = pending_.find(x.ticket);
    if (i == pending_.end())
      return;
    auto& p = i->second;
    p.online += x.online;
    for (size_t k = 0; k < p.rooms.size() && k < x.rooms.size(); ++k)
      p.rooms[k] = p.rooms[k] || x.rooms[k];
    if (--p.outstanding > 0)
      return;
    routed answer;
    answer.ticket = x.ticket;
    answer.online = p.online;
    answer.found = p.rooms;
    answer.matched = p.rooms.empty() ? p.users
                                     : static_cast<uint64_t>(std::count(
                                       p.rooms.begin(), p.rooms.end(), true));
    pending_.erase(i);
    if (ingest_)
      caf::anon_send(ingest_, std::move(answer));
  }

  void on(member_count& x) {
    users_ += x.users;
  }

  population population_;
  std::string nsp_name_;
  std::vector<hub_actor> hubs_;
  ingest_actor ingest_;
  int64_t users_ = 0;
  std::unordered_map<uint64_t, pending> pending_;
};

nsp_impl& impl_of(const nsp_ref& x) {
  return *static_cast<nsp_impl*>(
    caf::actor_cast<caf::abstract_actor*>(x.handle));
}

} // namespace

nsp_ref spawn_nsp(shard& home, const std::vector<shard*>& shards,
                  std::string name, counters& count, size_t max_rooms) {
  nsp_ref out;
  auto [handle, self] = spawn_light<nsp_impl, nsp_actor>(home, name, count);
  out.handle = handle;
  std::vector<hub_actor> hubs;
  for (auto* each : shards) {
    out.hubs.push_back(spawn_hub(*each, name, count, max_rooms));
    set_nsp(out.hubs.back(), handle);
    hubs.push_back(out.hubs.back().handle);
  }
  self->set_hubs(std::move(hubs));
  return out;
}

void set_ingest(const nsp_ref& nsp, ingest_actor ingest) {
  impl_of(nsp).set_ingest(std::move(ingest));
}

} // namespace signalbox
