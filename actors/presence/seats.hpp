#pragma once

#include "actors/api/messages.hpp"
#include "actors/api/wire.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace signalbox {

/// The connections of this node, by user and by id. Part of USERS.
class seats {
public:
  /// One membership of one connection.
  struct seat {
    connection_actor who;
    std::string nsp;
    std::string sid;
    std::string transport;
    std::string dialect;
    int64_t since = 0;
  };

  /// A user with connections here.
  struct user {
    std::vector<seat> all;
    std::string info;
    /// Node that keeps the record.
    uint16_t home = 0;
  };

  /// A seat with its owner; nobody's has an empty name.
  struct found {
    std::string user;
    seat at;
  };

  /// Adds a membership.
  void add(const presence_attach& x, uint16_t home);

  /// Removes a membership. Returns it, nothing if it was not there.
  std::optional<found> remove(const std::string& sid);

  /// Notes a new transport.
  void move(const moved& x);

  /// Returns a user, null for one without connections here.
  const user* find(const std::string& name) const;

  /// Returns a connection by its id, null if it is not here.
  const seat* find_sid(const std::string& sid) const;

  /// Sends an event to a user's connections in its namespace. Returns how
  /// many.
  uint64_t push(const std::string& name, const deliver_users& x) const;

  std::unordered_map<std::string, user>& users() noexcept {
    return users_;
  }

  void clear();

private:
  std::unordered_map<std::string, user> users_;
  /// Connections of nobody in particular, by id.
  std::unordered_map<std::string, seat> nobody_;
  /// Connection id -> user.
  std::unordered_map<std::string, std::string> owners_;
};

/// Returns what names a connection among those of its node.
uint64_t connection_number(const connection_actor& x);

/// Returns a user's seats as they are reported to the home.
wire::hold describe(const std::string& name, const seats::user& x);

/// Returns `{"id":...}`, as the API shows a connection.
std::string to_json(const seats::seat& x);

} // namespace signalbox
