#pragma once

#include "actors/api/messages.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace signalbox {

/// Puts together the nodes' answers to one event or command. Pure.
class gather {
public:
  gather(uint64_t ticket, const std::vector<uint16_t>& nodes)
    : waiting_(nodes.begin(), nodes.end()), asked_(nodes.size()) {
    event.ticket = ticket;
    info.ticket = ticket;
  }

  /// Takes a node's part of the answer to an event.
  void add(uint16_t node, const routed& x);

  /// Takes a node's part of the answer to a command.
  void add(uint16_t node, const user_info& x);

  /// A node will not answer.
  void lost(uint16_t node);

  /// These nodes were not even asked.
  void blame(const std::vector<uint16_t>& nodes) {
    blamed_.insert(nodes.begin(), nodes.end());
  }

  /// Waits no more for nodes that do not live.
  void keep(const std::function<bool(uint16_t node)>& lives);

  /// Counts the nodes that have not answered as lost.
  void give_up();

  /// The homes have said which nodes have the users: whom the event matches is
  /// known, and of a user with a confirm only `nodes` are asked.
  void matched(uint64_t users) {
    event.matched = users;
    located_ = true;
  }

  void held_by(const std::string& user, const std::vector<uint16_t>& nodes) {
    holders_[user] = nodes;
  }

  /// Returns whether a node's answer is missing.
  bool waits_for(uint16_t node) const {
    return waiting_.count(node) > 0;
  }

  bool complete() const noexcept {
    return waiting_.empty();
  }

  /// Completes the answers; `lost` are nodes that were not even asked.
  void finish(const std::vector<uint16_t>& lost);

  /// The answers so far.
  routed event;
  user_info info;
  bool command = false;
  /// The poster waits for the answer no more.
  bool quiet = false;
  /// When it is given up.
  int64_t until = 0;

private:
  size_t asked(const std::string& user) const;

  std::set<uint16_t> waiting_;
  /// Of those that were asked.
  std::set<uint16_t> unreachable_;
  std::set<uint16_t> blamed_;
  size_t asked_;
  bool located_ = false;
  /// Nodes that were asked about a user, if not all were.
  std::map<std::string, std::vector<uint16_t>> holders_;
  /// How many nodes say that a user was offline there.
  std::map<std::string, size_t> offline_;
};

} // namespace signalbox
