#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/messages.hpp"
#include "actors/api/settings.hpp"
#include "actors/shard/light_actor.hpp"
#include "transports/codec/short_text.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// One online user's record, on the user's home node: which connections there
/// are, on which nodes, in which namespaces; the nodes know the connections
/// themselves. USERS on the same shard asks it directly; everything that
/// changes it comes through there. It ends when the leave grace after the last
/// connection has passed; if it ends otherwise, the nodes report their
/// connections again and make a new one.
class presence : public light_actor {
public:
  /// One seat: a connection in a namespace.
  struct entry {
    uint16_t node = 0;
    /// USERS' index of the namespace.
    uint16_t nsp = 0;
    /// Names the connection on its node.
    uint64_t connection = 0;
    /// Whether its node takes this one for the user's home and will say so if
    /// that changes.
    bool claimed = true;

    /// Returns whether both are the same seat.
    friend bool operator==(const entry& x, const entry& y) {
      return x.node == y.node && x.nsp == y.nsp && x.connection == y.connection;
    }
  };

  /// Keeps the records, and outlives them.
  class keeper {
  public:
    /// The record ends; `in_order` tells whether it was to.
    virtual void on_ended(presence& x, bool in_order) = 0;

  protected:
    ~keeper() = default;
  };

  presence(caf::actor_config& cfg, shard& at, std::string user,
           uint64_t version, const presence_settings& opts, counters& count,
           keeper& owner);

  const char* name() const override;

  const std::string& user() const noexcept {
    return user_;
  }

  /// Rises by one with each connection that comes or goes while the user's home
  /// is here.
  uint64_t version() const noexcept {
    return version_;
  }

  const std::vector<entry>& entries() const noexcept {
    return entries_;
  }

  /// JSON object the site gave with its last verdict; may be empty.
  std::string_view info() const noexcept {
    return info_;
  }

  /// USERS' index of the namespace that verdict was for.
  uint16_t info_nsp() const noexcept {
    return info_nsp_;
  }

  /// Adds a seat, or does nothing if it is known. If its connection is
  /// one too many, returns `too_many_connections`, or removes those of the
  /// oldest connection and puts one of them in `displaced`, as
  /// `presence.when-full` says.
  ec add(const entry& x, const std::string& info,
         std::optional<entry>& displaced);

  /// Removes a seat. Returns whether it was there.
  bool remove(const entry& x);

  /// Puts `now` in the place of everything known of a node.
  void replace(uint16_t node, const std::vector<entry>& now);

  /// Removes the seats that no node claims any more in a view in which the
  /// home is elsewhere.
  void drop_unclaimed();

  /// Tells whether the user's home is here. If not, the version is lifted only:
  /// the record there begins above what this one had as long as it counted.
  void set_home(bool here) noexcept {
    home_here_ = here;
  }

  /// Raises the version: another record of the user may have had as much.
  void lift(uint64_t version) noexcept {
    version_ = std::max(version_, version);
  }

  /// Replaces the info, which a verdict for the namespace `nsp` gave.
  void set_info(const std::string& info, uint16_t nsp);

  /// Ends it without waiting for the grace: its home is elsewhere.
  void dismiss();

protected:
  void receive(caf::mailbox_element& x) override;
  void on_end(const caf::error& reason) override;

private:
  void arm();
  void on_grace_over();

  void rise(uint64_t by) noexcept {
    if (home_here_)
      version_ += by;
  }

  const presence_settings& opts_;
  population population_;
  /// Null when it has been told of the end.
  keeper* owner_;
  std::string user_;
  codec::rare_text info_;
  uint16_t info_nsp_ = 0;
  uint64_t version_;
  std::vector<entry> entries_;
  session::rare_timer grace_;
  bool home_here_ = true;
  bool in_order_ = false;
};

} // namespace signalbox
