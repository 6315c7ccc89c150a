#pragma once

#include "actors/ingest/answers.hpp"
#include "actors/ingest/confirms.hpp"
#include "actors/ingest/idempotency.hpp"
#include "actors/ingest/ingest.hpp"
#include "actors/ingest/post.hpp"
#include "actors/shard/light_actor.hpp"
#include "transports/codec/encoded.hpp"
#include "transports/codec/json_scan.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace signalbox {

/// The actor behind `spawn_ingest`. How calls and publishers come in is in
/// ingest.cpp, what becomes of their events in ingest_events.cpp, what nodes
/// say of keys in ingest_keys.cpp.
class ingest_impl : public light_actor {
public:
  ingest_impl(caf::actor_config& cfg, shard& at, const settings& opts,
              const credentials& keys, users_actor users,
              std::map<std::string, nsp_actor> nsps, relay_actor relay,
              std::string id_prefix, counters& count)
    : light_actor(cfg, at), opts_(opts), keys_(keys), users_(std::move(users)),
      nsps_(std::move(nsps)), relay_(std::move(relay)),
      id_prefix_(std::move(id_prefix)), count_(count),
      population_(count, actor_kind::ingest),
      confirms_(at.home().wheel(),
                [this](auto& event, bool is_routed, const auto& outcome) {
                  attempt([&] { on_confirm_over(event, is_routed, outcome); });
                }),
      patience_(session::make_timer<&ingest_impl::on_patience_over>(this)) {
    for (size_t i = 0; i < keys.size(); ++i)
      repeats_.emplace_back(opts.ingest.idempotency_keys,
                            opts.ingest.idempotency_window.count(),
                            [this](const auto& tickets) {
                              refuse_repeats(tickets, ec::unanswered);
                            });
  }

  const char* name() const override {
    return "signalbox.ingest";
  }

  /// Asks to be told when a namespace ends.
  void watch() {
    for (const auto& [name, nsp] : nsps_)
      monitor(nsp);
  }

protected:
  void receive(caf::mailbox_element& x) override {
    auto known =
      dispatch<api_call, publish, routed, confirmed, user_info, wire::claim,
               wire::claim_settled, list_keys, wire::keys, live_processes,
               end_confirms>(x, [this](auto& msg) { on(msg); });
    if (!known)
      unexpected(x);
  }

  void on_down(const caf::down_msg& x) override {
    auto i = std::find_if(nsps_.begin(), nsps_.end(), [&x](const auto& each) {
      return each.second == x.source;
    });
    if (i == nsps_.end())
      return;
    i->second = nullptr;
    // The events that wait for its answer get one.
    std::vector<uint64_t> lost;
    for (const auto& [ticket, each] : events_)
      if (each.broadcast_in == i->first)
        lost.push_back(ticket);
    for (auto ticket : lost) {
      routed answer;
      answer.ticket = ticket;
      on(answer);
    }
  }

  void on_end(const caf::error&) override {
    population_.end();
    confirms_.clear();
    patience_.cancel();
    patient_.clear();
    events_.clear();
    users_ = nullptr;
    relay_ = nullptr;
    nsps_.clear();
    answers_.clear();
    commands_.clear();
  }

private:
  /// A command under way.
  struct question {
    transport_actor asker;
    uint64_t ticket = 0;
    user_command asked;
  };

  session::time_point now() {
    return home().home().wheel().now();
  }

  codec::json_limits json_limits() const {
    return {opts_.limits.json_depth, opts_.limits.json_nodes};
  }

  post_limits bounds() const {
    return {opts_.ingest.max_event, opts_.limits.name_bytes,
            opts_.ingest.max_recipients};
  }

  // -- HTTP -------------------------------------------------------------------

  void on(api_call& x);
  void take(std::string_view text, size_t key, answer_slot slot);
  void on_command(api_call& x, size_t key);
  void on(user_info& x);
  static void answer(const api_call& to, const refusal& why);

  // -- publishers -------------------------------------------------------------

  void on(publish& x);

  // -- events -----------------------------------------------------------------

  void accept(post& event, size_t key, answer_slot slot);
  std::optional<refusal> check(post& event, size_t key, target& to,
                               std::string& name);
  void send(const post& event, target& to, uint64_t ticket,
            codec::event_ptr packet, under_way x);
  void on(routed& x);
  static void note(under_way& event, routed& x);
  void on(confirmed& x);
  void on_confirm_over(under_way& event, bool is_routed,
                       const std::string& outcome);

  // -- repeats ----------------------------------------------------------------

  idempotency::entry* look_up(size_t credential, const std::string& key);
  void repeat(idempotency::entry& first, under_way x);
  void answer_repeat(const idempotency::entry& first, under_way& x);
  void refuse_repeats(const std::vector<uint64_t>& tickets, ec why);
  void remember(const under_way& x);
  void ask_again(const under_way& x);
  void await_patient();
  void on_patience_over();
  void answer_late(under_way& x, uint64_t seq,
                   std::vector<uint16_t> unreachable);
  idempotency::entry* find_key(const under_way& x);
  void take_back(const under_way& event, ec why);
  void free_key(size_t credential, const std::string& key, ec why);
  void settle_claim(const under_way& event, ec outcome = ec::none);

  // -- keys of other nodes ----------------------------------------------------

  event_key describe_key(const under_way& x) const;
  std::optional<size_t> find_credential(const std::string& name) const;
  uint64_t process() const;
  bool is_gone(const idempotency::entry& x);
  template <class T>
  idempotency::entry* hold_key(size_t credential, const T& x);
  template <class T>
  void remember_numbers(size_t credential, const T& x);
  void on(wire::claim& x);
  void on(wire::claim_settled& x);
  bool ours(const idempotency::entry& x) const;
  void on(list_keys& x);
  void on(wire::keys& x);
  void on(live_processes& x);

  void on(end_confirms&) {
    confirms_.finish_all();
  }

  void count_idempotency();

  // -- refusals ---------------------------------------------------------------

  void refuse(const answer_slot& to, refusal why);
  void report(std::string_view what);

  const settings& opts_;
  const credentials& keys_;
  users_actor users_;
  std::map<std::string, nsp_actor> nsps_;
  /// Takes all broadcasts in the place of the namespaces, in a cluster.
  relay_actor relay_;
  std::string id_prefix_;
  counters& count_;
  population population_;
  std::vector<idempotency> repeats_;
  /// The processes that live; empty without other nodes.
  std::map<uint16_t, uint64_t> live_;
  std::unordered_map<std::string, uint64_t> sequence_;
  answers answers_;
  std::unordered_map<uint64_t, question> commands_;
  std::unordered_map<uint64_t, under_way> events_;
  confirms confirms_;
  /// When repeats of other nodes' events have waited long enough, in that
  /// order.
  std::deque<std::pair<session::time_point, uint64_t>> patient_;
  session::timer patience_;
  uint64_t last_ticket_ = 0;
  uint64_t last_id_ = 0;
};

} // namespace signalbox
