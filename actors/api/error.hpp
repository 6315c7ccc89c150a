#pragma once

#include <caf/error.hpp>

#include <cstdint>
#include <string_view>

namespace signalbox {

/// Why the router refused something. The text and, for the HTTP side, the
/// status of each stand in `error.cpp`, the one place. Nodes send the numbers
/// to each other: new codes come last.
enum class ec : uint8_t {
  /// Not an error.
  none,
  /// The site does not know the browser.
  unauthorized,
  /// The site could not be asked.
  unavailable,
  /// There is no such namespace.
  invalid_namespace,
  /// The user has as many connections as one may have.
  too_many_connections,
  /// The credential is missing or wrong.
  bad_key,
  /// The credential may not do this.
  not_allowed,
  /// The body is no JSON of the documented shape.
  bad_request,
  /// No rule matches the event.
  no_rule,
  /// A rule refuses the event.
  refused_by_rule,
  /// The payload does not name a recipient where the rule looks for it.
  no_recipient,
  /// The event's name is reserved.
  reserved_event,
  /// The event is larger than the limit.
  too_large,
  /// The batch has more events than the limit.
  batch_too_large,
  /// Only events to at most 1,000 users can be confirmed.
  confirm_needs_users,
  /// Too many confirms are under way.
  too_many_confirms,
  /// The table of idempotency keys is full of keys that are still valid.
  idempotency_full,
  /// There is nothing of this name.
  not_found,
  /// The path knows other methods only.
  method_not_allowed,
  /// Browsers may not send events here.
  client_events_refused,
  /// Too many events wait for other nodes.
  busy,
  /// The site did not answer, or not in the documented form.
  site_failed,
  /// The router is stopping.
  stopping,
  /// The connection is in as many namespaces as one may be.
  too_many_namespaces,
  /// The CONNECT auth payload is larger than the limit.
  auth_too_large,
  /// The site has signed the user out, or changed the user's rooms, since it
  /// was asked.
  verdict_void,
  /// The process has more memory than limits.memory allows.
  overloaded,
  /// The router itself did not answer in time.
  unanswered,
  /// A part of the router has failed; it is about to start anew.
  broken,
  /// Number of codes.
  count_,
};

/// Returns the name of a code, as it appears in answers.
const char* to_string(ec x) noexcept;

/// Returns what the code means and what to do, for readers of the answer.
std::string_view describe(ec x) noexcept;

/// Returns the HTTP status that goes with a code.
unsigned http_status(ec x) noexcept;

/// @relates ec
caf::error make_error(ec x);

} // namespace signalbox
