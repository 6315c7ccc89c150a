#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/credentials.hpp"
#include "actors/api/error.hpp"
#include "transports/codec/socket/packet.hpp"
#include "transports/session/handshake.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What a CONNECTION says to its client; pure.

namespace signalbox {

/// Answers a CONNECT: the client is in.
socket::packet accept_packet(const std::string& nsp, std::string_view sid);

/// Answers a CONNECT: `{"message":...,"data":...}`; `data` is JSON, empty for
/// none.
socket::packet refuse_packet(const std::string& nsp, std::string_view message,
                             std::string_view data);

/// Answers a CONNECT that is refused for this reason.
socket::packet refuse_packet(const std::string& nsp, ec why);

/// Returns the counter of CONNECTs that were refused for this reason.
counters::number& refusals(counters& all, ec why);

/// Takes the client out of a namespace.
socket::packet disconnect_packet(const std::string& nsp);

/// Acknowledges an event. `args` is a JSON array, binary values in it as
/// `{"$base64":...}`.
socket::packet ack_packet(const std::string& nsp, uint64_t id,
                          std::string_view args);

/// Returns the key that a CONNECT auth payload (JSON, may be empty) offers,
/// nothing if it offers none. A key of the wrong type is the empty string.
std::optional<std::string> offered_key(std::string_view auth);

/// The key that a client has shown.
struct key_offer {
  /// Whether it has shown any: it means to be a publisher, and nothing else.
  bool shown = false;
  /// Which of the keys it is, nothing for one that is unknown.
  std::optional<size_t> index;
  /// Id of the user whose events it asks to see (`"listen"` beside the key),
  /// empty if the id is malformed; none for a publisher.
  std::optional<std::string> listens = {};
};

/// Returns the key that a client shows with a CONNECT and its auth payload:
/// that of the listener, the one that the payload offers, or the handshake's
/// `Authorization` if that is known. An unknown one there counts as none: it
/// may be for a proxy.
key_offer find_key(const credentials& all, const session::handshake& from,
                   std::string_view auth, size_t name_bytes);

/// Returns whether a key lets its client into a namespace, as a publisher or to
/// listen.
bool may_join(const credentials& all, const key_offer& by,
              std::string_view nsp);

/// What a publisher emits: an event type as the JSON literal that came, and a
/// payload as JSON text with binary values as `{"$base64":...}`.
struct emission {
  std::string type;
  std::string payload = "null";
};

/// Reads an event of a publisher; its data is a non-empty array.
emission read_emission(const socket::packet& x);

/// Returns the arguments of an ack that carries an error.
std::string error_args(ec why);

} // namespace signalbox
