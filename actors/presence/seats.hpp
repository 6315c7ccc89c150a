#pragma once

#include "actors/api/messages.hpp"
#include "actors/api/wire.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace signalbox {

/// The connections of this node, by user and by id. Part of USERS.
class seats {
public:
  /// A connection in a namespace.
  struct seat {
    connection_actor who;
    /// The seats hold it; the name of the transport lives forever.
    const std::string* nsp = nullptr;
    codec::connection_id sid;
    int64_t since = 0;
    std::string_view transport;
    codec::dialect dialect = codec::dialect::eio4;
  };

  /// A user with connections here.
  struct user {
    std::vector<seat> all;
    codec::rare_text info;
    /// Namespace of the verdict that gave the info; held by the seats.
    const std::string* info_nsp = nullptr;
    /// Node that keeps the record.
    uint16_t home = 0;
  };

  /// A seat with its user; that of an anonymous one has an empty name.
  struct found {
    std::string user;
    seat at;
  };

  /// Adds a seat.
  void add(const presence_attach& x, uint16_t home);

  /// Removes a seat. Returns it, nothing if it was not there.
  std::optional<found> remove(std::string_view sid);

  /// Notes a new transport.
  void move(const moved& x);

  /// Returns a user, null for one without connections here.
  const user* find(const std::string& name) const;

  /// Returns a connection by its id, null if it is not here.
  const seat* find_sid(std::string_view sid) const;

  /// Sends an event to the connections that the user with this index among its
  /// receivers has in its namespace; they tell `to` if they take it. Returns
  /// how many there are.
  uint64_t push(const deliver_users& x, uint32_t index,
                const std::shared_ptr<receipt>& to) const;

  using by_name = std::unordered_map<std::string, user>;

  by_name& users() noexcept {
    return users_;
  }

  void clear();

private:
  template <class T>
  using by_id = std::unordered_map<codec::connection_id, T,
                                   codec::connection_id::hash, std::equal_to<>>;

  static std::vector<seat>::iterator find_in(user& x, std::string_view sid);

  std::set<std::string> nsps_;
  by_name users_;
  /// Connections of anonymous users.
  by_id<seat> nobody_;
  by_id<by_name::value_type*> owners_;
};

/// Returns the number that names a connection on its node.
uint64_t connection_number(const connection_actor& x);

/// Returns a user's seats as they are reported to the home.
wire::hold describe(const std::string& name, const seats::user& x);

/// Returns `{"id":...}`, as the API shows a connection.
std::string to_json(const seats::seat& x);

} // namespace signalbox
