#pragma once

#include "actors/api/cluster_messages.hpp"
#include "actors/api/error.hpp"
#include "actors/api/event_messages.hpp"
#include "actors/api/handles.hpp"
#include "transports/codec/dialect.hpp"
#include "transports/codec/encoded.hpp"
#include "transports/codec/short_text.hpp"
#include "transports/codec/socket/packet.hpp"
#include "transports/session/close_reason.hpp"
#include "transports/session/handshake.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Every message within a node: they carry handles of local actors or shared
// immutable bytes and never reach another node. Messages that do are in
// `wire.hpp`. The asker chooses `ticket`, which comes back with the answer.

namespace signalbox {

// -- session -> CONNECTION ----------------------------------------------------

/// The session moved from polling to a WebSocket.
struct session_upgraded {};

/// The session has ended.
struct session_closed {
  session::close_reason why = session::close_reason::client_close;
};

// -- CONNECTION <-> SITE_AUTH -------------------------------------------------

/// Asks for the site's verdict on a client, for one namespace.
struct authenticate {
  connection_actor asker;
  uint64_t ticket = 0;
  std::string nsp;
  std::shared_ptr<const session::handshake> from;
  /// The CONNECT auth payload as JSON, empty without one.
  std::string auth;
  /// Only a verdict will do that the site was asked for at this stamp or later.
  uint64_t not_before = 0;
};

/// Answers `authenticate`.
struct verdict {
  uint64_t ticket = 0;
  /// `none`: allowed; `unauthorized`; `unavailable`.
  ec outcome = ec::unavailable;
  std::string user;
  /// JSON object, empty without one.
  std::string info;
  std::vector<std::string> rooms;
  /// Stamp of when the site was asked; see `presence_attach`.
  uint64_t asked = 0;
};

/// Passes an event of a browser on to the site.
struct forward_event {
  connection_actor asker;
  uint64_t ticket = 0;
  std::string user;
  std::string nsp;
  /// JSON text of the event array, binary values as `{"$base64":...}`.
  std::string args;
  std::shared_ptr<const session::handshake> from;
  /// Whether the page waits for an ack.
  bool ack = false;
};

/// Answers `forward_event`.
struct event_forwarded {
  uint64_t ticket = 0;
  ec outcome = ec::none;
  /// JSON array: the arguments of the ack.
  std::string ack;
};

// -- CONNECTION <-> USERS -----------------------------------------------------

/// Adds a seat: a connection in a namespace.
struct presence_attach {
  connection_actor who;
  uint64_t ticket = 0;
  std::string user;
  std::string nsp;
  /// Id of the connection in the namespace.
  codec::connection_id sid;
  std::string info;
  /// A name that lives forever.
  std::string_view transport;
  codec::dialect dialect = codec::dialect::eio4;
  /// When it joined, in seconds since 1970.
  int64_t since = 0;
  /// Stamp of the question to the site. A change of the user by the site
  /// since then makes the verdict void.
  uint64_t asked = 0;
};

/// Answers `presence_attach`.
struct attached {
  uint64_t ticket = 0;
  /// `none`; `verdict_void`: ask the site anew; `too_many_connections`.
  ec outcome = ec::none;
  /// For `verdict_void`: the stamp from which on a verdict will do.
  uint64_t not_before = 0;
  /// How many nodes were lost by then; see `mesh::losses`.
  uint32_t losses = 0;
};

/// Removes a seat.
struct presence_detach {
  std::string user;
  codec::connection_id sid;
};

/// A connection changed its transport.
struct moved {
  std::string user;
  codec::connection_id sid;
  /// A name that lives forever.
  std::string_view transport;
};

class receipt;

/// Pushes an event to one connection.
struct deliver {
  codec::event_ptr event;
  codec::connection_id sid;
  bool volatile_ = false;
  /// Number of the confirm that awaits the client's ack; 0 for none.
  uint64_t confirm = 0;
  /// How long the ack is awaited, in milliseconds.
  int64_t confirm_ms = 0;
  /// Is told that the event was taken, under the index of the user.
  std::shared_ptr<signalbox::receipt> receipt{};
  uint32_t user = 0;
  /// As in `deliver_users`.
  uint32_t before = 0;
};

/// Leaves a namespace at the site's request.
struct disconnect {
  codec::connection_id sid;
};

/// Joins and leaves rooms.
struct change_rooms {
  codec::connection_id sid;
  std::vector<std::string> join;
  std::vector<std::string> leave;
};

} // namespace signalbox

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::session_upgraded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::session_closed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::authenticate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::verdict)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::forward_event)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::event_forwarded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::presence_attach)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::attached)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::presence_detach)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::moved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::deliver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::disconnect)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::change_rooms)
