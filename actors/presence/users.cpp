#include "actors/presence/users.hpp"

#include "actors/api/type_ids.hpp"
#include "actors/presence/presence.hpp"
#include "transports/codec/json_scan.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <ctime>
#include <unordered_map>
#include <unordered_set>

namespace signalbox {

namespace {

class users_impl : public light_actor {
public:
  users_impl(caf::actor_config& cfg, shard& at,
             std::map<std::string, users_nsp> nsps,
             const presence_settings& opts, counters& count)
    : light_actor(cfg, at), nsps_(std::move(nsps)), opts_(opts), count_(count),
      population_(count, actor_kind::users) {
    // nop
  }

  const char* name() const override {
    return "signalbox.users";
  }

  void set_ingest(ingest_actor ingest) {
    ingest_ = std::move(ingest);
  }

  presence_actor find(const std::string& user) const {
    auto i = records_.find(user);
    return i == records_.end() ? presence_actor{} : i->second.handle;
  }

protected:
  void receive(caf::mailbox_element& x) override {
    auto known =
      dispatch<presence_attach, presence_detach, moved, deliver_users,
               user_command>(x, [this](auto& msg) { on(msg); });
    if (!known)
      unexpected(x);
  }

  void on_end(const caf::error&) override {
    population_.end();
    stopping_ = true;
    ingest_ = nullptr;
    nsps_.clear();
    for (auto& [user, each] : records_)
      caf::anon_send_exit(each.handle, caf::exit_reason::user_shutdown);
    records_.clear();
    owners_.clear();
    anonymous_.clear();
  }

private:
  struct record {
    presence_actor handle;
    presence* local = nullptr;
  };

  void on(presence_attach& x) {
    if (x.user.empty()) {
      anonymous_[x.sid] = {x.who,       x.nsp,     x.sid,
                           x.transport, x.dialect, x.since};
      if (x.ticket != 0)
        caf::anon_send(x.who, attached{x.ticket, ec::none});
      return;
    }
    auto known = records_.count(x.user) > 0;
    auto& r = find_or_make(x.user);
    auto before = in_namespace(*r.local, x.nsp);
    auto outcome = r.local->add(x);
    if (outcome == ec::none) {
      owners_[x.sid] = x.user;
      if (!before)
        count_users(x.nsp, 1);
    } else if (!known) {
      r.local->quit();
    }
    // Ticket 0: a connection that reports again and needs no answer.
    if (x.ticket != 0)
      caf::anon_send(x.who, attached{x.ticket, outcome});
  }

  void on(presence_detach& x) {
    if (x.user.empty()) {
      anonymous_.erase(x.sid);
      return;
    }
    owners_.erase(x.sid);
    auto i = records_.find(x.user);
    if (i == records_.end())
      return;
    auto nsp = nsp_of(*i->second.local, x.sid);
    if (i->second.local->remove(x.sid) && !in_namespace(*i->second.local, nsp))
      count_users(nsp, -1);
  }

  void on(moved& x) {
    auto i = records_.find(x.user);
    if (i != records_.end())
      i->second.local->move(x);
  }

  void on(deliver_users& x) {
    routed answer;
    answer.ticket = x.ticket;
    for (const auto& user : x.users) {
      auto i = records_.find(user);
      auto reached = i == records_.end() ? 0 : i->second.local->push(x);
      answer.online += reached;
      if (i != records_.end())
        ++answer.matched;
      if (reached == 0 && x.confirm != 0)
        answer.offline.push_back(user);
    }
    count_.deliveries.fetch_add(answer.online, std::memory_order_relaxed);
    if (ingest_)
      caf::anon_send(ingest_, std::move(answer));
  }

  void on(user_command& x) {
    user_info answer;
    answer.ticket = x.ticket;
    switch (x.what) {
    case user_command::kind::show:
      answer.json = show(x.ids.front());
      break;
    case user_command::kind::online:
      answer.json = online(x.ids);
      break;
    case user_command::kind::disconnect:
    case user_command::kind::rooms: {
      size_t n = 0;
      for (const auto& id : x.ids)
        n += x.connections ? change_connection(x, id) : change_user(x, id);
      if (n == 0 && x.connections)
        answer.outcome = ec::not_found;
      answer.json = "{\"ok\":true,\"connections\":" + std::to_string(n) + "}";
      break;
    }
    }
    if (ingest_)
      caf::anon_send(ingest_, std::move(answer));
  }

  // -- records ----------------------------------------------------------------

  record& find_or_make(const std::string& user) {
    auto i = records_.find(user);
    if (i != records_.end())
      return i->second;
    // A version must never go back, not even over the end of a record (one of
    // the same second) or of the process.
    auto version =
      std::max(static_cast<uint64_t>(std::time(nullptr)) << 20, last_version_);
    auto [handle, self] = spawn_light<presence, presence_actor>(
      home(), user, version, opts_, count_,
      [this](presence& x, bool grace_over) { on_ended(x, grace_over); });
    ++count_.users_online;
    return records_.emplace(user, record{handle, self}).first->second;
  }

  void on_ended(presence& x, bool grace_over) {
    auto i = records_.find(x.user());
    if (stopping_ || i == records_.end() || i->second.local != &x)
      return;
    --count_.users_online;
    last_version_ = std::max(last_version_, x.version());
    records_.erase(i);
    if (grace_over || x.entries().empty())
      return;
    spdlog::warn("a presence record was lost; {} connections report again",
                 x.entries().size());
    std::unordered_set<std::string> namespaces;
    for (const auto& each : x.entries()) {
      owners_.erase(each.sid);
      namespaces.insert(each.nsp);
    }
    for (const auto& name : namespaces) {
      // What the record counted is counted again as it is rebuilt.
      count_users(name, -1);
      for (auto& hub : nsps_[name].hubs)
        caf::anon_send(hub, reattach{x.user()});
    }
  }

  static bool in_namespace(const presence& x, const std::string& nsp) {
    for (const auto& each : x.entries())
      if (each.nsp == nsp)
        return true;
    return false;
  }

  static std::string nsp_of(const presence& x, const std::string& sid) {
    for (const auto& each : x.entries())
      if (each.sid == sid)
        return each.nsp;
    return {};
  }

  void count_users(const std::string& nsp, int64_t n) {
    auto i = nsps_.find(nsp);
    if (i != nsps_.end() && i->second.nsp)
      caf::anon_send(i->second.nsp, member_count{n});
  }

  // -- commands ---------------------------------------------------------------

  std::string show(const std::string& user) const {
    auto i = records_.find(user);
    if (i == records_.end())
      return R"({"online":false,"version":0,"connections":[]})";
    const auto& x = *i->second.local;
    auto out = "{\"online\":true,\"version\":" + std::to_string(x.version())
               + ",\"connections\":[";
    auto first = true;
    for (const auto& each : x.entries()) {
      if (!std::exchange(first, false))
        out += ',';
      out += "{\"id\":";
      codec::quote_json(each.sid, out);
      out += ",\"namespace\":";
      codec::quote_json(each.nsp, out);
      out += ",\"transport\":";
      codec::quote_json(each.transport, out);
      out += ",\"dialect\":";
      codec::quote_json(each.dialect, out);
      out += ",\"since\":" + std::to_string(each.since) + "}";
    }
    out += ']';
    if (!x.info().empty())
      out += ",\"info\":" + x.info();
    out += '}';
    return out;
  }

  std::string online(const std::vector<std::string>& users) const {
    std::string out = "{\"ok\":true,\"online\":{";
    std::unordered_set<std::string> seen;
    for (const auto& user : users) {
      if (!seen.insert(user).second)
        continue;
      if (out.back() != '{')
        out += ',';
      codec::quote_json(user, out);
      out += records_.count(user) > 0 ? ":true" : ":false";
    }
    out += "}}";
    return out;
  }

  static void send_command(const user_command& x, const presence::entry& to) {
    if (x.what == user_command::kind::disconnect)
      caf::anon_send(to.who, disconnect{to.sid});
    else
      caf::anon_send(to.who, change_rooms{to.sid, x.join, x.leave});
  }

  size_t change_user(const user_command& x, const std::string& user) const {
    auto i = records_.find(user);
    if (i == records_.end())
      return 0;
    size_t n = 0;
    for (const auto& each : i->second.local->entries()) {
      if (!x.nsp.empty() && each.nsp != x.nsp)
        continue;
      send_command(x, each);
      ++n;
    }
    return n;
  }

  const presence::entry* find_connection(const std::string& sid) const {
    auto nobody = anonymous_.find(sid);
    if (nobody != anonymous_.end())
      return &nobody->second;
    auto owner = owners_.find(sid);
    if (owner == owners_.end())
      return nullptr;
    auto i = records_.find(owner->second);
    if (i != records_.end())
      for (const auto& each : i->second.local->entries())
        if (each.sid == sid)
          return &each;
    return nullptr;
  }

  size_t change_connection(const user_command& x,
                           const std::string& sid) const {
    const auto* found = find_connection(sid);
    if (found == nullptr || (!x.nsp.empty() && found->nsp != x.nsp))
      return 0;
    send_command(x, *found);
    return 1;
  }

  std::map<std::string, users_nsp> nsps_;
  const presence_settings& opts_;
  counters& count_;
  population population_;
  ingest_actor ingest_;
  bool stopping_ = false;
  /// The highest version of the records that have ended.
  uint64_t last_version_ = 0;
  std::unordered_map<std::string, record> records_;
  /// Connection id -> user.
  std::unordered_map<std::string, std::string> owners_;
  /// Connections of nobody in particular, by id.
  std::unordered_map<std::string, presence::entry> anonymous_;
};

} // namespace

users_actor spawn_users(shard& home, std::map<std::string, users_nsp> nsps,
                        const presence_settings& opts, counters& count) {
  return spawn_light<users_impl, users_actor>(home, std::move(nsps), opts,
                                              count)
    .first;
}

namespace {

users_impl& impl_of(const users_actor& x) {
  return *static_cast<users_impl*>(caf::actor_cast<caf::abstract_actor*>(x));
}

} // namespace

void set_ingest(const users_actor& users, ingest_actor ingest) {
  impl_of(users).set_ingest(std::move(ingest));
}

presence_actor find_record(const users_actor& users, const std::string& user) {
  return impl_of(users).find(user);
}

} // namespace signalbox
