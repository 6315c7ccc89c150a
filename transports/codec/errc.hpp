#pragma once

#include <cstdint>

namespace signalbox::codec {

/// Why a codec refused its input.
enum class errc : uint8_t {
  /// Not an error.
  none,
  /// The input ended before the value did.
  truncated,
  /// The first character names no packet type of this revision.
  unknown_packet_type,
  /// The JSON text is malformed.
  bad_json,
  /// The JSON text is nested deeper than the limit.
  json_too_deep,
  /// The JSON text has more values than the limit.
  json_too_wide,
  /// The payload has another shape than its packet type asks for.
  bad_payload,
  /// The event name is one that only the library itself may emit.
  reserved_event,
  /// The number of attachments is missing, zero, malformed or over the limit.
  bad_attachments,
  /// A placeholder names no attachment of its packet.
  bad_placeholder,
  /// A text packet came while attachments were outstanding, or a binary one
  /// that no packet announced.
  unexpected_attachment,
  /// The namespace name is longer than the limit or has a forbidden character.
  bad_namespace,
  /// The ack id has more than 15 digits.
  bad_ack_id,
  /// The text is not valid UTF-8.
  bad_utf8,
  /// The text is not valid base64.
  bad_base64,
  /// The frame breaks RFC 6455.
  bad_frame,
  /// The message is larger than the limit.
  too_large,
  /// The payload or message consists of more pieces than the limit.
  too_many_pieces,
  /// The URL, origin or origin pattern is malformed or of a kind we refuse.
  bad_url,
  /// Number of codes.
  count_,
};

/// Returns the name of a code, for logs and tests.
const char* to_string(errc x) noexcept;

} // namespace signalbox::codec
