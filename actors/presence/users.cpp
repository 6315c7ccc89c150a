#include "actors/presence/users.hpp"

#include "actors/api/receipt.hpp"
#include "actors/api/ring.hpp"
#include "actors/api/stamp.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/presence/commands.hpp"
#include "actors/presence/records.hpp"
#include "actors/presence/seats.hpp"
#include "actors/presence/sign_outs.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <ctime>
#include <memory>
#include <set>

namespace signalbox {

namespace {

/// Versions per second of the clock.
constexpr int version_bits = 20;

/// Users remembered whose verdicts the site has made void, and for how many
/// milliseconds: longer than a verdict is on its way or cached.
constexpr size_t most_sign_outs = 65536;
constexpr int64_t keep_sign_outs = 300000;

class users_impl : public light_actor {
public:
  users_impl(caf::actor_config& cfg, shard& at,
             std::map<std::string, nsp_actor> nsps,
             const presence_settings& opts, counters& count)
    : light_actor(cfg, at), count_(count),
      population_(count, actor_kind::users),
      records_(at, nsps, opts, count,
               {[this] { return version_floor(); },
                [this](const auto& user) { return home_of(user) == self(); },
                [this](const auto& user, const auto& nodes) {
                  on_record_lost(user, nodes);
                },
                [this](const auto& user, auto node, auto connection) {
                  on_displaced(user, node, connection);
                }}) {
    // nop
  }

  const char* name() const override {
    return "signalbox.users";
  }

  void set_ingest(ingest_actor ingest) {
    ingest_ = std::move(ingest);
  }

  void set_mesh(mesh& others, caf::actor relay) {
    mesh_ = &others;
    relay_ = std::move(relay);
    nodes_ = others.nodes();
  }

  presence_actor find(const std::string& user) const {
    return records_.handle(user);
  }

protected:
  void receive(caf::mailbox_element& x) override {
    auto known =
      dispatch<presence_attach, presence_detach, moved, deliver_users,
               user_command, view_changed, wire::attach, wire::attached,
               wire::detach, wire::hold, wire::release, wire::recall,
               wire::displace, wire::locate>(x, [this](auto& msg) { on(msg); });
    if (!known)
      unexpected(x);
  }

  void on_end(const caf::error&) override {
    population_.end();
    ingest_ = nullptr;
    relay_ = nullptr;
    mesh_ = nullptr;
    pending_.clear();
    records_.clear();
    seats_.clear();
  }

private:
  /// A seat that its home, or in an unsettled view every node, is asked
  /// to take up.
  struct joining {
    presence_attach x;
    /// The home when it was asked.
    uint16_t home = 0;
    std::set<uint16_t> asked;
    std::set<uint16_t> waiting;
    ec outcome = ec::none;

    wire::seat seat() const {
      return {x.nsp, connection_number(x.who)};
    }
  };

  uint16_t self() const {
    return mesh_ == nullptr ? 0 : mesh_->self();
  }

  uint16_t home_of(const std::string& user) const {
    return mesh_ == nullptr ? 0 : ring_home(user, nodes_);
  }

  bool lives(uint16_t node) const {
    return mesh_ == nullptr
           || std::find(nodes_.begin(), nodes_.end(), node) != nodes_.end();
  }

  uint32_t losses() const {
    return mesh_ == nullptr ? 0 : mesh_->losses();
  }

  uint64_t version_floor() const {
    return mesh_ == nullptr
             ? static_cast<uint64_t>(std::time(nullptr)) << version_bits
             : mesh_->version_floor();
  }

  // -- connections of this node -----------------------------------------------

  void on(presence_attach& x) {
    if (x.user.empty()) {
      seats_.add(x, self());
      caf::anon_send(x.who, attached{x.ticket, ec::none, 0, losses()});
      return;
    }
    if (auto least = sign_outs_.void_before(x.user, x.nsp); x.asked < least) {
      caf::anon_send(x.who, attached{x.ticket, ec::verdict_void, least});
      return;
    }
    auto number = ++last_ticket_;
    auto& p = pending_[number];
    p.x = std::move(x);
    ask(number, p);
    finish_if_done(number);
  }

  /// Asks the user's home, or all nodes in an unsettled view.
  void ask(uint64_t number, joining& p) {
    const auto seat = p.seat();
    auto home = p.home = home_of(p.x.user);
    for (auto node : targets(p.x.user)) {
      p.asked.insert(node);
      if (node == self()) {
        if (home == self())
          note(p, records_.add(node, p.x.user, p.x.info, seat));
        continue;
      }
      wire::attach out;
      out.ticket = number;
      out.user = p.x.user;
      out.info = p.x.info;
      out.nsp = seat.nsp;
      out.connection = seat.connection;
      out.home = node == home;
      if (mesh_->send(node, out) != 0)
        p.waiting.insert(node);
    }
  }

  /// The nodes that must know of a change to a user's connections.
  std::vector<uint16_t> targets(const std::string& user) const {
    if (mesh_ == nullptr)
      return {0};
    return mesh_->settled() ? std::vector<uint16_t>{home_of(user)} : nodes_;
  }

  static void note(joining& p, ec outcome) {
    if (p.outcome == ec::none)
      p.outcome = outcome;
  }

  void finish_if_done(uint64_t number) {
    auto i = pending_.find(number);
    if (i == pending_.end() || !i->second.waiting.empty())
      return;
    auto p = std::move(i->second);
    pending_.erase(i);
    if (p.outcome == ec::none)
      seats_.add(p.x, home_of(p.x.user));
    else
      take_back(p);
    caf::anon_send(p.x.who, attached{p.x.ticket, p.outcome,
                                     sign_outs_.void_before(p.x.user, p.x.nsp),
                                     losses()});
  }

  void on(presence_detach& x) {
    if (auto was = seats_.remove(x.sid)) {
      if (!was->user.empty())
        for (auto node : targets(was->user))
          tell_gone(node, was->user,
                    {*was->at.nsp, connection_number(was->at.who)});
      return;
    }
    // At once: the connection may join again, which is the same seat.
    std::erase_if(pending_, [&](const auto& each) {
      const auto& p = each.second;
      if (p.x.sid != x.sid)
        return false;
      take_back(p);
      return true;
    });
  }

  void take_back(const joining& p) {
    for (auto node : p.asked)
      tell_gone(node, p.x.user, p.seat());
  }

  void tell_gone(uint16_t node, const std::string& user,
                 const wire::seat& seat) {
    if (node == self())
      records_.remove(node, user, seat);
    else if (mesh_ != nullptr)
      mesh_->send(node, wire::detach{0, user, seat.nsp, seat.connection});
  }

  void on(moved& x) {
    seats_.move(x);
  }

  void on(deliver_users& x) {
    // Answers when no connection can take the event any more.
    auto answer = std::make_shared<receipt>(count_, ingest_, x);
    for (uint32_t i = 0; i < x.users.size(); ++i) {
      auto there = seats_.push(x, i, answer);
      answer->add(there,
                  there > 0
                    || (!x.scoped && records_.find(x.users[i]) != nullptr));
    }
  }

  // -- records of this node ---------------------------------------------------

  void on(wire::attach& x) {
    auto outcome = ec::none;
    if (x.home || home_of(x.user) == self())
      outcome =
        records_.add(x.from, x.user, x.info, {x.nsp, x.connection}, x.home);
    // A node that is not the home has no say.
    mesh_->send(x.from,
                wire::attached{0, x.ticket, x.home ? outcome : ec::none});
  }

  void on(wire::attached& x) {
    auto i = pending_.find(x.ticket);
    if (i == pending_.end() || i->second.waiting.erase(x.from) == 0)
      return;
    note(i->second, x.outcome);
    finish_if_done(x.ticket);
  }

  void on(wire::detach& x) {
    records_.remove(x.from, x.user, {x.nsp, x.connection});
  }

  void on(wire::hold& x) {
    if (lives(x.from))
      records_.hold(x.from, x);
  }

  void on(wire::release& x) {
    records_.release(x.from, x.user);
  }

  void on(wire::recall& x) {
    if (auto held = report(x.user); !held.seats.empty())
      mesh_->send(x.from, held);
  }

  void on(wire::displace& x) {
    displace(x.user, x.connection);
  }

  void on_displaced(const std::string& user, uint16_t node,
                    uint64_t connection) {
    ++count_.connections_displaced;
    if (node == self())
      displace(user, connection);
    else
      mesh_->send(node, wire::displace{0, user, connection});
  }

  /// Disconnects all seats of a connection, which closes it. The client
  /// does not come back by itself, as it would after a lost connection.
  void displace(const std::string& user, uint64_t connection) {
    for (auto& [number, p] : pending_)
      if (p.x.user == user && p.seat().connection == connection)
        note(p, ec::too_many_connections);
    if (const auto* known = seats_.find(user))
      for (const auto& each : known->all)
        if (connection_number(each.who) == connection)
          caf::anon_send(each.who, disconnect{each.sid});
  }

  void on_record_lost(const std::string& user,
                      const std::vector<uint16_t>& nodes) {
    for (auto node : nodes) {
      if (node != self())
        mesh_->send(node, wire::recall{0, user});
      else if (auto held = report(user); !held.seats.empty())
        records_.hold(node, held);
    }
  }

  /// Returns a user's seats, and those that are being taken up: the
  /// record that is lost may have had them already.
  wire::hold report(const std::string& user) const {
    static const seats::user nobody;
    const auto* known = seats_.find(user);
    auto out = describe(user, known == nullptr ? nobody : *known);
    for (const auto& [number, p] : pending_)
      if (p.x.user == user && p.outcome == ec::none) {
        out.seats.push_back(p.seat());
        out.info = p.x.info;
        out.info_nsp = p.x.nsp;
      }
    return out;
  }

  void on(wire::locate& x) {
    wire::located out;
    out.ticket = x.ticket;
    out.settled = x.settled_here && mesh_->settled() && x.view == mesh_->view();
    if (out.settled)
      for (const auto& user : x.users)
        out.users.push_back(records_.locate(user, x.nsp));
    if (x.from != self()) {
      mesh_->send(x.from, out);
      return;
    }
    out.from = self();
    caf::anon_send(relay_, std::move(out));
  }

  // -- views ------------------------------------------------------------------

  void on(view_changed& x) {
    auto before = std::exchange(nodes_, std::move(x.nodes));
    auto fresh = [&before](uint16_t node) {
      return std::find(before.begin(), before.end(), node) == before.end();
    };
    // Records that are taken up here begin above those of before, and those
    // that are taken up elsewhere above what this node has given until now.
    mesh_->raise_version_floor();
    records_.keep([this](auto node) { return lives(node); });
    for (auto& [name, user] : seats_.users()) {
      auto old = std::exchange(user.home, home_of(name));
      if (user.home == old && !fresh(old))
        continue;
      if (user.home == self())
        records_.hold(self(), describe(name, user));
      else
        mesh_->send(user.home, describe(name, user));
      if (old == self())
        records_.release(self(), name);
      else if (old != user.home && lives(old) && !fresh(old))
        mesh_->send(old, wire::release{0, name});
    }
    ask_again();
    mesh_->reattached(x.serial);
  }

  /// Seats on their way in are asked for under other numbers: answers of the
  /// old view say nothing about the new home.
  void ask_again() {
    for (auto& [old, was] : std::exchange(pending_, {})) {
      auto number = ++last_ticket_;
      auto& p = pending_[number];
      p.x = std::move(was.x);
      p.outcome = was.outcome;
      ask(number, p);
      if (was.home != p.home && lives(was.home))
        tell_gone(was.home, p.x.user, p.seat());
      finish_if_done(number);
    }
  }

  // -- commands ---------------------------------------------------------------

  void on(user_command& x) {
    auto takes_away =
      x.what == user_command::kind::disconnect
      || (x.what == user_command::kind::rooms && !x.leave.empty());
    if (takes_away && !x.connections)
      void_verdicts(x);
    if (ingest_)
      caf::anon_send(ingest_, run(x, seats_, records_));
  }

  /// The site takes something away from users: its earlier verdicts on them
  /// let no connection in any more.
  void void_verdicts(const user_command& x) {
    auto at = next_stamp();
    auto now = home().home().wheel().now();
    auto places = x.nsp.empty() ? x.scope : std::vector{x.nsp};
    if (places.empty())
      places.emplace_back();
    for (const auto& user : x.ids)
      for (const auto& nsp : places) {
        sign_outs_.note(user, nsp, at, now);
        for (auto& [number, p] : pending_)
          if (p.x.user == user && (nsp.empty() || p.x.nsp == nsp))
            note(p, ec::verdict_void);
      }
  }

  counters& count_;
  population population_;
  records records_;
  seats seats_;
  sign_outs sign_outs_{most_sign_outs, keep_sign_outs};
  ingest_actor ingest_;
  mesh* mesh_ = nullptr;
  caf::actor relay_;
  /// The live nodes, as last told.
  std::vector<uint16_t> nodes_;
  std::map<uint64_t, joining> pending_;
  uint64_t last_ticket_ = 0;
};

users_impl& impl_of(const users_actor& x) {
  return *static_cast<users_impl*>(caf::actor_cast<caf::abstract_actor*>(x));
}

} // namespace

users_actor spawn_users(shard& home, std::map<std::string, nsp_actor> nsps,
                        const presence_settings& opts, counters& count) {
  return spawn_light<users_impl, users_actor>(home, std::move(nsps), opts,
                                              count)
    .first;
}

void set_ingest(const users_actor& users, ingest_actor ingest) {
  impl_of(users).set_ingest(std::move(ingest));
}

void set_mesh(const users_actor& users, mesh& others, caf::actor relay) {
  impl_of(users).set_mesh(others, std::move(relay));
}

presence_actor find_record(const users_actor& users, const std::string& user) {
  return impl_of(users).find(user);
}

} // namespace signalbox
