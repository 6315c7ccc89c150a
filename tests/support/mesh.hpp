#pragma once

#include "actors/api/mesh.hpp"
#include "actors/api/ring.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace signalbox::test {

/// Other nodes that do what a test says; what is sent to them is kept.
class fake_mesh : public mesh {
public:
  explicit fake_mesh(uint16_t self, std::vector<uint16_t> live)
    : nodes_(std::move(live)), self_(self) {
    // nop
  }

  uint16_t self() const noexcept override {
    return self_;
  }

  const std::vector<uint16_t>& nodes() const noexcept override {
    return nodes_;
  }

  std::vector<uint16_t> lost() const override {
    return gone;
  }

  uint16_t home(std::string_view user) const override {
    return ring_home(user, nodes_);
  }

  uint64_t view() const noexcept override {
    return hash;
  }

  bool settled() const noexcept override {
    return agreed;
  }

  uint64_t session(uint16_t node) const override {
    return lives(node) ? node + 1000u : 0;
  }

  uint64_t process(uint16_t node) const override {
    auto i = processes.find(node);
    return i == processes.end() ? 100u + node : i->second;
  }

  uint32_t losses() const noexcept override {
    return lost_so_far;
  }

  void reattached(uint64_t number) override {
    reports.push_back(number);
  }

  uint64_t version_floor() override {
    return floor;
  }

  void raise_version_floor() override {
    floor += 100;
  }

  /// Another set of nodes lives. Returns its serial.
  uint64_t change(std::vector<uint16_t> live) {
    nodes_ = std::move(live);
    agreed = false;
    ++hash;
    return ++serial;
  }

  /// Returns what was sent to a node of one kind since it was last asked, in
  /// order.
  template <class T>
  std::vector<T> take(uint16_t node) {
    std::vector<T> all;
    std::erase_if(sent_, [&](const item& x) {
      if (x.node != node || x.tag != T::tag)
        return false;
      wire::reader in{x.bytes};
      inspect(in, all.emplace_back());
      return true;
    });
    return all;
  }

  /// Returns the first of these; there has to be one.
  template <class T>
  T one(uint16_t node) {
    return take<T>(node).at(0);
  }

  /// Returns how many items the test has not looked at.
  size_t left() const noexcept {
    return sent_.size();
  }

  /// Returns the kinds of all items, as `tag>node`, and forgets them.
  std::string kinds() {
    std::string out;
    for (const auto& each : sent_)
      out += std::to_string(each.tag) + '>' + std::to_string(each.node) + ' ';
    sent_.clear();
    return out;
  }

  /// Returns a user whose home is the given one of some nodes, the `nth` one.
  static std::string user_of(uint16_t home, const std::vector<uint16_t>& live,
                             int nth = 0) {
    for (int i = 0;; ++i)
      if (auto name = "user" + std::to_string(i);
          ring_home(name, live) == home && nth-- == 0)
        return name;
  }

  std::vector<uint16_t> gone;
  std::vector<uint64_t> reports;
  /// By node: the process that it is, if not its first one.
  std::map<uint16_t, uint64_t> processes;
  uint64_t hash = 1;
  uint64_t serial = 1;
  uint64_t floor = 0;
  uint32_t lost_so_far = 0;
  bool agreed = true;

protected:
  std::string* begin(uint16_t node) override {
    if (node == self_ || !lives(node))
      return nullptr;
    buffer_.clear();
    return &buffer_;
  }

  uint64_t end(uint16_t node) override {
    std::string_view batch{buffer_};
    std::string_view bytes;
    uint8_t tag = 0;
    while (wire::next(batch, tag, bytes))
      sent_.push_back({node, tag, std::string{bytes}});
    return ++numbers_[node];
  }

private:
  struct item {
    uint16_t node;
    uint8_t tag;
    std::string bytes;
  };

  bool lives(uint16_t node) const {
    return std::find(nodes_.begin(), nodes_.end(), node) != nodes_.end();
  }

  std::vector<uint16_t> nodes_;
  uint16_t self_;
  std::string buffer_;
  std::deque<item> sent_;
  std::map<uint16_t, uint64_t> numbers_;
};

} // namespace signalbox::test
