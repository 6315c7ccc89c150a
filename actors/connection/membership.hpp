#pragma once

#include "actors/api/member.hpp"
#include "transports/session/handler.hpp"

#include <cstddef>
#include <cstdint>
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

  explicit membership(connection_impl& owner) : owner_(owner) {
    // nop
  }

  bool deliver(const codec::shared_event& event, bool volatile_) override;
  void namespace_down() override;

  /// Returns whether packets of the client are welcome.
  bool inside() const noexcept {
    return at == stage::joined || at == stage::publisher;
  }

  /// Notes an ack that the client will owe. Returns the id to ask with,
  /// nothing if it owes `most` already.
  std::optional<uint64_t> owe(uint64_t confirm, int64_t until, size_t most);

  /// Takes an ack. Returns the confirm it is for, 0 if nobody awaits it.
  uint64_t settle(std::optional<uint64_t> id);

  /// Forgets the acks whose time is over.
  void expire(int64_t now);

  /// Returns when the next ack expires, or `otherwise` if that is sooner; 0
  /// stands for never.
  int64_t next_expiry(int64_t otherwise) const;

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

private:
  struct owed {
    uint64_t confirm = 0;
    int64_t until = 0;
  };

  connection_impl& owner_;
  uint64_t next_ack_ = 0;
  std::map<uint64_t, owed> acks_;
};

} // namespace signalbox
