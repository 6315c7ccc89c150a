#include "apps/router/rooms.hpp"

#include "actors/ingest/ingest.hpp"
#include "actors/membership/fingerprints.hpp"
#include "actors/presence/users.hpp"
#include "actors/site_auth/site_auth.hpp"
#include "transports/net/session_ids.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

namespace signalbox::app {

rooms::rooms(const settings& opts, const credentials& keys, counters& count)
  : opts_(opts), keys_(keys), count_(count) {
  // nop
}

void rooms::spawn(caf::actor_system& sys,
                  std::shared_ptr<net::tls_context> site_tls, failure tell) {
  auto& shards = shards_of(sys);
  std::vector<shard*> all;
  for (size_t i = 0; i < shards.size(); ++i)
    all.push_back(&shards.at(i));
  // Everything an event passes before it fans out lives on one shard; the
  // order of events rests on that.
  auto& control = *all.front();
  control_ = &control;
  supervisor_ = spawn_supervisor(control, count_, std::move(tell));
  auto nsp_handles = spawn_namespaces(control, all);
  shared_.users = spawn_users(control, nsp_handles, opts_.presence, count_);
  shared_.site_auth = spawn_site_auth(control, opts_, std::move(site_tls),
                                      *shared_.decisions, count_);
  // Alone, INGEST speaks to USERS and the NSPs itself.
  auto to_users = shared_.users;
  if (clustered()) {
    spawn_cluster(sys, control, nsp_handles);
    to_users = relay_.users;
  }
  shared_.ingest =
    spawn_ingest(control, opts_, keys_, to_users, std::move(nsp_handles),
                 relay_.events, net::random_id().substr(0, 8) + "-", count_);
  shared_.acks = clustered() ? relay_.ingest : shared_.ingest;
  set_ingest(shared_.users, shared_.acks);
  for (const auto& each : nsps_)
    set_ingest(each, shared_.acks);
  if (clustered())
    set_ingest(relay_, shared_.ingest);
  shared_.make_id = net::random_id;
  link_ = std::make_unique<session_link>(std::move(all), shared_);
  supervise_all();
}

void rooms::supervise_all() {
  auto watch = [this](std::string name, const auto& handle) {
    supervise(supervisor_,
              {std::move(name), caf::actor_cast<caf::actor>(handle)});
  };
  watch("INGEST", shared_.ingest);
  watch("USERS", shared_.users);
  watch("SITE_AUTH", shared_.site_auth);
  for (size_t i = 0; i < nsps_.size(); ++i)
    watch("NSP " + opts_.namespaces[i].name, nsps_[i].handle);
  if (!clustered())
    return;
  watch("MEMBERSHIP", membership_.handle);
  watch("RELAY", relay_.self);
  watch("TUNNELS", carrier_->actor());
  watch("CAF's broker", peers_->broker());
}

std::pair<transport_actor, transport_side*> rooms::add_transport() {
  auto out = spawn_transport(*control_, shared_.ingest, opts_, count_);
  supervise(supervisor_, {"TRANSPORT", caf::actor_cast<caf::actor>(out.first)});
  return out;
}

std::map<std::string, nsp_actor>
rooms::spawn_namespaces(shard& control, const std::vector<shard*>& all) {
  std::map<std::string, nsp_actor> out;
  for (const auto& each : opts_.namespaces) {
    nsps_.push_back(
      spawn_nsp(control, all, each.name, count_, opts_.limits.rooms));
    const auto& x = nsps_.back();
    out[each.name] = x.handle;
    auto& place = shared_.namespaces[each.name];
    place.opts = each;
    for (const auto& hub : x.hubs)
      place.hubs.push_back(hub.local);
  }
  return out;
}

void rooms::spawn_cluster(caf::actor_system& sys, shard& control,
                          const std::map<std::string, nsp_actor>& nsp_handles) {
  peers_ = std::make_unique<gateway>(sys, opts_.cluster);
  membership_ = spawn_membership(
    control, opts_, count_,
    [this](const auto& address, const auto& asker) {
      peers_->dial(address, asker);
    },
    real_chance(), [this](const auto& process) { peers_->cut(process); });
  relay_ = spawn_relay(control, opts_, *membership_.local, shared_.users,
                       nsp_handles, count_);
  set_mesh(shared_.users, *membership_.local, relay_.self);
  carrier_ = std::make_unique<tunnel_link>(control, count_);
}

std::string rooms::join(std::function<void()> drain) {
  // Before anybody calls, for it takes a while.
  auto alike = fingerprints(opts_);
  auto error = peers_->listen(caf::actor_cast<caf::actor>(membership_.handle));
  if (!error.empty())
    return "cannot listen on " + opts_.cluster.listen + ": " + error
           + "; choose another address with --cluster.listen=HOST:PORT, or "
             "mend the file";
  start_membership(membership_,
                   {caf::actor_cast<caf::actor>(shared_.users), relay_.self,
                    carrier_->actor(), std::move(drain)},
                   opts_.cluster.advertise.empty() ? peers_->address()
                                                   : opts_.cluster.advertise,
                   std::move(alike));
  return {};
}

bool rooms::joined(net::loop& control) const {
  // Its own address does for all in the list of seeds.
  const auto& seeds = opts_.cluster.seeds;
  auto alone = std::all_of(seeds.begin(), seeds.end(), [this](const auto& x) {
    return x == opts_.cluster.listen || x == opts_.cluster.advertise;
  });
  if (membership_.local == nullptr || alone)
    return true;
  auto said = std::make_shared<std::promise<bool>>();
  control.post([x = membership_.local, said] {
    auto info = x->info();
    said->set_value(
      info.settled
      && std::any_of(info.members.begin(), info.members.end(),
                     [](const auto& y) { return y.state == "up"; }));
  });
  return said->get_future().get();
}

void rooms::end_confirms() {
  caf::anon_send(shared_.ingest, signalbox::end_confirms{});
}

void rooms::hand_over(net::loop& control, std::chrono::milliseconds patience) {
  if (membership_.local == nullptr)
    return;
  auto done = std::make_shared<std::promise<void>>();
  control.post([x = relay_, done] {
    if (x.self)
      leave(x, [done] { done->set_value(); });
  });
  if (done->get_future().wait_for(patience) != std::future_status::ready)
    spdlog::warn("other nodes do not have all idempotency keys of this one");
}

void rooms::end(net::loop& control, const std::function<void()>& settle) {
  constexpr auto why = caf::exit_reason::user_shutdown;
  for (const auto& each : nsps_)
    caf::anon_send_exit(each.handle, why);
  if (membership_.local != nullptr) {
    control.post([x = membership_.local] { x->leave(); });
    settle();
    settle();
    carrier_->stop();
    settle();
    peers_->close();
    caf::anon_send_exit(membership_.handle, why);
    caf::anon_send_exit(relay_.self, why);
  }
  caf::anon_send_exit(shared_.ingest, why);
  caf::anon_send_exit(shared_.users, why);
  caf::anon_send_exit(shared_.site_auth, why);
}

void rooms::release() {
  if (supervisor_.handle)
    caf::anon_send_exit(supervisor_.handle, caf::exit_reason::user_shutdown);
}

void rooms::clear() {
  supervisor_ = {};
  nsps_.clear();
  membership_ = {};
  relay_ = {};
  peers_.reset();
  shared_.acks = nullptr;
  shared_.ingest = nullptr;
  shared_.users = nullptr;
  shared_.site_auth = nullptr;
}

} // namespace signalbox::app
