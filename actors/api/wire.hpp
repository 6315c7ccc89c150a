#pragma once

#include "actors/api/error.hpp"

#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// What nodes say to each other, in batches on the link between two of them.
// `from` is the node it came from, set by the link; it is not sent. Tags and
// the order of fields never change; new fields come last (docs/cluster.md).

namespace signalbox::wire {

/// Version of everything below. Nodes of different `major` do not talk.
constexpr uint16_t major_version = 1;
constexpr uint16_t minor_version = 0;

#define SIGNALBOX_WIRE(name, number)                                           \
  static constexpr uint8_t tag = number;                                       \
  static constexpr const char* label = #name;                                  \
  uint16_t from = 0

#define SIGNALBOX_INSPECT(name, ...)                                           \
  template <class Inspector>                                                   \
  typename Inspector::result_type inspect(Inspector& f,                        \
                                          [[maybe_unused]] name& x) {          \
    return f(caf::meta::type_name("signalbox.wire." #name) __VA_OPT__(, )      \
               __VA_ARGS__);                                                   \
  }

// -- LINK: outside of the numbered batches
// -------------------------------------

/// A node and where it listens.
struct member {
  uint16_t node = 0;
  std::string address;
};
SIGNALBOX_INSPECT(member, x.node, x.address)

/// Opens a session between two nodes, and answers it likewise. The first
/// fields are read whatever the version.
struct hello {
  SIGNALBOX_WIRE(hello, 100);
  std::string cluster;
  uint16_t major = major_version;
  uint16_t minor = minor_version;
  uint16_t node = 0;
  /// Drawn when the sender's process started.
  uint64_t incarnation = 0;
  /// Names the session; chosen by who dialed.
  uint64_t session = 0;
  /// Where the sender listens.
  std::string address;
  /// The last stream of batches that the sender knows of the receiver, and the
  /// number of its last batch: what follows that one is sent again.
  uint64_t stream = 0;
  uint64_t received = 0;
  std::vector<member> known;
};
SIGNALBOX_INSPECT(hello, x.cluster, x.major, x.minor, x.node, x.incarnation,
                  x.session, x.address, x.stream, x.received, x.known)

/// Refuses a session.
struct refusal {
  SIGNALBOX_WIRE(refusal, 101);
  std::string why;
  /// The sender if it has a session with the receiver already, else 0.
  uint16_t node = 0;
};
SIGNALBOX_INSPECT(refusal, x.why, x.node)

/// The sender's batches are numbered anew.
struct restart {
  SIGNALBOX_WIRE(restart, 104);
  uint64_t stream = 0;
};
SIGNALBOX_INSPECT(restart, x.stream)

/// A sign of life.
struct ping {
  SIGNALBOX_WIRE(ping, 102);
  /// Time of the sender's clock, comes back in `pong`; in microseconds.
  int64_t time = 0;
  /// Presence versions of the sender are below this.
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

// -- USERS --------------------------------------------------------------------

/// Adds a membership of a connection to a user's record.
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

/// Takes a membership away.
struct detach {
  SIGNALBOX_WIRE(detach, 12);
  std::string user;
  std::string nsp;
  uint64_t connection = 0;
};
SIGNALBOX_INSPECT(detach, x.user, x.nsp, x.connection)

/// One membership in `hold`.
struct seat {
  std::string nsp;
  uint64_t connection = 0;
};
SIGNALBOX_INSPECT(seat, x.nsp, x.connection)

/// All memberships of a user at the sender, in place of those known before.
struct hold {
  SIGNALBOX_WIRE(hold, 13);
  std::string user;
  std::string info;
  std::vector<seat> seats;
  /// Version of the record when the sender last heard of it.
  uint64_t version = 0;
};
SIGNALBOX_INSPECT(hold, x.user, x.info, x.seats, x.version)

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

/// Asks which nodes hold some users in a namespace.
struct locate {
  SIGNALBOX_WIRE(locate, 16);
  uint64_t ticket = 0;
  std::string nsp;
  std::vector<std::string> users;
  /// View of the asker; another view cannot be answered.
  uint64_t view = 0;
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
};
SIGNALBOX_INSPECT(deliver, x.ticket, x.nsp, x.users, x.args, x.attachments,
                  x.volatile_, x.confirm, x.confirm_ms, x.origin, x.number)

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
};
SIGNALBOX_INSPECT(broadcast, x.ticket, x.nsp, x.args, x.attachments, x.rooms,
                  x.volatile_, x.origin, x.number)

/// Has the receiver, the sequencer of the namespace, send an event to users
/// or else to rooms or everybody, as if it had been accepted there.
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
};
SIGNALBOX_INSPECT(routed, x.ticket, x.matched, x.online, x.offline, x.found,
                  x.unreachable)

/// A client has acknowledged an event of the receiver.
struct confirmed {
  SIGNALBOX_WIRE(confirmed, 23);
  uint64_t confirm = 0;
  std::string user;
};
SIGNALBOX_INSPECT(confirmed, x.confirm, x.user)

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
};
SIGNALBOX_INSPECT(command, x.ticket, x.what, x.connections, x.ids, x.nsp,
                  x.join, x.leave)

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

// -- INGEST, through RELAY ----------------------------------------------------

/// Asks whether an event with this idempotency key was accepted before.
struct claim {
  SIGNALBOX_WIRE(claim, 27);
  uint64_t ticket = 0;
  /// Name of the credential.
  std::string credential;
  std::string key;
  std::string id;
  uint64_t seq = 0;
  /// Whether the receiver decides, as the key's owner, and is to remember it.
  bool owner = true;
};
SIGNALBOX_INSPECT(claim, x.ticket, x.credential, x.key, x.id, x.seq, x.owner)

/// Answers `claim`.
struct claimed {
  SIGNALBOX_WIRE(claimed, 28);
  uint64_t ticket = 0;
  /// `none`, or why the event must be refused.
  ec outcome = ec::none;
  /// Whether it was accepted before; the rest is about that event then.
  bool dup = false;
  std::string id;
  uint64_t seq = 0;
  uint64_t matched = 0;
  uint64_t online = 0;
};
SIGNALBOX_INSPECT(claimed, x.ticket, x.outcome, x.dup, x.id, x.seq, x.matched,
                  x.online)

/// Tells the owner of a key whom the event reached.
struct claim_settled {
  SIGNALBOX_WIRE(claim_settled, 29);
  std::string credential;
  std::string key;
  std::string id;
  uint64_t matched = 0;
  uint64_t online = 0;
};
SIGNALBOX_INSPECT(claim_settled, x.credential, x.key, x.id, x.matched, x.online)

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
  /// Session of the link that it was meant for: what is sent again in a later
  /// one comes too late.
  uint64_t session = 0;
};
SIGNALBOX_INSPECT(tunnel, x.what, x.from_opener, x.id, x.listener, x.sid,
                  x.peer, x.secure, x.bytes, x.credit, x.session)

} // namespace signalbox::wire
