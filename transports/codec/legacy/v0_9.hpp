#pragma once

#include "transports/codec/json_scan.hpp"
#include "transports/codec/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Socket.IO 0.9, "protocol 1": `type:id[+]:endpoint[:data]`. An event's data is
// `{"name":...,"args":[...]}`. Several packets in one body each follow their
// length in UTF-16 code units between two U+FFFD; a single one stands alone.

namespace signalbox::legacy::v0_9 {

/// Packet types, as numbered on the wire.
enum class packet_type : uint8_t {
  disconnect,
  connect,
  heartbeat,
  message,
  json,
  event,
  ack,
  error,
  noop,
};

/// One packet; its texts are views into the decoder's input.
struct packet {
  packet_type type = packet_type::noop;
  /// Number under which the sender wants an ack; for an `ack`, the number it
  /// answers.
  std::optional<uint64_t> id;
  /// Whether the ack is to carry what the receiver answers (`+`); else it only
  /// says that the packet came.
  bool with_answer = false;
  /// Namespace as it was written: empty for the main one, perhaps without its
  /// leading slash.
  std::string_view endpoint;
  std::string_view data;
};

/// Splits a body of several packets, or returns the only one. Refuses it whole
/// if a length is malformed or beyond the body (`bad_payload`), it is no UTF-8
/// (`bad_utf8`), or it has more than `max_packets` packets (`too_many_pieces`).
codec::result<std::vector<std::string_view>>
split_payload(std::string_view payload, size_t max_packets);

/// Decodes one packet.
codec::result<packet> decode_packet(std::string_view text);

/// Returns what an `event`, `message` or `json` packet says as the JSON text of
/// an event array: `["name",...]`. `args` that are no array are one argument, a
/// message is an event called `message`.
codec::result<std::string> decode_event(const packet& x,
                                        const codec::json_limits& limits);

/// Returns the arguments of an `ack` packet as the JSON text of an array.
codec::result<std::string> decode_ack(const packet& x,
                                      const codec::json_limits& limits);

/// Appends everything of a packet that stands before its data, the last colon
/// left out. `nsp` is the namespace, `/` for the main one.
void encode_header(packet_type type, std::optional<uint64_t> id,
                   std::string_view nsp, std::string& out);

/// Appends the data of an event packet for the JSON text of an event array.
void encode_event(std::string_view args, std::string& out);

/// Appends an ack with the arguments of a JSON array. Clients read them up to a
/// line end of JavaScript, so U+2028 and U+2029 are escaped.
void encode_ack(std::string_view nsp, uint64_t id, std::string_view args,
                std::string& out);

/// Appends a packet as one of several of a body.
void append_piece(std::string_view head, std::string_view body,
                  std::string& out);

} // namespace signalbox::legacy::v0_9
