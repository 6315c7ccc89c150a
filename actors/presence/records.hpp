#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/messages.hpp"
#include "actors/api/settings.hpp"
#include "actors/api/wire.hpp"
#include "actors/presence/presence.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace signalbox {

/// The records of the users who have their home on this node. Part of USERS.
class records : private presence::keeper {
public:
  /// The functions by which the records tell and ask; all on USERS' shard.
  struct links {
    /// Returns a number above every version a record had elsewhere.
    std::function<uint64_t()> version_floor;
    /// Returns whether a user's home is here.
    std::function<bool(const std::string& user)> here;
    /// A record was lost; these nodes knew the user's connections.
    std::function<void(const std::string& user,
                       const std::vector<uint16_t>& nodes)>
      on_lost;
    /// A newer connection of a user took the place of this one.
    std::function<void(const std::string& user, uint16_t node,
                       uint64_t connection)>
      on_displaced;
  };

  records(shard& home, const std::map<std::string, nsp_actor>& nsps,
          const presence_settings& opts, counters& count, links to);

  /// Adds a seat; the first one brings the user online. `claimed` tells
  /// whether the node takes this one for the user's home.
  ec add(uint16_t node, const std::string& user, const std::string& info,
         const wire::seat& x, bool claimed = true);

  /// Removes a seat.
  void remove(uint16_t node, const std::string& user, const wire::seat& x);

  /// Replaces the seats of a user at a node.
  void hold(uint16_t node, const wire::hold& x);

  /// Forgets a user at a node. The record ends at once if that was all and the
  /// user's home is elsewhere.
  void release(uint16_t node, const std::string& user);

  /// Forgets nodes that are gone, and records that belong elsewhere unless a
  /// node still claims them: views differ for a while, and a seat forgotten
  /// here while its node does not see the home move would never be reported
  /// again.
  void keep(const std::function<bool(uint16_t node)>& lives);

  /// Says where a user is.
  wire::whereabouts locate(const std::string& user,
                           const std::string& nsp) const;

  /// Returns the record of a user, null if there is none.
  const presence* find(const std::string& user) const;
  presence_actor handle(const std::string& user) const;

  /// Returns the namespaces in which a user has connections; empty without a
  /// record.
  std::vector<std::string> namespaces(const std::string& user) const;

  /// Returns the namespace whose verdict gave a record its info.
  const std::string& info_nsp(const presence& x) const {
    return nsps_[x.info_nsp()].first;
  }

  /// Returns the version of a user's record, 0 if there is none. It is not
  /// below those of all records that the user had before in other places.
  uint64_t version(const std::string& user);

  /// Ends all records.
  void clear();

private:
  presence& find_or_make(const std::string& user);
  void on_ended(presence& x, bool in_order) override;
  uint16_t index(const std::string& nsp);
  std::vector<uint16_t> namespaces(const presence& x) const;
  void recount(const std::vector<uint16_t>& before,
               const std::vector<uint16_t>& after);
  /// Changes a record and tells the namespaces that the user comes or goes.
  void change(presence& x, const std::function<void()>& fun);
  void end_if(const std::function<bool(const presence& x)>& wanted);

  shard& home_;
  const presence_settings& opts_;
  counters& count_;
  links to_;
  /// Namespaces by index, with their actors; null for one that is not ours.
  std::vector<std::pair<std::string, nsp_actor>> nsps_;
  /// The keys are the records' own names of the users.
  std::unordered_map<std::string_view, presence_actor> records_;
  /// The highest version of the records that have ended.
  uint64_t last_version_ = 0;
  bool stopping_ = false;
};

} // namespace signalbox
