#pragma once

#include "transports/codec/dialect.hpp"
#include "transports/codec/encoded.hpp"
#include "transports/codec/engine/packet.hpp"
#include "transports/codec/result.hpp"
#include "transports/codec/socket/packet.hpp"
#include "transports/codec/socket/v5.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::engine {

/// A revision of Engine.IO with the Socket.IO protocol spoken over it. There is
/// one object for each, which a session is given when it opens; all differences
/// of the revisions are in here.
class revision {
public:
  virtual ~revision() = default;

  /// Returns the generation of clients that speaks it.
  virtual codec::dialect dialect() const noexcept = 0;

  /// Returns how events go out.
  virtual codec::wire_form form() const noexcept = 0;

  /// Returns whether the server pings and the client answers, or the reverse.
  virtual bool server_pings() const noexcept = 0;

  /// Returns whether a client is in the main namespace without asking, and what
  /// it put into its query stands for an auth payload.
  virtual bool joins_main() const noexcept = 0;

  /// Returns whether payloads for this client may be bytes instead of text.
  virtual bool binary_payloads() const noexcept = 0;

  /// Returns whether the body of a POST may be bytes too.
  virtual bool takes_binary_payloads() const noexcept = 0;

  /// Splits the body of a POST. `binary` says that it came as
  /// application/octet-stream.
  virtual codec::result<std::vector<piece>>
  split_payload(std::string_view payload, bool binary,
                size_t max_packets) const = 0;

  /// Decodes one packet. `scratch` holds what the packet does not share with
  /// its input.
  virtual codec::result<packet> decode_packet(const piece& x,
                                              std::string& scratch) const = 0;

  /// Appends a packet, in two parts, to a payload that is bytes or text.
  virtual void append_packet(std::string_view head, std::string_view body,
                             bool attachment, bool binary,
                             std::string& payload) const = 0;

  /// Decodes the text of a message. For a client that joins the main namespace
  /// without asking, the data of a CONNECT is the query of its namespace.
  virtual codec::result<socket::packet>
  decode_message(std::string_view text,
                 const socket::v5::limits& limits) const = 0;

  /// Appends the text of a message; attachments are not part of it.
  virtual void encode_message(const socket::packet& x,
                              std::string& out) const = 0;
};

/// Returns the revision of a dialect (not of `v09`); with `base64` for a client
/// that takes no bytes (`b64=1`). It lives forever.
const revision& find_revision(codec::dialect x, bool base64) noexcept;

} // namespace signalbox::engine
