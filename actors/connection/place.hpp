#pragma once

#include "actors/api/handles.hpp"
#include "actors/api/member.hpp"
#include "actors/connection/hold.hpp"
#include "transports/codec/short_text.hpp"
#include "transports/session/handler.hpp"

#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

class connection_impl;
struct deliver;

/// The part of a connection's place that is needed on the way in.
struct arrival {
  /// How often the site is asked for one CONNECT while it keeps changing what
  /// it said.
  static constexpr unsigned most = 4;

  /// The CONNECT auth payload, in case that the site is asked again.
  std::string auth;
  /// Rooms of the verdict.
  std::vector<std::string> rooms;
  /// How often the site was asked since it last had no verdict.
  unsigned asked = 0;
  /// Verdicts of before this stamp are void.
  uint64_t not_before = 0;
  /// How often the site had no verdict.
  unsigned failures = 0;
  /// Until the site is asked again.
  std::optional<hold> held;
};

/// A connection's place in one namespace, from its CONNECT on.
class place : public member {
public:
  /// Where it stands on its way in.
  enum class stage : uint8_t {
    /// The site is being asked.
    asking,
    /// The site had no verdict, and will be asked again.
    held,
    /// USERS is taking it up.
    attaching,
    /// Events flow.
    joined,
    /// A publisher of the site; receives nothing.
    publisher,
  };

  /// `name` is the namespace's own, which outlives it.
  place(connection_impl& owner, const std::string& name)
    : nsp(name), owner_(owner) {
    // nop
  }

  bool deliver(const codec::shared_event& event, bool volatile_) override;

  bool joined_before(uint32_t count) const noexcept override {
    // Of the last 32,767 losses; a place that is older counts as new
    // once in a while.
    return static_cast<uint16_t>(count - 1 - losses) < 0x8000;
  }

  void namespace_down() override;

  /// Returns whether packets of the client are welcome.
  bool inside() const noexcept {
    return at == stage::joined || at == stage::publisher;
  }

  /// Joins, with the rooms of the verdict, when so many nodes had been lost.
  void enter(signalbox::hub& to, uint32_t lost);

  /// Is to receive what its user does, by the right of a key.
  void listen_as(const std::string& name);

  /// Notes an ack that the client will owe. Returns the id to ask with,
  /// nothing if it owes `most` already.
  std::optional<uint64_t> owe(uint64_t confirm, int64_t until, size_t most);

  /// Takes an ack. Returns the confirm it is for, 0 if none awaits it.
  uint64_t settle(std::optional<uint64_t> id);

  /// Says that the client will not get the event of a confirm, or those of all
  /// acks that it owes.
  void tell_dropped(const ingest_actor& to, uint64_t confirm) const;
  void tell_dropped(const ingest_actor& to) const;

  /// Leaves and enters rooms, once it has joined.
  void change_rooms(const signalbox::change_rooms& x);

  /// Forgets the acks whose time is over. Returns whether it was held for long
  /// enough.
  bool expire(int64_t now);

  /// Holds the CONNECT until the site is asked again, for longer each time;
  /// counted in `gauge`.
  void hold_from(int64_t now, std::atomic<int64_t>& gauge);

  /// Returns when it is due or the next ack expires, or `otherwise` if that is
  /// sooner; 0 stands for never.
  int64_t next_expiry(int64_t otherwise) const;

  const std::string& nsp;
  codec::connection_id sid;
  std::string user;
  /// The hub it is a member of; null until it has joined.
  signalbox::hub* hub = nullptr;
  /// Names the question under way; a late answer to an earlier one is void.
  uint64_t ticket = 0;
  /// Null once it has joined.
  std::unique_ptr<arrival> arriving;
  /// Index of a publisher's credential.
  uint32_t key = 0;
  /// Nodes that were lost before it joined, the lowest bits.
  uint16_t losses = 0;
  stage at = stage::asking;
  /// It sees what the user receives by a key, and says nothing for the user.
  bool listens = false;

private:
  struct owed {
    uint64_t confirm = 0;
    int64_t until = 0;
  };

  /// What the client owes by the ids of the acks, which never come again.
  struct debts {
    uint64_t next = 0;
    std::map<uint64_t, owed> acks;
  };

  connection_impl& owner_;
  /// Null until something was owed.
  std::unique_ptr<debts> debts_;
};

/// The places of one connection, in no order. Most have one.
class places {
public:
  bool empty() const noexcept {
    return all_.empty();
  }

  size_t size() const noexcept;

  /// Returns whether packets of the client are welcome in any namespace.
  bool inside() const noexcept;

  place& add(connection_impl& owner, const std::string& nsp) {
    return all_.emplace_front(owner, nsp);
  }

  void remove(const place& x);

  place& front() {
    return all_.front();
  }

  auto begin() noexcept {
    return all_.begin();
  }

  auto end() noexcept {
    return all_.end();
  }

  /// Return the one that fits, null if there is none: in a namespace; at a
  /// stage, with a question under way; joined, by its id.
  place* find(const std::string& nsp);
  place* find(uint64_t ticket, place::stage at);
  place* find_sid(std::string_view sid);

  /// Returns the one that an event is for, null if it has left, or has come
  /// since the event was sent.
  place* find_receiver(const deliver& x);

private:
  template <class F>
  place* find_if(F wanted);

  std::forward_list<place> all_;
};

} // namespace signalbox
