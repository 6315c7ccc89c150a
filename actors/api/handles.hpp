#pragma once

#include <caf/actor.hpp>
#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>

// Every actor interface of the router. An actor's room implements the alias of
// the same name; other rooms know nothing else about it.

namespace signalbox {

struct api_answer;
struct api_call;
struct presence_attach;
struct attached;
struct authenticate;
struct broadcast;
struct change_rooms;
struct confirmed;
struct deliver;
struct dialed;
struct deliver_users;
struct presence_detach;
struct disconnect;
struct event_forwarded;
struct fan_out;
struct fanned_out;
struct forward_event;
struct keys_listed;
struct link_open;
struct list_keys;
struct live_processes;
struct end_confirms;
struct member_count;
struct moved;
struct publish;
struct published;
struct routed;
struct session_closed;
struct session_upgraded;
struct user_command;
struct user_info;
struct verdict;
struct view_changed;

namespace wire {

struct attach;
struct attached;
struct claim;
struct claim_settled;
struct claimed;
struct detach;
struct displace;
struct hold;
struct keys;
struct locate;
struct recall;
struct release;

} // namespace wire

/// The CONNECTION: one browser (or site) connection.
using connection_actor = caf::typed_actor<
  // The session moved from polling to a WebSocket.
  caf::reacts_to<session_upgraded>,
  // The session has ended; the actor ends too.
  caf::reacts_to<session_closed>,
  // SITE_AUTH has the site's verdict on a CONNECT.
  caf::reacts_to<verdict>,
  // USERS has taken up, or refused, a seat.
  caf::reacts_to<attached>,
  // Push a private event to the client.
  caf::reacts_to<deliver>,
  // INGEST has routed an event of this publisher.
  caf::reacts_to<published>,
  // The site has answered an event of this browser.
  caf::reacts_to<event_forwarded>,
  // Join and leave rooms.
  caf::reacts_to<change_rooms>,
  // Leave a namespace at the site's request.
  caf::reacts_to<disconnect>>;

/// The PRESENCE: one online user's record. Everything comes through USERS,
/// which lives on the same shard and calls it directly.
using presence_actor = caf::actor;

/// USERS: the connections of this node and the records of the users whose home
/// it is.
using users_actor = caf::typed_actor<
  // Add a connection; the first one brings the user online.
  caf::reacts_to<presence_attach>,
  // Remove a connection.
  caf::reacts_to<presence_detach>,
  // A connection changed its transport.
  caf::reacts_to<moved>,
  // Push an event to every connection of some users.
  caf::reacts_to<deliver_users>,
  // Report on, disconnect, or change the rooms of users or connections.
  caf::reacts_to<user_command>,
  // The set of live nodes has changed: records find other homes.
  caf::reacts_to<view_changed>,
  // Another node has a connection of a user who has the home here.
  caf::reacts_to<wire::attach>,
  // The home has taken a connection up.
  caf::reacts_to<wire::attached>,
  // Another node has lost one.
  caf::reacts_to<wire::detach>,
  // All connections of a user that another node has.
  caf::reacts_to<wire::hold>,
  // The user has found another home.
  caf::reacts_to<wire::release>,
  // The home has lost the record.
  caf::reacts_to<wire::recall>,
  // The home gives the place of a connection here to a newer one.
  caf::reacts_to<wire::displace>,
  // Where are these users?
  caf::reacts_to<wire::locate>>;

/// RELAY, as INGEST knows it.
using relay_actor = caf::typed_actor<
  // Take an event to the namespace, on all nodes.
  caf::reacts_to<broadcast>,
  // The answer about a key that another node asked for.
  caf::reacts_to<wire::claimed>,
  // How an event with a key was routed, for the key's owner.
  caf::reacts_to<wire::claim_settled>,
  // Some of the keys that are known here.
  caf::reacts_to<keys_listed>>;

/// The NSP: one Socket.IO namespace on this node.
using nsp_actor = caf::typed_actor<
  // Push an event to all members, or those of some rooms.
  caf::reacts_to<broadcast>,
  // A hub has done so.
  caf::reacts_to<fanned_out>,
  // The number of online users in the namespace changed.
  caf::reacts_to<member_count>>;

/// The part of an NSP on one shard: loops over the members there.
using hub_actor = caf::typed_actor<
  // Push an event to the members here.
  caf::reacts_to<fan_out>>;

/// INGEST: the way in for the site's posts.
using ingest_actor = caf::typed_actor<
  // A call of the HTTP API.
  caf::reacts_to<api_call>,
  // An event of a Socket.IO publisher.
  caf::reacts_to<publish>,
  // USERS or an NSP has routed an event.
  caf::reacts_to<routed>,
  // A client has acknowledged an event that asked for it.
  caf::reacts_to<confirmed>,
  // USERS has carried out a command.
  caf::reacts_to<user_info>,
  // Was an event with this key accepted here, or anywhere if it is ours?
  caf::reacts_to<wire::claim>,
  // How an event with a key of ours was routed.
  caf::reacts_to<wire::claim_settled>,
  // Which keys are known?
  caf::reacts_to<list_keys>,
  // Other nodes live now: what was under way at the rest has no end.
  caf::reacts_to<live_processes>,
  // The router ends.
  caf::reacts_to<end_confirms>,
  // Keys that this node owns from now on.
  caf::reacts_to<wire::keys>>;

/// MEMBERSHIP: which nodes live, and the links to them.
using membership_actor = caf::typed_actor<
  // Another node opens a session.
  caf::reacts_to<link_open>,
  // A node that was dialed is there, or is not.
  caf::reacts_to<dialed>>;

/// SITE_AUTH: asks the site's API.
using site_auth_actor = caf::typed_actor<
  // Ask the site about a client.
  caf::reacts_to<authenticate>,
  // Pass an event of a browser on to the site.
  caf::reacts_to<forward_event>>;

/// TRANSPORT: owns the HTTP side of the API.
using transport_actor = caf::typed_actor<
  // INGEST has an answer to a call.
  caf::reacts_to<api_answer>>;

} // namespace signalbox
