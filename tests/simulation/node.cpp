#include "tests/simulation/node.hpp"

#include "actors/api/stamp.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/ingest/ingest.hpp"
#include "actors/presence/users.hpp"
#include "actors/shard/light_actor.hpp"

#include <caf/send.hpp>

#include <sstream>

namespace signalbox::simulation {

namespace {

/// Seconds since 1970 at which every run begins; ahead of the real clock.
constexpr uint64_t first_second = uint64_t{1} << 32;

/// Tells events of the real INGEST, which have keys, from others.
constexpr uint64_t keyed_bit = uint64_t{1} << 40;

/// RELAY's partner: the books, and the real INGEST for events with keys.
class ingest : public light_actor {
public:
  ingest(caf::actor_config& cfg, shard& at, simulation::node& owner,
         answer_watcher& watcher)
    : light_actor(cfg, at), owner_(owner), watcher_(watcher) {
    // nop
  }

  const char* name() const override {
    return "ingest";
  }

protected:
  void receive(caf::mailbox_element& x) override {
    auto pass = [this](auto& y) {
      if (owner_.posts())
        caf::anon_send(owner_.posts(), std::move(y));
    };
    dispatch<wire::claim, wire::claim_settled, list_keys, wire::keys,
             live_processes>(x, pass)
      || dispatch<routed>(x,
                          [&](auto& y) {
                            if ((y.ticket & keyed_bit) == 0) {
                              watcher_.on_routed(owner_, y);
                            } else {
                              y.ticket &= ~keyed_bit;
                              pass(y);
                            }
                          })
      || dispatch<confirmed>(
        x, [this](auto& y) { watcher_.on_confirmed(owner_, y); })
      || dispatch<user_info>(x,
                             [this](auto& y) { watcher_.on_info(owner_, y); });
  }

private:
  simulation::node& owner_;
  answer_watcher& watcher_;
};

/// RELAY as the real INGEST knows it.
class way_out : public light_actor {
public:
  way_out(caf::actor_config& cfg, shard& at, relay_actor to)
    : light_actor(cfg, at), to_(std::move(to)) {
    // nop
  }

  const char* name() const override {
    return "way_out";
  }

protected:
  void receive(caf::mailbox_element& x) override {
    dispatch<broadcast>(x,
                        [this](auto& y) {
                          y.ticket |= keyed_bit;
                          caf::anon_send(to_, std::move(y));
                        })
      || dispatch<wire::claimed, wire::claim_settled, keys_listed>(
        x, [this](auto& y) { caf::anon_send(to_, std::move(y)); });
  }

  void on_end(const caf::error&) override {
    to_ = nullptr;
  }

private:
  relay_actor to_;
};

/// The namespace of events with keys.
class letterbox : public light_actor {
public:
  letterbox(caf::actor_config& cfg, shard& at, simulation::node& owner,
            parcel_watcher& watcher)
    : light_actor(cfg, at), owner_(owner), watcher_(watcher) {
    // nop
  }

  const char* name() const override {
    return "letterbox";
  }

protected:
  void receive(caf::mailbox_element& x) override {
    dispatch<broadcast>(x, [this](auto& y) {
      // ["parcel","key"]
      constexpr size_t begin = 11;
      std::string args{y.event->args()};
      watcher_.on_parcel(owner_, args.substr(begin, args.size() - begin - 2));
      routed out;
      out.ticket = y.ticket;
      out.matched = out.online = 1;
      if (owner_.relay().ingest)
        caf::anon_send(owner_.relay().ingest, std::move(out));
    });
  }

private:
  simulation::node& owner_;
  parcel_watcher& watcher_;
};

/// Who posts events with keys.
class poster : public light_actor {
public:
  poster(caf::actor_config& cfg, shard& at, simulation::node& owner,
         parcel_watcher& watcher)
    : light_actor(cfg, at), owner_(owner), watcher_(watcher) {
    // nop
  }

  const char* name() const override {
    return "poster";
  }

protected:
  void receive(caf::mailbox_element& x) override {
    dispatch<api_answer>(x, [this](auto& y) {
      watcher_.on_answer(owner_, y.ticket, y.status, y.json);
    });
  }

private:
  simulation::node& owner_;
  parcel_watcher& watcher_;
};

/// Lets in every client, into the rooms that it wishes for.
class site : public light_actor {
public:
  using light_actor::light_actor;

  const char* name() const override {
    return "site";
  }

protected:
  void receive(caf::mailbox_element& x) override {
    dispatch<authenticate>(x, [](auto& y) {
      verdict out;
      out.ticket = y.ticket;
      out.outcome = ec::none;
      out.asked = next_stamp();
      std::istringstream in{y.auth.substr(1, y.auth.size() - 2)};
      in >> out.user;
      for (std::string room; in >> room;)
        out.rooms.push_back(room);
      caf::anon_send(y.asker, std::move(out));
    });
  }
};

} // namespace

node::node(caf::actor_system& sys, network& net, dice& luck, const profile& how,
           answer_watcher& watcher, parcel_watcher& keys, process id,
           uint16_t number, std::vector<std::string> seeds)
  : net_(net), luck_(luck), id_(id), number_(number), opts_(how.opts),
    one_(sys, first_), two_(sys, second_), keys_(opts_.ingest.keys) {
  first_.wheel().advance(net.now());
  second_.wheel().advance(net.now());
  opts_.router.node = number;
  opts_.cluster.seeds = std::move(seeds);
  opts_.namespaces.clear();
  for (const auto* name : namespaces) {
    auto& each = opts_.namespaces.emplace_back();
    each.name = name;
    each.sequenced = each.name == in_order;
  }
  opts_.site.auth_url = "http://site.test/";
  one_.enter_thread();
  auto in = spawn_light<ingest, ingest_actor>(one_, *this, watcher).first;
  std::map<std::string, nsp_actor> handles;
  for (const auto* name : namespaces) {
    auto x = spawn_nsp(one_, {&one_, &two_}, name, count_, opts_.limits.rooms);
    handles[name] = x.handle;
    for (auto& each : x.hubs)
      shared_.namespaces[name].hubs.push_back(each.local);
    nsps_.push_back(std::move(x));
  }
  auto skew = static_cast<uint64_t>(luck.between(0, how.skew));
  membership_ = spawn_membership(
    one_, opts_, count_,
    [&net, id](const auto& address, const auto& asker) {
      net.dial(id, address, asker);
    },
    {[&luck] { return luck.draw(); },
     [&net, skew] {
       return first_second + skew
              + static_cast<uint64_t>((net.now() - epoch) / 1000);
     }});
  shared_.users = spawn_users(one_, handles, opts_.presence, count_);
  letterbox_ = spawn_light<letterbox, nsp_actor>(one_, *this, keys).first;
  handles[keyed] = letterbox_;
  relay_ = spawn_relay(one_, opts_, *membership_.local, shared_.users, handles,
                       count_);
  way_out_ = spawn_light<way_out, relay_actor>(one_, relay_.events).first;
  asker_ = spawn_light<poster, transport_actor>(one_, *this, keys).first;
  posts_ = spawn_ingest(one_, opts_, keys_, relay_.users, {{keyed, letterbox_}},
                        way_out_, text(id, "-"), count_);
  set_mesh(shared_.users, *membership_.local, relay_.self);
  set_ingest(shared_.users, relay_.ingest);
  for (const auto& each : nsps_)
    set_ingest(each, relay_.ingest);
  set_ingest(relay_, in);
  shared_.ingest = in;
  shared_.acks = relay_.ingest;
  shared_.site_auth = spawn_light<site, site_auth_actor>(one_).first;
  shared_.make_id = [this] { return text(id_, "-", ++last_sid_); };
  net.add(id, number, membership_.handle);
  start_membership(membership_,
                   {caf::actor_cast<caf::actor>(shared_.users), relay_.self,
                    caf::actor{}, nullptr},
                   address_of(number));
}

node::~node() {
  end();
  one_.cleanup();
  two_.cleanup();
}

std::string node::end() {
  if (std::exchange(ended_, true))
    return {};
  one_.enter_thread();
  auto stop = [](const auto& x) {
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  };
  for (const auto& each : nsps_)
    stop(each.handle);
  stop(membership_.handle);
  stop(relay_.self);
  stop(shared_.users);
  stop(shared_.ingest);
  stop(shared_.site_auth);
  stop(posts_);
  stop(letterbox_);
  stop(way_out_);
  stop(asker_);
  posts_ = nullptr;
  letterbox_ = nullptr;
  way_out_ = nullptr;
  asker_ = nullptr;
  nsps_.clear();
  relay_ = {};
  membership_ = {};
  shared_.users = nullptr;
  shared_.acks = nullptr;
  shared_.ingest = nullptr;
  shared_.site_auth = nullptr;
  while (poll(false) > 0) {
    // nop
  }
  constexpr const char* kinds[] = {
    "connection", "presence",  "users",      "nsp",  "hub",   "ingest",
    "site_auth",  "transport", "membership", "link", "relay", "tunnels"};
  std::string left;
  for (size_t i = 0; i < count_.actors.size(); ++i)
    if (auto n = count_.actors[i].load(); n != 0)
      left += text(" ", n, " ", kinds[i]);
  return left;
}

size_t node::poll(bool late) {
  size_t n = 0;
  auto turn = [&n](shard& x) {
    x.enter_thread();
    n += x.home().poll();
  };
  // Of two threads either may be first.
  auto second_first = luck_.percent(50);
  if (second_first && !late)
    turn(two_);
  turn(one_);
  if (!second_first && !late)
    turn(two_);
  return n;
}

void node::advance(int64_t ms) {
  for (auto* each : {&one_, &two_}) {
    each->enter_thread();
    each->home().wheel().advance(each->home().wheel().now() + ms);
  }
}

} // namespace signalbox::simulation
