#include "actors/nsp/hub.hpp"

#include "actors/api/type_ids.hpp"
#include "actors/shard/light_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace signalbox {

namespace {

class hub_impl : public light_actor, public hub {
public:
  hub_impl(caf::actor_config& cfg, shard& at, std::string name, counters& count,
           size_t max_rooms)
    : light_actor(cfg, at), count_(count), population_(count, actor_kind::hub),
      nsp_name_(std::move(name)), max_rooms_(max_rooms) {
    // nop
  }

  const char* name() const override {
    return "signalbox.hub";
  }

  // -- hub --------------------------------------------------------------------

  bool open() const noexcept override {
    return alive();
  }

  void join(member& x) override {
    x.position = members_.size();
    members_.push_back(&x);
  }

  void leave(member& x) override {
    while (!x.rooms.empty())
      leave_room(x, std::string{x.rooms.back()});
    if (x.position >= members_.size() || members_[x.position] != &x)
      return;
    members_[x.position] = members_.back();
    members_[x.position]->position = x.position;
    members_.pop_back();
  }

  bool join_room(member& x, const std::string& room) override {
    if (std::find(x.rooms.begin(), x.rooms.end(), room) != x.rooms.end())
      return true;
    if (x.rooms.size() >= max_rooms_) {
      ++count_.limit_rooms;
      return false;
    }
    x.rooms.push_back(room);
    rooms_[room].insert(&x);
    return true;
  }

  void leave_room(member& x, const std::string& room) override {
    std::erase(x.rooms, room);
    auto i = rooms_.find(room);
    if (i == rooms_.end())
      return;
    i->second.erase(&x);
    if (i->second.empty())
      rooms_.erase(i);
  }

  // -- actor ------------------------------------------------------------------

  void set_nsp(nsp_actor nsp) {
    nsp_ = std::move(nsp);
  }

protected:
  void receive(caf::mailbox_element& x) override {
    auto known = dispatch<fan_out>(x, [this](auto& msg) { on(msg); });
    if (!known)
      unexpected(x);
  }

  void on_end(const caf::error&) override {
    population_.end();
    nsp_ = nullptr;
    auto all = std::move(members_);
    members_.clear();
    rooms_.clear();
    for (auto* each : all) {
      each->rooms.clear();
      each->namespace_down();
    }
  }

private:
  void on(fan_out& x) {
    fanned_out answer;
    answer.ticket = x.ticket;
    if (x.rooms.empty()) {
      answer.online = loop(members_, x);
    } else {
      std::vector<const std::unordered_set<member*>*> found;
      for (const auto& room : x.rooms) {
        auto i = rooms_.find(room);
        answer.rooms.push_back(i != rooms_.end());
        if (i != rooms_.end())
          found.push_back(&i->second);
      }
      if (found.size() == 1) {
        answer.online = loop(*found.front(), x);
      } else {
        // A member of several of the rooms receives the event once.
        std::unordered_set<member*> all;
        for (const auto* each : found)
          all.insert(each->begin(), each->end());
        answer.online = loop(all, x);
      }
    }
    count_.deliveries.fetch_add(answer.online, std::memory_order_relaxed);
    if (nsp_)
      caf::anon_send(nsp_, std::move(answer));
  }

  /// The outcome of a delivery (a slow client is closed) reaches the member as
  /// a message, so no member leaves within the loop.
  static uint64_t loop(const auto& to, const fan_out& x) {
    uint64_t reached = 0;
    for (auto* each : to)
      if ((x.before == 0 || each->joined_before(x.before))
          && each->deliver(*x.event, x.volatile_))
        ++reached;
    return reached;
  }

  counters& count_;
  population population_;
  std::string nsp_name_;
  size_t max_rooms_;
  nsp_actor nsp_;
  std::vector<member*> members_;
  std::unordered_map<std::string, std::unordered_set<member*>> rooms_;
};

} // namespace

hub_ref spawn_hub(shard& home, std::string name, counters& count,
                  size_t max_rooms) {
  auto [handle, self] =
    spawn_light<hub_impl, hub_actor>(home, std::move(name), count, max_rooms);
  return {handle, self};
}

void set_nsp(const hub_ref& hub, nsp_actor nsp) {
  static_cast<hub_impl*>(hub.local)->set_nsp(std::move(nsp));
}

} // namespace signalbox
