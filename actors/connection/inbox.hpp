#pragma once

#include "actors/connection/connection.hpp"
#include "actors/connection/place.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox {

/// The events of one client that are not handled yet: those of a publisher that
/// INGEST routes, and those of a browser, which go to the site in the order in
/// which they came, a few at a time. Part of CONNECTION.
class inbox {
public:
  /// The CONNECTION.
  class owner {
  public:
    virtual connection_actor handle() = 0;

    /// Acknowledges an event to the client.
    virtual void ack(const std::string& nsp, uint64_t id,
                     std::string_view args) = 0;

    /// The inbox is full, or has room again.
    virtual void on_inbox(bool full) = 0;

  protected:
    ~owner() = default;
  };

  inbox(owner& who, const connection_context& shared)
    : owner_(who), shared_(shared) {
    // nop
  }

  ~inbox();

  inbox(const inbox&) = delete;
  inbox& operator=(const inbox&) = delete;

  /// The client has gone. Returns whether events wait that may still go to the
  /// site, until `deadline`: the client has given its places back, so those of
  /// all clients that have gone are bounded together. The others are dropped.
  bool linger(int64_t now);

  /// Sends an event of a publisher to INGEST. `now` is in milliseconds, as in
  /// all that follows.
  void publish(const place& from, const socket::packet& x, int64_t now);

  /// Sends an event of a browser to the site when its turn comes. `presented`
  /// is what its client did.
  void forward(const place& from, const socket::packet& x,
               std::shared_ptr<const session::handshake> presented,
               int64_t now);

  /// An event is handled.
  void on_published(const published& x, int64_t now);
  void on_forwarded(const event_forwarded& x, int64_t now);

  /// Drops the events that wait for their turn, of one namespace or, without a
  /// name, of all. Returns how many.
  size_t drop(const std::string* nsp);

  bool empty() const noexcept {
    return entries_.empty();
  }

  /// Returns whether events wait for their turn at the site.
  bool waits() const noexcept {
    return !waiting_.empty();
  }

  /// Returns whether no more events may come; see `limits.inbox-packets`.
  bool full() const noexcept;

  /// Returns when a full inbox has waited too long without an event being
  /// handled, or one whose client has gone, at all; 0 for any other.
  int64_t deadline() const noexcept;

private:
  /// Where the ack of an event goes.
  struct entry {
    std::string nsp;
    /// Nothing if the client wants none.
    std::optional<uint64_t> id;
    size_t bytes = 0;
  };

  uint64_t take_up(const socket::packet& x, int64_t now);
  void send_next();
  void settle(uint64_t ticket, std::string_view args, bool handled,
              int64_t now);
  void note_room();

  owner& owner_;
  const connection_context& shared_;
  std::map<uint64_t, entry> entries_;
  std::deque<forward_event> waiting_;
  size_t at_site_ = 0;
  size_t bytes_ = 0;
  uint64_t last_ticket_ = 0;
  /// Since when it is full without an event being handled; 0 if it is not.
  int64_t full_since_ = 0;
  /// When the events of a client that has gone are given up, and their bytes.
  int64_t lingers_until_ = 0;
  int64_t lingering_ = 0;
};

} // namespace signalbox
