#pragma once

#include "actors/api/error.hpp"
#include "actors/api/wire_item.hpp"

#include <cstdint>
#include <string>
#include <vector>

// Messages between RELAYs.

namespace signalbox::wire {

// -- RELAY --------------------------------------------------------------------

/// Pushes an event to the connections of some users at the receiver.
struct deliver {
  SIGNALBOX_WIRE(deliver, 20);
  /// Number for `routed`; 0 if no answer is wanted.
  uint64_t ticket = 0;
  std::string nsp;
  std::vector<std::string> users;
  /// JSON text of the event array with placeholders.
  std::string args;
  std::vector<std::string> attachments;
  bool volatile_ = false;
  /// Number for `confirmed`; 0 for none.
  uint64_t confirm = 0;
  int64_t confirm_ms = 0;
  /// In sequenced namespaces: what tells an event that comes again.
  uint64_t origin = 0;
  uint64_t number = 0;
  /// As in `deliver_users`.
  bool scoped = false;
  /// As in `deliver_users`; set by the link, not sent.
  uint32_t before = 0;
};
SIGNALBOX_INSPECT(deliver, x.ticket, x.nsp, x.users, x.args, x.attachments,
                  x.volatile_, x.confirm, x.confirm_ms, x.origin, x.number,
                  x.scoped)

/// Pushes an event to the members of a namespace, or of some of its rooms, at
/// the receiver.
struct broadcast {
  SIGNALBOX_WIRE(broadcast, 21);
  uint64_t ticket = 0;
  std::string nsp;
  std::string args;
  std::vector<std::string> attachments;
  std::vector<std::string> rooms;
  bool volatile_ = false;
  /// As in `deliver`.
  uint64_t origin = 0;
  uint64_t number = 0;
  uint32_t before = 0;
};
SIGNALBOX_INSPECT(broadcast, x.ticket, x.nsp, x.args, x.attachments, x.rooms,
                  x.volatile_, x.origin, x.number)

/// Has the receiver, the sequencer of the namespace, send an event to users
/// or else to rooms or all, as if it had been accepted there.
struct submit {
  SIGNALBOX_WIRE(submit, 26);
  bool to_users = false;
  deliver users;
  broadcast all;
};
SIGNALBOX_INSPECT(submit, x.to_users, x.users, x.all)

/// Answers `deliver` and `broadcast`.
struct routed {
  SIGNALBOX_WIRE(routed, 22);
  uint64_t ticket = 0;
  uint64_t matched = 0;
  uint64_t online = 0;
  /// Users without a connection at the sender.
  std::vector<std::string> offline;
  /// Which of the named rooms, or users, were found.
  std::vector<bool> found;
  /// Nodes that a sequencer could not reach.
  std::vector<uint16_t> unreachable{};
  /// `none`, or why a sequencer has refused it.
  ec outcome = ec::none;
};
SIGNALBOX_INSPECT(routed, x.ticket, x.matched, x.online, x.offline, x.found,
                  x.unreachable, x.outcome)

/// A client has acknowledged an event of the receiver, or will not get it.
struct confirmed {
  SIGNALBOX_WIRE(confirmed, 23);
  uint64_t confirm = 0;
  std::string user;
  bool dropped = false;
};
SIGNALBOX_INSPECT(confirmed, x.confirm, x.user, x.dropped)

/// Something to do with users or connections at the receiver; the fields of
/// `user_command`.
struct command {
  SIGNALBOX_WIRE(command, 24);
  uint64_t ticket = 0;
  uint8_t what = 0;
  bool connections = false;
  std::vector<std::string> ids;
  std::string nsp;
  std::vector<std::string> join;
  std::vector<std::string> leave;
  std::vector<std::string> scope{};
};
SIGNALBOX_INSPECT(command, x.ticket, x.what, x.connections, x.ids, x.nsp,
                  x.join, x.leave, x.scope)

/// Answers `command`; the fields of `user_info`.
struct command_done {
  SIGNALBOX_WIRE(command_done, 25);
  uint64_t ticket = 0;
  uint64_t version = 0;
  std::string info;
  std::vector<std::string> connections;
  std::vector<bool> online;
  uint64_t changed = 0;
};
SIGNALBOX_INSPECT(command_done, x.ticket, x.version, x.info, x.connections,
                  x.online, x.changed)

} // namespace signalbox::wire
