#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/messages.hpp"
#include "actors/api/settings.hpp"
#include "actors/shard/light_actor.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace signalbox {

/// One online user's record: all connections of the user, in all namespaces.
/// USERS on the same shard asks it directly; everything that changes it comes
/// through there. It ends when the leave grace after the last connection has
/// passed; if it ends otherwise, its connections report again and make a new
/// one.
class presence : public light_actor {
public:
  /// One membership of one connection.
  struct entry {
    connection_actor who;
    std::string nsp;
    std::string sid;
    std::string transport;
    std::string dialect;
    int64_t since = 0;
  };

  /// Called when the record ends; `grace_over` tells whether that was in order.
  using ended = std::function<void(presence& x, bool grace_over)>;

  presence(caf::actor_config& cfg, shard& at, std::string user,
           uint64_t version, const presence_settings& opts, counters& count,
           ended on_ended);

  const char* name() const override;

  const std::string& user() const noexcept {
    return user_;
  }

  /// Rises by one with each connection that comes or goes.
  uint64_t version() const noexcept {
    return version_;
  }

  const std::vector<entry>& entries() const noexcept {
    return entries_;
  }

  /// JSON object the site gave with its last verdict; may be empty.
  const std::string& info() const noexcept {
    return info_;
  }

  /// Adds a connection, or renews it if it is known. Returns
  /// `too_many_connections` if it is one too many.
  ec add(const presence_attach& x);

  /// Removes a connection. Returns whether it was there.
  bool remove(const std::string& sid);

  /// Notes a new transport.
  void move(const moved& x);

  /// Sends an event to the connections in its namespace. Returns how many.
  uint64_t push(const deliver_users& x);

protected:
  void receive(caf::mailbox_element& x) override;
  void on_end(const caf::error& reason) override;

private:
  void on_grace_over();

  const presence_settings& opts_;
  population population_;
  std::string user_;
  std::string info_;
  uint64_t version_;
  std::vector<entry> entries_;
  ended on_ended_;
  session::timer grace_;
  bool grace_over_ = false;
};

} // namespace signalbox
