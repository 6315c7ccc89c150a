#pragma once

#include "transports/net/engine_options.hpp"
#include "transports/net/loop.hpp"
#include "transports/session/session_core.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace signalbox::net {

/// The sessions of one service on one loop, by their ids. `Entry` has a member
/// `session`, a `session::session_core`.
template <class Entry>
class session_table {
public:
  session_table(loop& home, engine_counters& counters)
    : home_(home), counters_(counters) {
    // nop
  }

  /// Returns the entry of a session id, null for an unknown one.
  std::shared_ptr<Entry> find(std::string_view sid) const {
    auto i = entries_.find(sid);
    return i == entries_.end() ? nullptr : i->second;
  }

  void insert(std::shared_ptr<Entry> x) {
    std::string_view sid = x->session.sid();
    entries_.emplace(sid, std::move(x));
    ++counters_.sessions;
  }

  /// Drops a session that is gone; a `session::session_core::forget` whose
  /// owner is the table.
  static void forget(void* self, const std::string& sid) {
    auto& me = *static_cast<session_table*>(self);
    auto node = me.entries_.extract(sid);
    if (node.empty())
      return;
    --me.counters_.sessions;
    // Whoever called into the session may still be inside it.
    me.home_.post([last = std::move(node.mapped())] {});
  }

  /// Adds every session that lives.
  void collect(std::vector<std::weak_ptr<session::session_core>>& to) const {
    for (const auto& [sid, x] : entries_)
      to.push_back(std::shared_ptr<session::session_core>{x, &x->session});
  }

  /// Drops every session.
  void close_all() {
    auto all = entries_;
    for (const auto& [sid, x] : all)
      x->session.abort(session::close_reason::shutdown);
  }

private:
  loop& home_;
  engine_counters& counters_;
  std::unordered_map<std::string_view, std::shared_ptr<Entry>> entries_;
};

} // namespace signalbox::net
