#include "apps/router/notices.hpp"

#include "actors/api/log.hpp"

#include <spdlog/spdlog.h>

#include <string>

namespace signalbox::app {

namespace {

constexpr auto how_the_file_is_given =
  "name the dist folder of the npm package socket.io-client there, or take the "
  "script from elsewhere";

constexpr auto same_address =
  "if it is that of a proxy, name the proxy in proxy.trusted-proxies, so that "
  "clients count by their own addresses";

std::string number(size_t x) {
  return std::to_string(x);
}

/// Returns the line about a client that names no revision, or an odd one.
std::string about_revision(net::notice what, const std::string& about) {
  switch (what) {
  case net::notice::revision_assumed:
    return "the client at " + about
           + " names no revision of Engine.IO (EIO), as socket.io-client-swift "
             "up to 15: it is taken for one of 3; see engine.unnamed-revision";
  case net::notice::revision_missing:
    return "refused a client that names no revision of Engine.IO (EIO), as "
           "socket.io-client-swift up to 15; see engine.unnamed-revision, and "
           "eio3 in engine.generations";
  default:
    return "refused a client of revision \"" + about
           + "\", which is not served; see engine.generations, and "
             "engine.lax-revision for unknown ones";
  }
}

std::string about_limit(net::notice what, const std::string& about,
                        const limit_settings& limits) {
  switch (what) {
  case net::notice::per_ip:
    return "refused a connection of " + about + ", which has "
           + number(limits.per_ip) + " (limits.per-ip); " + same_address;
  case net::notice::per_ip_rate:
    return "refused a connection of " + about + ", which has opened "
           + number(limits.per_ip_rate) + " in a second (limits.per-ip-rate); "
           + same_address;
  case net::notice::sessions_per_ip:
    return "refused a session of " + about + ", which has "
           + number(limits.sessions_per_ip) + " (limits.sessions-per-ip); "
           + same_address;
  case net::notice::sessions:
    return "refused a session of " + about
           + ": there are as many as limits.sessions and limits.connections "
             "allow";
  case net::notice::memory:
    return "refused a session of " + about
           + ": the memory in use is above limits.memory";
  default:
    return "refused a connection of " + about
           + ": there are as many as limits.connections and the limit on open "
             "files allow";
  }
}

std::string line_of(net::notice what, const std::string& about,
                    const settings& opts) {
  switch (what) {
  case net::notice::revision_assumed:
  case net::notice::revision_missing:
  case net::notice::revision_refused:
    return about_revision(what, about);
  case net::notice::no_client_files:
    return "\"" + about + "\" was asked for, but "
           + (opts.engine.client_files.empty()
                ? "engine.client-files is not set; "
                : "is not in the folder of engine.client-files; ")
           + how_the_file_is_given;
  case net::notice::no_upgrade:
    return "a request for a WebSocket came from " + about
           + " without \"Upgrade: websocket\": a proxy in front takes it off; "
             "have it pass Upgrade and Connection on (configs/nginx.conf), or "
             "leave websocket out of engine.transports";
  case net::notice::never_upgraded:
    return "many clients in a row stay with polling, lately " + about
           + ": if they may take a WebSocket, a proxy in front does not pass "
             "Upgrade on (configs/nginx.conf); if none may, leave websocket "
             "out of engine.transports";
  default:
    return about_limit(what, about, opts.limits);
  }
}

} // namespace

void notices::report(const net::refused_page& x) {
  using verdict = net::origin_policy::verdict;
  auto turn = log_turn(log_cause::page);
  if (!turn)
    return;
  auto page = printable(x.page);
  auto host = printable(x.host);
  if (x.why == verdict::hidden)
    spdlog::warn("refused a request to host \"{}\" that a page of another site "
                 "made without an Origin, as a picture or a link does; its "
                 "Referer is \"{}\"{}",
                 host, page, *turn);
  else if (x.why == verdict::unnamed)
    spdlog::warn("refused a request to host \"{}\" that names no page: it has "
                 "no Origin, which origin.require asks for, or is one of a "
                 "script tag (JSONP) without a Referer{}",
                 host, *turn);
  else if (page == "null")
    spdlog::warn("refused a request with Origin \"null\" to host \"{}\": a "
                 "page in a file or in a sandbox; the word file:// or null in "
                 "origin.allow admits all such pages{}",
                 host, *turn);
  else
    spdlog::warn("refused a request with Origin \"{}\" to host \"{}\"; to "
                 "admit it, add it to origin.allow{}",
                 page, host, *turn);
}

void notices::report(net::notice what, std::string_view about) {
  auto turn = limit_of(what).turn();
  if (!turn)
    return;
  auto line = line_of(what, printable(about), opts_) + *turn;
  if (what == net::notice::revision_assumed)
    spdlog::info("{}", line);
  else
    spdlog::warn("{}", line);
}

line_limit& notices::limit_of(net::notice what) {
  switch (what) {
  case net::notice::revision_assumed:
    return assumed_;
  case net::notice::never_upgraded:
    return polling_;
  default:
    return limits_[static_cast<size_t>(what)];
  }
}

} // namespace signalbox::app
