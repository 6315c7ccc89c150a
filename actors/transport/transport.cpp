#include "actors/transport/transport.hpp"

#include "actors/api/error.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/ingest/post.hpp"
#include "actors/shard/light_actor.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <string_view>
#include <unordered_map>
#include <vector>

namespace signalbox {

namespace {

/// How often TRANSPORT looks for calls whose time is over, in milliseconds.
constexpr int64_t look = 250;

/// Returns whether a body may ask for a confirm; the word may be written in
/// escapes.
bool may_confirm(std::string_view body) {
  return body.find("confirm") != std::string_view::npos
         || body.find("\\u") != std::string_view::npos;
}

class transport_impl : public light_actor, public transport_side {
public:
  transport_impl(caf::actor_config& cfg, shard& at, ingest_actor ingest,
                 const settings& opts, counters& count)
    : light_actor(cfg, at), ingest_(std::move(ingest)), count_(count),
      population_(count, actor_kind::transport),
      patience_(opts.ingest.timeout.count()),
      timer_(make_actor_timer<&transport_impl::on_look>(this)) {
    if (!opts.cluster.name.empty())
      patience_ += opts.cluster.request_timeout.count();
  }

  const char* name() const override {
    return "signalbox.transport";
  }

  /// Asks to be told when INGEST ends.
  void watch() {
    monitor(ingest_);
  }

  // -- transport_side ---------------------------------------------------------

  void call(uint64_t who, api_call what, answer done) override {
    if (!alive() || ingest_ == nullptr) {
      ++count_.calls_unanswered;
      done(unanswered(ec::broken));
      return;
    }
    what.asker =
      caf::actor_cast<transport_actor>(caf::strong_actor_ptr{ctrl()});
    what.ticket = ++last_;
    auto until = home().home().wheel().now() + patience_
                 + (may_confirm(what.body) ? most_confirm_ms : 0);
    waiting_[last_] = {who, until, std::move(done)};
    if (!timer_.armed())
      home().home().wheel().arm(timer_, look);
    caf::anon_send(ingest_, std::move(what));
  }

  void forget(uint64_t who) override {
    std::erase_if(waiting_,
                  [who](const auto& x) { return x.second.who == who; });
  }

protected:
  void receive(caf::mailbox_element& x) override {
    auto known = dispatch<api_answer>(
      x, [this](api_answer& msg) { finish(msg.ticket, std::move(msg)); });
    if (!known)
      unexpected(x);
  }

  void on_down(const caf::down_msg&) override {
    ingest_ = nullptr;
    give_up([](const call_under_way&) { return true; }, ec::broken);
  }

  void on_end(const caf::error& why) override {
    population_.end();
    timer_.cancel();
    ingest_ = nullptr;
    // While the router stops, the connections have gone already.
    if (why != caf::exit_reason::user_shutdown)
      give_up([](const call_under_way&) { return true; }, ec::broken);
    waiting_.clear();
  }

private:
  struct call_under_way {
    uint64_t who = 0;
    session::time_point until = 0;
    answer done;
  };

  static api_answer unanswered(ec code) {
    api_answer out;
    out.status = http_status(code);
    out.json = to_json({code, "", ""});
    return out;
  }

  void finish(uint64_t ticket, api_answer x) {
    auto node = waiting_.extract(ticket);
    if (node.empty())
      return;
    try {
      node.mapped().done(std::move(x));
    } catch (const std::exception& e) {
      // The other calls go on.
      spdlog::error("{}: cannot answer a call: {}", name(), e.what());
    }
  }

  void give_up(auto which, ec why) {
    std::vector<uint64_t> over;
    for (const auto& [ticket, each] : waiting_)
      if (which(each))
        over.push_back(ticket);
    for (auto ticket : over) {
      ++count_.calls_unanswered;
      finish(ticket, unanswered(why));
    }
  }

  void on_look() {
    auto now = home().home().wheel().now();
    give_up([now](const call_under_way& x) { return now >= x.until; },
            ec::unanswered);
    if (!waiting_.empty())
      home().home().wheel().arm(timer_, look);
  }

  ingest_actor ingest_;
  counters& count_;
  population population_;
  session::time_point patience_;
  session::timer timer_;
  uint64_t last_ = 0;
  std::unordered_map<uint64_t, call_under_way> waiting_;
};

} // namespace

std::pair<transport_actor, transport_side*>
spawn_transport(shard& home, ingest_actor ingest, const settings& opts,
                counters& count) {
  auto [handle, self] = spawn_light<transport_impl, transport_actor>(
    home, std::move(ingest), opts, count);
  self->watch();
  return {handle, self};
}

} // namespace signalbox
