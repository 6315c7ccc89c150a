#pragma once

#include "actors/api/settings.hpp"

#include <functional>
#include <memory>
#include <string>

namespace signalbox::app {

/// The router: the composition root that spawns the rooms and hands out their
/// handles.
class node {
public:
  /// `opts` has been checked and outlives the node.
  explicit node(const settings& opts);
  ~node();

  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Starts everything. Returns an empty string, or what went wrong and what
  /// to do about it. `failed` is called once, on a thread of the node, if a
  /// part of it ends without which it is of no use: it is not ready any more
  /// then and has to start anew.
  std::string start(std::function<void()> failed);

  /// Returns the addresses really bound, as a JSON object.
  std::string addresses() const;

  /// Reads certificate and key anew, if there are any. Returns what went wrong;
  /// the old ones stay in use then.
  std::string reload();

  /// Warns of certificates that end soon; to be called now and then.
  void look_at_certificates();

  /// Begins to drain: not ready any more, no new sessions, and those there are
  /// close one after the other.
  void drain();

  /// Returns whether every session is closed and its client knows.
  bool drained() const;

  /// Stops everything, at once.
  void stop();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace signalbox::app
