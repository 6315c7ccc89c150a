#pragma once

#include "actors/api/connect_report.hpp"
#include "actors/api/counters.hpp"
#include "actors/api/messages.hpp"
#include "actors/api/settings.hpp"
#include "actors/shard/shard.hpp"
#include "transports/net/tls.hpp"

#include <memory>

namespace signalbox {

/// Spawns SITE_AUTH, which asks the site who a client is and passes events of
/// browsers on to it. It keeps the questions under way, so that equal ones
/// are asked once, and, if `site-auth.cache-ttl` says so, positive verdicts.
/// The key of both is everything a verdict can depend on. Each verdict carries
/// the stamp of its question, by which USERS tells whether it is void; an
/// asker whose verdict was void asks anew, past questions under way and cached
/// verdicts. Verdicts are reported, except that an anonymous namespace does not
/// refuse clients that the site does not know. Both kinds of
/// call share one cap; questions go first, and clients take turns
/// (`net::call_turns`). It lives as long as the node; when the site does not
/// answer, its askers learn "unavailable".
site_auth_actor spawn_site_auth(shard& home, const settings& opts,
                                std::shared_ptr<net::tls_context> tls,
                                connect_report& report, counters& count);

} // namespace signalbox
