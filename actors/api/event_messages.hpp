#pragma once

#include "actors/api/error.hpp"
#include "actors/api/handles.hpp"
#include "actors/api/wire_keys.hpp"
#include "transports/codec/encoded.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/typed_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

// Messages of events on their way, and of commands.

namespace signalbox {

// -- INGEST <-> USERS, NSP ----------------------------------------------------

/// What INGEST says of an event beside its content.
struct event_key {
  /// Name of the credential and idempotency key; empty without one.
  std::string credential;
  std::string key;
  std::string id;
  uint64_t seq = 0;
};

/// Pushes an event to every connection of some users in its namespace.
struct deliver_users {
  uint64_t ticket = 0;
  std::vector<std::string> users;
  codec::event_ptr event;
  bool volatile_ = false;
  uint64_t confirm = 0;
  int64_t confirm_ms = 0;
  /// Whether the answer counts the users with connections in the namespace
  /// only: the poster may not learn which users are online elsewhere.
  bool scoped = false;
  /// For RELAY.
  event_key claim;
  /// Not 0: it comes late, and only connections get it that joined before so
  /// many nodes had been lost; see `mesh::losses`.
  uint32_t before = 0;
};

/// Pushes an event to all members of a namespace, or those of some rooms.
struct broadcast {
  uint64_t ticket = 0;
  codec::event_ptr event;
  /// Empty for all members.
  std::vector<std::string> rooms;
  bool volatile_ = false;
  /// For RELAY.
  event_key claim;
  /// As in `deliver_users`.
  uint32_t before = 0;
};

/// Says which receivers an event reached.
struct routed {
  uint64_t ticket = 0;
  /// Users (or, for a room event, rooms) that were found.
  uint64_t matched = 0;
  /// Connections that have taken it: it leaves to them before they close.
  uint64_t online = 0;
  /// For a confirm: the users without a connection.
  std::vector<std::string> offline;
  /// Which of the named users or rooms were found, in their order.
  std::vector<bool> found;
  /// Nodes that could not be reached; some of their connections may have
  /// missed the event.
  std::vector<uint16_t> unreachable;
  /// Not `none`: the event is refused, another node says why.
  ec outcome = ec::none;
  /// It was accepted before, at another node, under this id and number.
  bool dup = false;
  std::string id{};
  uint64_t seq = 0;
};

/// A client acknowledged an event, or will not get it.
struct confirmed {
  uint64_t confirm = 0;
  std::string user;
  /// Its connection did not take it, or was closed as slow before it had
  /// acknowledged it.
  bool dropped = false;
};

/// Something to do with users or connections, by id.
struct user_command {
  enum class kind : uint8_t { show, online, disconnect, rooms };
  kind what = kind::show;
  uint64_t ticket = 0;
  /// Whether the ids are connections instead of users.
  bool connections = false;
  std::vector<std::string> ids;
  /// The namespaces that the asker's key is for; empty for all. Connections in
  /// others, and users who have only such, do not exist for it.
  std::vector<std::string> scope;
  /// For rooms: the namespace, and what changes.
  std::string nsp;
  std::vector<std::string> join;
  std::vector<std::string> leave;
};

/// Answers `user_command`.
struct user_info {
  uint64_t ticket = 0;
  /// Version of the record that was asked for, 0 without one.
  uint64_t version = 0;
  /// JSON object of the site, empty without one.
  std::string info;
  /// The user's connections as JSON objects.
  std::vector<std::string> connections;
  /// Which of the users are online, in the order of the question.
  std::vector<bool> online;
  /// Connections that were disconnected or changed.
  uint64_t changed = 0;
  /// Nodes that could not be asked.
  std::vector<uint16_t> unreachable;
};

/// Tells INGEST that the router ends. INGEST answers the events that wait for
/// acks as if their deadlines were over.
struct end_confirms {};

// -- INGEST <-> RELAY ---------------------------------------------------------

/// Which nodes live, this one included, and what names their processes.
struct live_processes {
  std::map<uint16_t, uint64_t> all;
};

/// Asks for idempotency keys, those of the next credential behind the last of
/// one.
struct list_keys {
  /// Comes back with the answer.
  uint64_t walk = 0;
  /// Where to go on: 0, or what the last answer said.
  uint64_t credential = 0;
  uint64_t position = 0;
};

/// Answers `list_keys`.
struct keys_listed {
  uint64_t walk = 0;
  /// Where to go on.
  uint64_t credential = 0;
  uint64_t position = 0;
  /// There are no more.
  bool last = false;
  std::vector<wire::held_key> keys;
};

// -- NSP <-> hub --------------------------------------------------------------

/// Pushes an event to the members on one shard.
struct fan_out {
  uint64_t ticket = 0;
  codec::event_ptr event;
  std::vector<std::string> rooms;
  bool volatile_ = false;
  /// As in `deliver_users`.
  uint32_t before = 0;
};

/// Answers `fan_out`.
struct fanned_out {
  uint64_t ticket = 0;
  /// Connections reached.
  uint64_t online = 0;
  /// Which of the named rooms have members here, one bit each.
  std::vector<bool> rooms;
};

/// The number of a namespace's online users changed.
struct member_count {
  int64_t users = 0;
};

// -- INGEST <-> TRANSPORT, CONNECTION -----------------------------------------

/// A call of the HTTP API.
struct api_call {
  transport_actor asker;
  uint64_t ticket = 0;
  std::string method;
  std::string path;
  /// Value of the Authorization header.
  std::string authorization;
  std::string body;
};

/// Answers `api_call`.
struct api_answer {
  uint64_t ticket = 0;
  unsigned status = 200;
  std::string json;
};

/// An event of a Socket.IO publisher.
struct publish {
  connection_actor asker;
  uint64_t ticket = 0;
  /// Whether the publisher wants to know what became of it.
  bool asks = false;
  /// Index of its credential in `ingest.keys`.
  size_t key = 0;
  std::string nsp;
  /// JSON literal: a string or a number.
  std::string type;
  /// JSON text of the payload, binary values as `{"$base64":...}`.
  std::string payload;
};

/// Answers `publish`: the event is routed or refused.
struct published {
  uint64_t ticket = 0;
  /// JSON object of the HTTP answer; empty if it was not asked for.
  std::string json;
};

} // namespace signalbox

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::deliver_users)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::broadcast)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::routed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::confirmed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::user_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::user_info)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::live_processes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::end_confirms)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::list_keys)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::keys_listed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::fan_out)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::fanned_out)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::member_count)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::api_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::api_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::publish)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::published)
