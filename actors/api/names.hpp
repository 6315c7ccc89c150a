#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// The rules for what names a user, a room, a namespace or an event, wherever
// the name comes in: docs/site.md, "Ids". Two names are the same when their
// bytes are. Each function returns why something is none, as a sentence about
// "it"; nothing if it is one.

namespace signalbox {

/// Checks the name of a user, room or namespace: 1 to `most` bytes of
/// well-formed UTF-8 without control characters.
std::optional<std::string> check_name(std::string_view text, size_t most);

/// Reads such a name from a JSON string that `scan_json` accepted; a literal
/// with half of a surrogate pair is none.
std::optional<std::string> read_name(std::string_view literal, size_t most,
                                     std::string& out);

/// Reads the name of an event or an idempotency key from a JSON literal: the
/// same, but with control characters, which Socket.IO lets into event names.
std::optional<std::string> read_label(std::string_view literal, size_t most,
                                      std::string& out);

/// Reads the id of a user or room: a name, or an integer of up to 64 bits
/// (-2^63 to 2^64-1), which is the same id as the string of its digits.
std::optional<std::string> read_id(std::string_view literal, size_t most,
                                   std::string& out);

} // namespace signalbox
