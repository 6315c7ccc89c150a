#pragma once

#include "actors/api/member.hpp"
#include "transports/session/handler.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace signalbox {

class connection_impl;

/// A connection's place in one namespace, from its CONNECT on.
class membership : public member {
public:
  /// Where it stands on its way in.
  enum class stage : uint8_t {
    /// The site is being asked.
    asking,
    /// USERS is taking it up.
    attaching,
    /// Events flow.
    joined,
    /// A publisher of the site; receives nothing.
    publisher,
  };

  /// An ack that the client owes.
  struct owed {
    uint64_t confirm = 0;
    int64_t until = 0;
  };

  explicit membership(connection_impl& owner) : owner_(owner) {
    // nop
  }

  bool deliver(const codec::shared_event& event, bool volatile_) override;
  void namespace_down() override;
  void reattach(const std::string& lost) override;

  stage at = stage::asking;
  std::string nsp;
  std::string sid;
  std::string user;
  std::string info;
  /// The hub it is a member of; null until it has joined.
  signalbox::hub* hub = nullptr;
  /// Names the question under way; a late answer to an earlier one is void.
  uint64_t ticket = 0;
  /// Rooms of the verdict, joined with the membership.
  std::vector<std::string> first_rooms;
  /// Index of a publisher's credential.
  size_t key = 0;
  /// Id of the next event that asks for an ack.
  uint64_t next_ack = 0;
  std::map<uint64_t, owed> acks;

private:
  connection_impl& owner_;
};

} // namespace signalbox
