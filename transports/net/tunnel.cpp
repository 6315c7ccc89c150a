#include "transports/net/tunnel.hpp"

#include "transports/net/http_connection.hpp"
#include "transports/net/server.hpp"
#include "transports/net/session_ids.hpp"
#include "transports/net/stream.hpp"
#include "transports/net/tunnel_host.hpp"
#include "transports/net/tunnel_opener.hpp"
#include "transports/net/upgrade.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace signalbox::net {

namespace {

/// The lowest bits of an id tell the opener's loop.
constexpr unsigned index_bits = 12;

/// Writes a complete request as it came, but for the form of its body. Without
/// blanks it is never longer than it was, so that no limit of the header is in
/// its way.
std::string write_head(const http_connection& from) {
  // The answer to a client of a node that ends is the last one, and says so.
  auto last = from.owner().draining() && !wants_upgrade(from.request());
  const auto& x = from.request();
  std::string out;
  out.reserve(1024);
  out.append(x.method).append(" ").append(x.target);
  out += from.old() ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n";
  for (const auto& [name, value] : x.headers) {
    if (same_token(name, "content-length")
        || same_token(name, "transfer-encoding") || same_token(name, "expect")
        || (last && same_token(name, "connection")))
      continue;
    out.append(name).append(":").append(value).append("\r\n");
  }
  if (last)
    out += "connection:close\r\n";
  return out;
}

/// Calls `fun` of every tunnel that was opened here, on its loop.
void tell_openers(const std::shared_ptr<tunnel_board>& board,
                  void (tunnel_opener::*fun)()) {
  for (auto& desk : board->desks) {
    if (desk.home == nullptr)
      continue;
    desk.home->post([board, &desk, fun] {
      auto all = desk.openers;
      for (auto& [id, each] : all)
        (*each.*fun)();
    });
  }
}

} // namespace

tunnels::tunnels(const std::vector<loop*>& loops, tunnel_carrier& carrier,
                 size_t most, size_t most_bytes, tunnel_counters& count)
  : board_(std::make_shared<tunnel_board>(carrier, count, most_bytes)),
    most_(most) {
  // The peers of a process that was started again must not take its tunnels
  // for those they knew.
  uint32_t start = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&start), sizeof(start));
  for (auto* each : loops) {
    if (board_->desks.size() <= each->index()) {
      board_->desks.resize(each->index() + 1);
      retiring_.resize(each->index() + 1);
    }
    retiring_[each->index()] = std::make_unique<spread>(*each);
    auto& desk = board_->desks[each->index()];
    desk.home = each;
    desk.next = start;
  }
}

tunnels::~tunnels() {
  board_->ended = true;
  for (auto& desk : board_->desks) {
    auto openers = std::exchange(desk.openers, {});
    for (auto& [key, each] : std::exchange(desk.hosts, {}))
      each->close();
  }
}

void tunnels::add(uint8_t number, server& x, const session_ids& ids) {
  if (listeners_.size() <= number)
    listeners_.resize(number + 1u);
  listeners_[number] = {&x, &ids};
}

bool tunnels::reaches(uint16_t node) const {
  return !board_->closing && board_->carrier.reaches(node);
}

// -- opener -------------------------------------------------------------------

void tunnels::open(const std::shared_ptr<http_connection>& from) {
  auto& home = from->home();
  auto& desk = board_->desks[home.index()];
  auto to = std::move(from->away);
  auto at =
    std::find_if(listeners_.begin(), listeners_.end(),
                 [&from](const auto& x) { return x.at == &from->owner(); });
  tunnel_key key{to->node, desk.next++ << index_bits | home.index()};
  tunnel_opener::task task;
  task.owner = &from->owner();
  task.head = write_head(*from);
  task.head_only = from->request().method == "HEAD";
  auto request = task.head;
  if (const auto& body = from->request().body; !body.empty()) {
    request += "content-length:" + std::to_string(body.size()) + "\r\n\r\n";
    request += body;
  } else {
    request += "\r\n";
  }
  task.peer = from->peer();
  task.secure = from->secure();
  task.io = from->release(task.rest);
  tunnel_frame first;
  first.what = tunnel_frame::kind::open;
  first.from_opener = true;
  first.id = key.id;
  first.listener = static_cast<uint8_t>(at - listeners_.begin());
  first.sid = std::move(to->sid);
  first.peer = task.peer;
  first.secure = task.secure;
  ++board_->count.opened;
  auto x = std::make_shared<tunnel_opener>(board_, home, key, std::move(task));
  desk.openers.emplace(key.id, x);
  x->start(std::move(first), std::move(request));
  if (board_->releasing)
    x->release();
}

// -- owner --------------------------------------------------------------------

void tunnels::admit(uint16_t node, tunnel_frame&& x) {
  auto at =
    x.listener < listeners_.size() ? listeners_[x.listener] : listener{};
  auto full = [this](const shared_limits& limits) {
    return board_->count.hosted >= static_cast<int64_t>(most_)
           || limits.counters->open >= static_cast<int64_t>(limits.connections);
  };
  if (board_->closing || at.at == nullptr || full(at.at->limits())) {
    tunnel_frame no;
    no.what = tunnel_frame::kind::refuse;
    no.id = x.id;
    ++board_->count.refused;
    board_->send(node, std::move(no));
    return;
  }
  // What is no session of ours is told so by the service, wherever it comes.
  auto owner = at.ids->parse(x.sid);
  auto ours = owner && owner->node == at.ids->node();
  auto& home = at.at->loop_at(ours ? owner->shard : 0);
  tunnel_key key{node, x.id};
  if (!board_->add_route(key, home.index()))
    return;
  ++board_->count.accepted;
  ++at.at->limits().counters->open;
  auto host = std::make_shared<tunnel_host>(board_, home, key, x.secure);
  home.post([board = board_, &home, &owner = *at.at, key, host,
             x = std::move(x)]() mutable {
    if (board->closing) {
      release_address(owner.limits(), {});
      host->close();
      return;
    }
    board->desks[home.index()].hosts.emplace(key, host);
    auto from = std::make_shared<http_connection>(
      owner, home, std::make_unique<stream>(host), std::move(x.peer));
    if (host->begin(x.bytes.size()))
      from->resume(std::move(x.bytes));
  });
}

// -- frames -------------------------------------------------------------------

void tunnels::on_frame(uint16_t node, tunnel_frame&& x) {
  if (x.from_opener && x.what == tunnel_frame::kind::open) {
    admit(node, std::move(x));
    return;
  }
  std::optional<size_t> index;
  if (x.from_opener)
    index = board_->find_route({node, x.id});
  else
    index = x.id & ((1u << index_bits) - 1);
  // The tunnel may have ended while this was under way.
  if (!index || *index >= board_->desks.size())
    return;
  auto& desk = board_->desks[*index];
  if (desk.home == nullptr)
    return;
  desk.home->post([board = board_, &desk, node, x = std::move(x)]() mutable {
    if (!x.from_opener) {
      auto i = desk.openers.find(x.id);
      if (i == desk.openers.end() || i->second->node() != node)
        return;
      auto end = i->second;
      end->on_frame(std::move(x));
      return;
    }
    auto i = desk.hosts.find({node, x.id});
    if (i == desk.hosts.end())
      return;
    auto end = i->second;
    end->on_frame(std::move(x));
  });
}

void tunnels::on_node_down(uint16_t node) {
  for (auto& desk : board_->desks) {
    if (desk.home == nullptr)
      continue;
    desk.home->post([board = board_, &desk, node] {
      std::vector<std::shared_ptr<tunnel_opener>> openers;
      for (const auto& [id, each] : desk.openers)
        if (each->node() == node)
          openers.push_back(each);
      std::vector<std::shared_ptr<tunnel_host>> hosts;
      for (const auto& [key, each] : desk.hosts)
        if (key.node == node)
          hosts.push_back(each);
      for (auto& each : openers)
        each->lost();
      for (auto& each : hosts)
        each->lost();
    });
  }
}

void tunnels::retire(int64_t ms) {
  for (size_t i = 0; i < retiring_.size(); ++i) {
    auto& desk = board_->desks[i];
    if (desk.home == nullptr)
      continue;
    ++board_->retiring;
    desk.home->post([board = board_, &desk, turns = retiring_[i].get(), ms] {
      std::vector<std::weak_ptr<tunnel_opener>> all;
      for (const auto& [id, each] : desk.openers)
        all.push_back(each);
      auto count = all.size();
      std::shared_ptr<void> over{nullptr,
                                 [board](void*) { --board->retiring; }};
      turns->start(count, ms, [all = std::move(all), over](size_t n) {
        if (auto each = all[n].lock())
          each->release();
      });
    });
  }
}

bool tunnels::retired() const noexcept {
  return board_->retiring == 0;
}

void tunnels::release_all() {
  board_->releasing = true;
  tell_openers(board_, &tunnel_opener::release);
}

void tunnels::close_all() {
  board_->closing = true;
  tell_openers(board_, &tunnel_opener::drop);
}

} // namespace signalbox::net
