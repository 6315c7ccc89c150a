#include "actors/api/error.hpp"

#include <caf/atom.hpp>

#include <iterator>

namespace signalbox {

namespace {

struct entry {
  const char* name;
  std::string_view text;
  unsigned status;
};

constexpr entry entries[] = {
  {"none", "", 200},
  {"unauthorized", "the site does not know this browser", 403},
  {"unavailable", "the site could not be asked; try again", 503},
  {"invalid_namespace",
   "no such namespace; add it to `namespaces` in the configuration", 404},
  {"too_many_connections",
   "the user has as many connections as presence.max-connections allows", 429},
  {"bad_key", "give a key of ingest.keys as `Authorization: Bearer KEY`", 401},
  {"not_allowed", "this key may not do that; see ingest.keys", 403},
  {"bad_request", "the body is not of the documented form", 400},
  {"no_rule", "no rule matches; add one to `rules` in the configuration", 422},
  {"refused_by_rule", "a rule refuses events of this type", 403},
  {"no_recipient",
   "the payload has no recipient where the rule's pointer looks", 422},
  {"reserved_event", "the Socket.IO protocol reserves this event name", 422},
  {"too_large", "the event is larger than ingest.max-event", 413},
  {"batch_too_large", "the batch has more events than ingest.max-batch", 413},
  {"confirm_needs_users",
   "only events to users, at most ingest.max-recipients, can be confirmed",
   422},
  {"too_many_confirms",
   "as many confirms as ingest.max-confirms allows are under way; try again",
   429},
  {"idempotency_full",
   "as many idempotency keys as ingest.idempotency-keys allows are in use; "
   "try again later or without a key",
   429},
  {"not_found", "there is nothing of this name", 404},
  {"method_not_allowed", "this path knows other methods only", 405},
  {"client_events_refused", "this namespace takes no events from browsers",
   403},
  {"busy", "too many events are under way; try again", 429},
  {"site_failed", "the site did not answer; try again", 502},
  {"stopping", "the router is stopping; try again", 503},
  {"too_many_namespaces",
   "the connection is in as many namespaces as limits.namespaces allows", 429},
  {"auth_too_large", "the auth payload is larger than limits.auth-payload",
   413},
  {"verdict_void", "the user was changed while the site was asked; try again",
   503},
  {"overloaded", "the router is short of memory; try again", 503},
  {"unanswered",
   "no answer within ingest.timeout; events may have been accepted, so repeat "
   "them with their idempotency keys",
   503},
  {"broken",
   "a part of the router has failed and it is about to start anew; events may "
   "have been accepted, so repeat them with their idempotency keys",
   503},
};

static_assert(std::size(entries) == static_cast<size_t>(ec::count_),
              "every code needs an entry");

/// A newer node may send a code that this one does not know.
const entry& find(ec x) noexcept {
  return entries[static_cast<size_t>(x < ec::count_ ? x : ec::unavailable)];
}

} // namespace

const char* to_string(ec x) noexcept {
  return find(x).name;
}

std::string_view describe(ec x) noexcept {
  return find(x).text;
}

unsigned http_status(ec x) noexcept {
  return find(x).status;
}

caf::error make_error(ec x) {
  return {static_cast<uint8_t>(x), caf::atom("signalbox")};
}

} // namespace signalbox
