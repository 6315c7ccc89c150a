#pragma once

#include "transports/net/engine_options.hpp"
#include "transports/net/loop.hpp"
#include "transports/session/session_core.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace signalbox::net {

/// Sessions that may have ended meanwhile.
using session_list = std::vector<std::weak_ptr<session::session_core>>;

/// The sessions of one service on one loop, by their ids. `Entry` has a member
/// `session`, a `session::session_core`, and is a `session_seat`.
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
    return i == entries_.end() ? nullptr : *i;
  }

  void insert(std::shared_ptr<Entry> x) {
    entries_.insert(std::move(x));
    ++counters_.sessions;
  }

  /// Drops a session that is gone; a `session::session_core::forget` whose
  /// owner is the table.
  static void forget(void* self, std::string_view sid) {
    auto& me = *static_cast<session_table*>(self);
    auto i = me.entries_.find(sid);
    if (i == me.entries_.end())
      return;
    auto last = *i;
    me.entries_.erase(i);
    last->leave();
    --me.counters_.sessions;
    // The caller may still be inside the session.
    me.home_.post([last = std::move(last)] {});
  }

  /// Adds every session that lives.
  void collect(session_list& to) const {
    for (const auto& x : entries_)
      to.push_back(std::shared_ptr<session::session_core>{x, &x->session});
  }

  /// Drops every session.
  void close_all() {
    auto all = entries_;
    for (const auto& x : all)
      x->session.abort(session::close_reason::shutdown);
  }

private:
  static std::string_view sid_of(std::string_view x) noexcept {
    return x;
  }

  static std::string_view sid_of(const std::shared_ptr<Entry>& x) noexcept {
    return x->session.sid();
  }

  struct hash {
    using is_transparent = void;

    size_t operator()(const auto& x) const noexcept {
      return std::hash<std::string_view>{}(sid_of(x));
    }
  };

  struct equal {
    using is_transparent = void;

    bool operator()(const auto& x, const auto& y) const noexcept {
      return sid_of(x) == sid_of(y);
    }
  };

  loop& home_;
  engine_counters& counters_;
  std::unordered_set<std::shared_ptr<Entry>, hash, equal> entries_;
};

} // namespace signalbox::net
