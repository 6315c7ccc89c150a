#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Which generation of clients a request comes from. Path and query tell, once;
// nothing above the codecs asks again.

namespace signalbox::codec {

/// The generations of clients, each with a protocol of its own.
enum class dialect : uint8_t {
  /// Socket.IO 0.9, "protocol 1".
  v09,
  /// Socket.IO 1 and 2: Engine.IO 3 (and 2), Socket.IO protocol 3 and 4.
  eio3,
  /// Socket.IO 3 and 4: Engine.IO 4, Socket.IO protocol 5.
  eio4,
  /// Number of dialects.
  count_,
};

constexpr size_t dialects = static_cast<size_t>(dialect::count_);

/// Returns the name of a dialect as it appears in settings, answers and
/// metrics. It lives forever.
std::string_view to_string(dialect x) noexcept;

/// Returns the dialect of this name.
std::optional<dialect> parse_dialect(std::string_view name) noexcept;

/// Returns the dialect that an Engine.IO request names by the value of its
/// `EIO` parameter (empty without one): 4, or 3 and 2. `unnamed` takes an empty
/// one for 3; `lax` whatever is not 4, as the official server does.
std::optional<dialect> engine_dialect(std::string_view eio, bool unnamed,
                                      bool lax) noexcept;

/// What the path of a 0.9 request says, behind the prefix of the server:
/// `PROTOCOL[/TRANSPORT[/SID]]`, each perhaps with a slash behind.
struct legacy_path {
  std::string_view protocol;
  std::string_view transport;
  std::string_view sid;
};

/// Reads such a path. Returns nothing if it does not begin with a number, so
/// that it belongs to Engine.IO or to no service.
std::optional<legacy_path> parse_legacy_path(std::string_view path) noexcept;

/// Returns what the page itself put into the query of its handshake, and into
/// that of a namespace, as a JSON object of strings; empty if it put nothing.
/// What the protocols put there is left out; of equal names the last counts.
std::string query_json(std::string_view handshake, std::string_view nsp);

} // namespace signalbox::codec
