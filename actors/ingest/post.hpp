#pragma once

#include "actors/api/error.hpp"
#include "actors/api/settings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// One event as the site posts it, checked and routed; pure.

namespace signalbox {

/// Why something is refused, and where in the body.
struct refusal {
  ec code = ec::bad_request;
  /// RFC 6901 pointer to what is wrong.
  std::string pointer;
  /// Replaces the code's own text if it is not empty.
  std::string message;
};

/// Returns `{"ok":false,"error":{...}}`.
std::string to_json(const refusal& x);

/// The receivers of an event.
struct target {
  enum class kind : uint8_t { users, rooms, all };
  kind what = kind::all;
  /// Users or rooms, without repetition.
  std::vector<std::string> names;
};

/// Longest time that a confirm may take.
constexpr int64_t most_confirm_ms = 60000;

/// One posted event. Views belong to the text it was read from.
struct post {
  std::string nsp = "/";
  std::string type;
  /// JSON text, exactly as it came.
  std::string_view payload = "null";
  /// Idempotency key; empty for none.
  std::string key;
  bool volatile_ = false;
  /// How long acks are awaited; 0 for an event that needs none.
  int64_t confirm_ms = 0;
  /// The poster's own target, if it named one.
  std::optional<target> to;
  /// Name of the event the browsers see; empty for the type.
  std::string event;
  /// JSON text of the arguments array; empty for the payload alone.
  std::string_view args;
};

/// Bounds of a post.
struct post_limits {
  size_t event_bytes = 1000000;
  size_t name_bytes = 256;
  size_t recipients = 1000;
};

/// Reads one event of the HTTP API from valid JSON text.
std::optional<refusal> read_post(std::string_view text,
                                 const post_limits& bounds, post& out);

/// Decides on the receivers of an event and on its name. The first rule that
/// matches namespace and type decides, unless the post names its target, which
/// is taken out of it.
std::optional<refusal> route(post& x, const std::vector<rule_settings>& rules,
                             const post_limits& bounds, target& to,
                             std::string& event);

/// Returns the JSON text of the event array for the browsers.
std::string event_array(const post& x, const std::string& event);

} // namespace signalbox
