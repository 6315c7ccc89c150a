// Of all that another node may send, the bytes that the guard passes do CAF's
// own broker no harm: it runs here, with a MEMBERSHIP behind it. The guard also
// comes to the same end however the bytes are cut.
//
// The first byte of the input says by its lowest bit whether the node was
// dialed, and seeds the cuts. In the rest the id of `self` and the number of
// `gate` stand for those of this process, which differ each time.

#include "tests/support/basp.hpp"

#include "actors/api/register.hpp"
#include "actors/api/settings.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/membership/gateway.hpp"
#include "actors/membership/membership.hpp"
#include "actors/membership/multiplexer.hpp"
#include "actors/shard/coordinator.hpp"
#include "transports/codec/basp_guard.hpp"
#include "transports/net/channel.hpp"
#include "transports/net/loop.hpp"
#include "transports/net/stream.hpp"

#include <caf/actor_system.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace signalbox;
namespace basp = test::basp;

namespace {

/// What stands in an input for this process and its MEMBERSHIP.
const std::string self_id = basp::id('S');
const std::string gate_number = "GATEGATE";

constexpr size_t most_message = 4096;
constexpr size_t most_batch = 65536;

/// Turns of the loop after which nothing is left to do.
constexpr int calm = 12;

using pieces = std::vector<std::string>;

/// Cuts the bytes; `seed` 0 leaves them in one piece.
pieces cut(std::string_view wire, uint32_t seed) {
  pieces out;
  while (!wire.empty()) {
    auto size = wire.size();
    if (seed != 0) {
      seed = seed * 1664525 + 1013904223;
      size = std::min<size_t>(size, 1 + (seed >> 24) % 64);
    }
    out.emplace_back(wire.substr(0, size));
    wire.remove_prefix(size);
  }
  return out;
}

/// Returns the pieces that the guard lets through.
pieces admitted(pieces all, bool dialer, const std::string& self) {
  codec::basp_guard guard{{dialer, self, most_message, most_batch}};
  for (size_t i = 0; i < all.size(); ++i) {
    // A copy of the exact size, so that the sanitizer sees every overrun.
    std::vector<char> piece{all[i].begin(), all[i].end()};
    if (!guard.take({piece.data(), piece.size()})) {
      all.resize(i);
      break;
    }
  }
  return all;
}

/// A node that says its pieces and goes; what it hears is lost.
class talker : public net::channel {
public:
  talker(net::loop& home, pieces all) : home_(home), all_(std::move(all)) {
    // nop
  }

  ssize_t read(char* data, size_t size) override {
    if (next_ == all_.size())
      return 0;
    auto& x = all_[next_];
    auto n = x.copy(data, size);
    x.erase(0, n);
    next_ += x.empty();
    return static_cast<ssize_t>(n);
  }

  ssize_t write(const iovec* all, size_t count) override {
    ssize_t out = 0;
    for (size_t i = 0; i < count; ++i)
      out += static_cast<ssize_t>(all[i].iov_len);
    return out;
  }

  void wait(bool, std::function<void()> fun) override {
    home_.post(std::move(fun));
  }

  void shutdown_write() override {
    // nop
  }

  void close() override {
    next_ = all_.size();
  }

  bool encrypted() const override {
    return false;
  }

private:
  net::loop& home_;
  pieces all_;
  size_t next_ = 0;
};

struct config : shard_config {
  config(net::loop& home, const cluster_settings& opts) {
    register_messages(*this);
    loops.push_back(&home);
    gateway::configure(*this, opts);
  }
};

/// This node. Lives as long as the process.
struct node {
  node() {
    spdlog::set_level(spdlog::level::off);
    opts.router.node = 1;
    opts.cluster.name = "x";
    opts.cluster.sid_key = std::string(32, 'k');
    cfg = std::make_unique<config>(home, opts.cluster);
    system = std::make_unique<caf::actor_system>(*cfg);
    way = std::make_unique<gateway>(*system, opts.cluster);
    broker =
      system->middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
    std::vector<char> id;
    caf::binary_serializer to{nullptr, id};
    to(system->node());
    self.assign(id.begin(), id.end());
  }

  void settle() {
    for (auto i = 0; i < calm; ++i) {
      std::promise<void> turn;
      home.post([&turn] { turn.set_value(); });
      turn.get_future().wait();
    }
  }

  /// Lets another node say something to a new MEMBERSHIP.
  void hear(std::string wire, bool dialer, uint32_t seed) {
    auto members = spawn_membership(shards_of(*system).at(0), opts, count,
                                    [](const auto&, const auto&) {});
    auto gate = caf::actor_cast<caf::strong_actor_ptr>(members.handle);
    start_membership(members, {}, "127.0.0.1:1");
    replace(wire, self_id, self);
    replace(wire, gate_number, basp::number(gate->id(), 8));
    auto all = admitted(cut(wire, 0), dialer, self);
    auto some = admitted(cut(wire, seed), dialer, self);
    // All of it passes, or some of it does not.
    if (all.empty() != (bytes(some) != wire.size()) && !wire.empty())
      std::abort();
    auto via = static_cast<multiplexer&>(system->middleman().backend())
                 .new_scribe(std::make_shared<talker>(home, some));
    caf::scoped_actor asker{*system};
    if (dialer)
      caf::anon_send(broker, caf::publish_atom::value, via, uint16_t{1}, gate,
                     std::set<std::string>{});
    else
      asker->send(broker, caf::connect_atom::value, via, uint16_t{1});
    settle();
    caf::anon_send_exit(members.handle, caf::exit_reason::user_shutdown);
    home.post([this] {
      auto& x = static_cast<caf::io::basp_broker&>(
        *caf::actor_cast<caf::abstract_actor*>(broker));
      for (auto& [id, stub] : x.spawn_servers)
        caf::anon_send_exit(stub, caf::exit_reason::kill);
      x.spawn_servers.clear();
    });
    settle();
  }

  static size_t bytes(const pieces& all) {
    size_t out = 0;
    for (const auto& each : all)
      out += each.size();
    return out;
  }

  static void replace(std::string& in, const std::string& what,
                      const std::string& by) {
    for (auto i = in.find(what); i != std::string::npos; i = in.find(what, i))
      in.replace(i, what.size(), by);
  }

  settings opts;
  counters count;
  net::loop home{0};
  std::unique_ptr<config> cfg;
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<gateway> way;
  caf::actor broker;
  std::string self;
};

/// Returns the messages of a stream; the last one may be a part.
pieces messages(std::string_view wire) {
  pieces out;
  while (!wire.empty()) {
    size_t size = 32;
    for (size_t i = 4; i < 8 && wire.size() >= 32; ++i)
      size += static_cast<size_t>(static_cast<unsigned char>(wire[i]))
              << (8 * (7 - i));
    out.emplace_back(wire.substr(0, size));
    wire.remove_prefix(out.back().size());
  }
  return out;
}

/// Makes one change that a broken or hostile node might make.
void change(pieces& all, uint32_t seed) {
  auto draw = [&seed](size_t below) {
    seed = seed * 1664525 + 1013904223;
    return below == 0 ? 0 : (seed >> 8) % below;
  };
  if (all.empty())
    return;
  auto i = all.begin() + static_cast<std::ptrdiff_t>(draw(all.size()));
  auto& x = *i;
  switch (draw(8)) {
  case 0: // A bit.
    x[draw(x.size())] ^= static_cast<char>(1 << draw(8));
    break;
  case 1: // A byte, often one that ends a range.
    x[draw(x.size())] = "\x00\x01\x7f\x80\xff"[draw(5)];
    break;
  case 2: // A message twice.
    all.insert(i, std::string{x});
    break;
  case 3: // One less.
    all.erase(i);
    break;
  case 4: // Two in another order.
    std::swap(x, all[draw(all.size())]);
    break;
  case 5: // Another type.
    x[0] = static_cast<char>(draw(8));
    break;
  case 6: // A payload that is shorter, and says so.
    if (x.size() >= 32) {
      x.resize(32 + draw(x.size() - 31));
      x.replace(4, 4, basp::number(x.size() - 32, 4));
    }
    break;
  default: // The payload of another message.
    if (x.size() >= 32) {
      const auto& other = all[draw(all.size())];
      x = x.substr(0, 32) + (other.size() > 32 ? other.substr(32) : "");
      x.replace(4, 4, basp::number(x.size() - 32, 4));
    }
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1)
    return 0;
  static auto& here = *new node;
  here.hear({reinterpret_cast<const char*>(data) + 1, size - 1},
            (data[0] & 1) == 0, data[0] + 1u);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size,
                                          size_t max, unsigned seed) {
  if (size < 1)
    return size;
  auto all = messages({reinterpret_cast<char*>(data) + 1, size - 1});
  for (auto n = 1 + seed % 3; n > 0; --n)
    change(all, seed += 0x9e3779b9);
  std::string out{static_cast<char>(data[0])};
  for (const auto& each : all)
    out += each;
  out.resize(std::min(out.size(), max));
  std::copy(out.begin(), out.end(), data);
  return out.size();
}
