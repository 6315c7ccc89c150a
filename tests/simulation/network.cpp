#include "tests/simulation/network.hpp"

#include "actors/api/messages.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/api/wire_format.hpp"
#include "actors/shard/light_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <deque>

namespace signalbox::simulation {

namespace {

/// How long a dialed node may be out of reach, and how often it is tried.
constexpr int64_t dial_patience = 3000;
constexpr int64_t dial_again = 200;

} // namespace

struct connection {
  struct item {
    int64_t due = 0;
    std::function<void()> go;
  };

  process ends[2] = {};
  uint16_t numbers[2] = {};
  /// Nothing arrives before.
  int64_t open_at = 0;
  /// What is on its way to each end.
  std::deque<item> queues[2];
  std::vector<caf::strong_actor_ptr> cables;
  /// One end is gone and the other one does not know.
  bool silent = false;
  bool over = false;
};

namespace {

/// Returns whether a connection is one of two nodes.
bool joins(const connection& x, uint16_t a, uint16_t b) {
  return (x.numbers[0] == a && x.numbers[1] == b)
         || (x.numbers[0] == b && x.numbers[1] == a);
}

class cable : public light_actor {
public:
  cable(caf::actor_config& cfg, shard& at, network& all,
        std::shared_ptr<connection> x, size_t to, caf::strong_actor_ptr target)
    : light_actor(cfg, at), all_(all), x_(std::move(x)), to_(to),
      target_(std::move(target)) {
    monitor(caf::actor_cast<caf::actor>(target_));
  }

  const char* name() const override {
    return "cable";
  }

protected:
  void receive(caf::mailbox_element& x) override {
    dispatch<link_open, link_batch>(x, [this](auto& msg) { on(msg); });
  }

  /// The other side learns of it in its turn.
  void on_down(const caf::down_msg&) override {
    all_.on_link_end(x_, 1 - to_);
    all_.push(x_, 1 - to_,
              [this, keep = caf::strong_actor_ptr{ctrl()}] { quit(); });
  }

  void on_end(const caf::error&) override {
    target_ = nullptr;
    if (x_)
      std::erase_if(x_->cables,
                    [this](const auto& y) { return y.get() == ctrl(); });
    x_ = nullptr;
  }

private:
  void on(link_open& x) {
    std::string_view bytes{x.bytes};
    std::string_view item;
    uint8_t tag = 0;
    wire::hello hello;
    wire::next(bytes, tag, item);
    wire::reader in{item};
    inspect(in, hello);
    all_.note_session(*x_, hello.session);
    x.link = all_.add_cable(x_, 1 - to_, std::move(x.link));
    pass(std::move(x));
  }

  void on(link_batch& x) {
    pass(std::move(x));
  }

  template <class T>
  void pass(T x) {
    all_.push(x_, to_, [to = target_, x = std::move(x)] {
      caf::anon_send(caf::actor_cast<caf::actor>(to), x);
    });
  }

  network& all_;
  std::shared_ptr<connection> x_;
  size_t to_;
  caf::strong_actor_ptr target_;
};

} // namespace

std::string address_of(uint16_t number) {
  return text("node", number, ":1");
}

std::string alias_of(uint16_t number) {
  return text("alias", number, ":1");
}

network::network(caf::actor_system& sys, dice& luck, const profile& how,
                 journal& log)
  : luck_(luck), how_(how), log_(log), at_(sys, loop_) {
  loop_.wheel().advance(epoch);
}

network::~network() {
  close();
  at_.cleanup();
}

void network::close() {
  at_.enter_thread();
  auto all = std::move(connections_);
  connections_.clear();
  for (auto& each : all)
    end(*each);
  dials_.clear();
  processes_.clear();
  while (loop_.poll() > 0) {
    // nop
  }
}

// -- time ---------------------------------------------------------------------

void network::advance(int64_t to) {
  now_ = to;
  auto all = connections_;
  for (auto& x : all)
    for (size_t side : {0, 1}) {
      auto& queue = x->queues[side];
      while (!queue.empty() && queue.front().due <= now_
             && !stopped(*x, side)) {
        auto go = std::move(queue.front().go);
        queue.pop_front();
        go();
      }
    }
  std::erase_if(connections_, [](const auto& x) { return x->over; });
  auto dials = std::exchange(dials_, {});
  for (auto& x : dials)
    if (x.due <= now_)
      answer(x);
    else
      dials_.push_back(std::move(x));
}

int64_t network::next_due(int64_t otherwise) const {
  for (const auto& x : connections_)
    for (size_t side : {0, 1})
      if (const auto& queue = x->queues[side];
          !queue.empty() && !stopped(*x, side))
        otherwise = std::min(otherwise, queue.front().due);
  for (const auto& x : dials_)
    otherwise = std::min(otherwise, x.due);
  return otherwise;
}

size_t network::poll() {
  at_.enter_thread();
  return loop_.poll();
}

int64_t network::delay() {
  auto most =
    how_.long_delay > 0 && luck_.percent(5) ? how_.long_delay : how_.delay;
  // Not more moments than needed: each costs a turn of every node.
  return (luck_.between(0, most) + 4) / 5 * 5;
}

// -- processes ----------------------------------------------------------------

void network::add(process x, uint16_t number, membership_actor gate) {
  processes_[x] = {number, std::move(gate), false};
}

void network::remove(process x, ending how) {
  at_.enter_thread();
  processes_.erase(x);
  std::erase_if(dials_, [x](const auto& y) { return y.from == x; });
  for (auto& each : std::vector{connections_}) {
    if (each->over || (each->ends[0] != x && each->ends[1] != x))
      continue;
    size_t gone = each->ends[0] == x ? 0 : 1;
    auto& last_words = each->queues[1 - gone];
    each->queues[gone].clear();
    if (how == ending::silent) {
      last_words.clear();
      each->silent = true;
      continue;
    }
    if (how == ending::reset)
      last_words.resize(static_cast<size_t>(
        luck_.between(0, static_cast<int64_t>(last_words.size()))));
    push(each, 1 - gone, [this, each] { end(*each); });
    // Nothing gets there any more, not even the news of its end.
    each->silent = true;
  }
}

void network::freeze(process x, bool on) {
  processes_[x].frozen = on;
}

// -- connections --------------------------------------------------------------

bool network::stopped(const connection& x, size_t to) const {
  return blocked(x.numbers[1 - to], x.numbers[to]);
}

void network::push(const std::shared_ptr<connection>& x, size_t to,
                   std::function<void()> go) {
  if (x == nullptr || x->over || x->silent)
    return;
  auto& queue = x->queues[to];
  auto due = std::max(now_ + delay(), x->open_at);
  if (!queue.empty())
    due = std::max(due, queue.back().due);
  queue.push_back({due, std::move(go)});
}

void network::end(connection& x) {
  at_.enter_thread();
  x.over = true;
  for (auto& each : x.queues)
    each.clear();
  for (auto& each : std::exchange(x.cables, {}))
    static_cast<cable*>(caf::actor_cast<caf::abstract_actor*>(each))->quit();
}

bool network::opening(uint16_t a, uint16_t b) const {
  return std::any_of(
    connections_.begin(), connections_.end(),
    [&](const auto& x) { return joins(*x, a, b) && x->open_at > now_; });
}

void network::cut(uint16_t a, uint16_t b) {
  auto all = luck_.percent(20);
  for (auto& x : std::vector{connections_})
    if (joins(*x, a, b) && !x->silent && (all || x->open_at <= now_))
      end(*x);
}

void network::block(uint16_t from, uint16_t to, bool on) {
  if (on)
    blocked_.emplace(from, to);
  else
    blocked_.erase({from, to});
}

caf::strong_actor_ptr network::add_cable(const std::shared_ptr<connection>& x,
                                         size_t to,
                                         caf::strong_actor_ptr target) {
  auto handle =
    spawn_light<cable, caf::actor>(at_, *this, x, to, std::move(target)).first;
  x->cables.push_back(caf::actor_cast<caf::strong_actor_ptr>(handle));
  return x->cables.back();
}

void network::note_session(const connection& x, uint64_t session) {
  log_.detail("session ", session % 1000, " of processes ", x.ends[0], " and ",
              x.ends[1]);
  sessions_[session] = {x.ends[0], x.ends[1]};
}

void network::on_link_end(const std::shared_ptr<connection>& x, size_t to) {
  // The session may have been ended since nothing came through; often the
  // connection is then given up, with what it held.
  if (x && !x->over && (stopped(*x, to) || stopped(*x, 1 - to))
      && luck_.percent(50)) {
    log_.detail("connection ", x->numbers[0], "-", x->numbers[1],
                " is given up");
    end(*x);
  }
}

process network::partner(process x, uint64_t session) const {
  auto i = sessions_.find(session);
  if (session == 0 || i == sessions_.end())
    return 0;
  const auto& [a, b] = i->second;
  return a == x ? b : b == x ? a : 0;
}

// -- dialing ------------------------------------------------------------------

void network::dial(process from, const std::string& address,
                   const membership_actor& asker) {
  log_.detail("process ", from, " dials ", address);
  dials_.push_back(
    {now_ + delay(), now_ + dial_patience, from, address, asker});
}

void network::answer(dialing& x) {
  at_.enter_thread();
  auto own = processes_.find(x.from);
  if (own == processes_.end())
    return;
  for (auto& [id, to] : processes_) {
    if (address_of(to.number) != x.address && alias_of(to.number) != x.address)
      continue;
    if (blocked(own->second.number, to.number)
        || blocked(to.number, own->second.number) || to.frozen) {
      if (now_ >= x.until) {
        caf::anon_send(x.asker, dialed{x.address, nullptr, "timed out"});
        return;
      }
      x.due = now_ + dial_again;
      dials_.push_back(std::move(x));
      return;
    }
    auto y = connect(x.from, id);
    log_.detail("process ", x.from, " is connected to ", id);
    auto gate = add_cable(y, y->ends[1] == id ? 1 : 0,
                          caf::actor_cast<caf::strong_actor_ptr>(to.gate));
    caf::anon_send(x.asker, dialed{x.address, gate, {}});
    return;
  }
  caf::anon_send(x.asker, dialed{x.address, nullptr, "refused"});
}

std::shared_ptr<connection> network::connect(process from, process to) {
  if (how_.reuse && from != to)
    for (auto& x : connections_)
      if (!x->over && !x->silent
          && ((x->ends[0] == from && x->ends[1] == to)
              || (x->ends[0] == to && x->ends[1] == from)))
        return x;
  auto x = std::make_shared<connection>();
  x->ends[0] = from;
  x->ends[1] = to;
  x->numbers[0] = processes_[from].number;
  x->numbers[1] = processes_[to].number;
  if (luck_.percent(how_.slow_dials))
    x->open_at = now_ + luck_.between(10, 150) * 10;
  connections_.push_back(x);
  return x;
}

} // namespace signalbox::simulation
