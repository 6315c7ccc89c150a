#pragma once

#include "actors/api/error.hpp"
#include "actors/api/wire_item.hpp"

#include <cstdint>
#include <string>
#include <vector>

// Messages between USERS.

namespace signalbox::wire {

// -- USERS --------------------------------------------------------------------

/// Adds a seat, a connection in a namespace, to a user's record.
struct attach {
  SIGNALBOX_WIRE(attach, 10);
  uint64_t ticket = 0;
  std::string user;
  std::string info;
  std::string nsp;
  /// Names the connection among those of its node.
  uint64_t connection = 0;
  /// Whether the sender takes the receiver for the user's home.
  bool home = true;
};
SIGNALBOX_INSPECT(attach, x.ticket, x.user, x.info, x.nsp, x.connection, x.home)

/// Answers `attach`.
struct attached {
  SIGNALBOX_WIRE(attached, 11);
  uint64_t ticket = 0;
  ec outcome = ec::none;
};
SIGNALBOX_INSPECT(attached, x.ticket, x.outcome)

/// Takes a seat away.
struct detach {
  SIGNALBOX_WIRE(detach, 12);
  std::string user;
  std::string nsp;
  uint64_t connection = 0;
};
SIGNALBOX_INSPECT(detach, x.user, x.nsp, x.connection)

/// One seat in `hold`.
struct seat {
  std::string nsp;
  uint64_t connection = 0;
};
SIGNALBOX_INSPECT(seat, x.nsp, x.connection)

/// All seats of a user at the sender, in place of those known before.
struct hold {
  SIGNALBOX_WIRE(hold, 13);
  std::string user;
  std::string info;
  std::vector<seat> seats;
  /// Version of the record when the sender last heard of it.
  uint64_t version = 0;
  /// Namespace of the verdict that gave the info.
  std::string info_nsp{};
};
SIGNALBOX_INSPECT(hold, x.user, x.info, x.seats, x.version, x.info_nsp)

/// The sender has found the user another home.
struct release {
  SIGNALBOX_WIRE(release, 14);
  std::string user;
};
SIGNALBOX_INSPECT(release, x.user)

/// The record was lost; the receiver is to `hold` the user again.
struct recall {
  SIGNALBOX_WIRE(recall, 15);
  std::string user;
};
SIGNALBOX_INSPECT(recall, x.user)

/// A newer connection of the user takes the place of one at the receiver,
/// which is to be disconnected.
struct displace {
  SIGNALBOX_WIRE(displace, 18);
  std::string user;
  /// Names the connection among those of its node.
  uint64_t connection = 0;
};
SIGNALBOX_INSPECT(displace, x.user, x.connection)

/// Asks which nodes hold some users in a namespace.
struct locate {
  SIGNALBOX_WIRE(locate, 16);
  uint64_t ticket = 0;
  std::string nsp;
  std::vector<std::string> users;
  /// View of the asker; another view cannot be answered.
  uint64_t view = 0;
  /// Whether the view was settled when it came; set by the link, not sent.
  bool settled_here = true;
};
SIGNALBOX_INSPECT(locate, x.ticket, x.nsp, x.users, x.view)

/// Where one user is.
struct whereabouts {
  /// Whether there is a record.
  bool known = false;
  /// Connections in the namespace.
  uint32_t online = 0;
  std::vector<uint16_t> nodes;
};
SIGNALBOX_INSPECT(whereabouts, x.known, x.online, x.nodes)

/// Answers `locate`.
struct located {
  SIGNALBOX_WIRE(located, 17);
  uint64_t ticket = 0;
  /// Whether the answer can be relied on.
  bool settled = false;
  /// In the order of the question.
  std::vector<whereabouts> users;
};
SIGNALBOX_INSPECT(located, x.ticket, x.settled, x.users)

} // namespace signalbox::wire
