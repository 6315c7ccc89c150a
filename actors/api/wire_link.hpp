#pragma once

#include "actors/api/wire_item.hpp"

#include <cstdint>
#include <string>
#include <vector>

// Messages between links and MEMBERSHIPs, and what they carry for clients.

namespace signalbox::wire {

// -- LINK, outside of the numbered batches ------------------------------------

/// A node and where it listens.
struct member {
  uint16_t node = 0;
  std::string address;
};
SIGNALBOX_INSPECT(member, x.node, x.address)

/// Tells whether nodes agree on a part of their settings, and no more of it.
struct fingerprint {
  /// Name of the setting.
  std::string setting;
  uint64_t value = 0;
};
SIGNALBOX_INSPECT(fingerprint, x.setting, x.value)

/// Opens a session between two nodes, and answers it likewise. The first
/// fields are read in every version.
struct hello {
  SIGNALBOX_WIRE(hello, 100);
  std::string cluster;
  uint16_t major = major_version;
  uint16_t minor = minor_version;
  uint16_t node = 0;
  /// Drawn when the sender's process started.
  uint64_t incarnation = 0;
  /// Names the session; the node that dialed chose it.
  uint64_t session = 0;
  /// Where the sender listens.
  std::string address;
  /// The last stream of batches that the sender knows of the receiver, and the
  /// number of its last batch: what follows that one is sent again.
  uint64_t stream = 0;
  uint64_t received = 0;
  std::vector<member> known;
  /// The same as in `floor`.
  uint64_t floor = 0;
  /// How long the sender's process has run, in milliseconds.
  uint64_t age = 0;
  /// Of what all nodes have alike.
  std::vector<fingerprint> alike;
};
SIGNALBOX_INSPECT(hello, x.cluster, x.major, x.minor, x.node, x.incarnation,
                  x.session, x.address, x.stream, x.received, x.known, x.floor,
                  x.age, x.alike)

/// Refuses a session.
struct refusal {
  SIGNALBOX_WIRE(refusal, 101);
  std::string why;
  /// The sender if it has a session with the receiver already, else 0.
  uint16_t node = 0;
  /// Whether the number of the receiver belongs to a node that was there
  /// before.
  bool taken = false;
};
SIGNALBOX_INSPECT(refusal, x.why, x.node, x.taken)

/// Begins the batches of a session; of a stream that the receiver does not
/// know with number 1.
struct restart {
  SIGNALBOX_WIRE(restart, 104);
  uint64_t stream = 0;
  /// Up to this number they were filled before the session: what they say about
  /// views and users is out of date.
  uint64_t old = 0;
};
SIGNALBOX_INSPECT(restart, x.stream, x.old)

/// A sign of life.
struct ping {
  SIGNALBOX_WIRE(ping, 102);
  /// Time of the sender's clock, comes back in `pong`; in microseconds.
  int64_t time = 0;
  /// The same as in `floor`.
  uint64_t floor = 0;
};
SIGNALBOX_INSPECT(ping, x.time, x.floor)

/// Answers `ping`.
struct pong {
  SIGNALBOX_WIRE(pong, 103);
  int64_t time = 0;
};
SIGNALBOX_INSPECT(pong, x.time)

// -- MEMBERSHIP ---------------------------------------------------------------

/// What the sender's view is, and which of the receiver's it has seen. All
/// connections that belong to the receiver's records were sent before.
struct view {
  SIGNALBOX_WIRE(view, 1);
  /// Hash of the live nodes.
  uint64_t hash = 0;
  /// Counts the sender's views.
  uint64_t serial = 0;
  /// The last serial of the receiver that the sender has seen.
  uint64_t echo = 0;
};
SIGNALBOX_INSPECT(view, x.hash, x.serial, x.echo)

/// The nodes the sender knows.
struct members {
  SIGNALBOX_WIRE(members, 2);
  std::vector<member> known;
};
SIGNALBOX_INSPECT(members, x.known)

/// The sender leaves in good order and is not to be waited for.
struct leaving {
  SIGNALBOX_WIRE(leaving, 3);
};
SIGNALBOX_INSPECT(leaving)

/// The receiver is to close its sessions and to take no new ones.
struct drain {
  SIGNALBOX_WIRE(drain, 4);
};
SIGNALBOX_INSPECT(drain)

/// Comes before everything that its sender says knowing it.
struct floor {
  SIGNALBOX_WIRE(floor, 5);
  /// Records that move to another home have versions from this one on.
  uint64_t version = 0;
};
SIGNALBOX_INSPECT(floor, x.version)

// -- TRANSPORT ----------------------------------------------------------------

/// A piece of a client's connection to a session of another node; the fields
/// of `net::tunnel_frame`.
struct tunnel {
  SIGNALBOX_WIRE(tunnel, 30);
  uint8_t what = 0;
  bool from_opener = false;
  uint64_t id = 0;
  uint8_t listener = 0;
  std::string sid;
  std::string peer;
  bool secure = false;
  std::string bytes;
  uint32_t credit = 0;
  /// Session of the link that it was meant for: sent again in a later one, it
  /// comes too late.
  uint64_t session = 0;
};
SIGNALBOX_INSPECT(tunnel, x.what, x.from_opener, x.id, x.listener, x.sid,
                  x.peer, x.secure, x.bytes, x.credit, x.session)

} // namespace signalbox::wire
