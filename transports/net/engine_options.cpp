#include "transports/net/engine_options.hpp"

#include "transports/net/header_list.hpp"
#include "transports/net/http_connection.hpp"
#include "transports/net/origin_policy.hpp"
#include "transports/net/session_ids.hpp"
#include "transports/net/tunnel.hpp"

#include <algorithm>
#include <functional>

namespace signalbox::net {

std::shared_ptr<const session::handshake>
make_handshake(const http_connection& by, const engine_options& opts,
               codec::dialect speaks) {
  const auto& x = by.request();
  // What the page puts into the query matters where CONNECT carries no data.
  auto out = std::make_shared<session::handshake>(
    x.address, speaks == codec::dialect::eio4 ? std::string_view{} : x.query,
    speaks, opts.site);
  for (const auto& wanted : opts.keep_headers) {
    size_t lines = 0;
    std::string_view line;
    for (const auto& [name, value] : x.headers)
      if (same_token(name, wanted) && ++lines == 1)
        line = value;
    if (lines == 1)
      out->add(wanted, line);
    else if (lines > 1)
      out->add(wanted, joined(x, wanted));
  }
  if (opts.keep_host)
    out->reached(x.host, x.secure);
  out->came_over(by.id());
  out->shrink();
  return out;
}

std::string cors_headers(const http_request& x, const engine_options& opts) {
  return opts.site ? std::string{} : origin_policy::headers(x);
}

uint64_t hash_cookies(const http_request& x,
                      const std::vector<std::string>& names) {
  if (names.empty())
    return 0;
  std::string all;
  auto cookies = joined(x, "cookie");
  for (const auto& name : names) {
    for (auto rest = std::string_view{cookies}; !rest.empty();) {
      auto end = std::min(rest.find(';'), rest.size());
      auto item = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (item.starts_with(' '))
        item.remove_prefix(1);
      if (item.starts_with(name) && item.substr(name.size()).starts_with('='))
        all.append(item) += ';';
    }
  }
  return std::hash<std::string>{}(all) | 1;
}

bool pass_on(http_connection& from, std::string_view sid,
             const session_ids& ids, const engine_options& opts) {
  auto owner = ids.parse(sid);
  // A tunnel leads to the right loop at once; what another node sent here goes
  // nowhere else, or it might go round.
  if (!owner || from.tunnelled())
    return false;
  if (owner->node == ids.node()) {
    if (owner->shard == from.home().index())
      return false;
    from.hand_over(owner->shard);
    return true;
  }
  if (opts.away == nullptr || from.fate() == detour_fate::lost
      || !opts.away->reaches(owner->node))
    return false;
  if (from.fate() == detour_fate::refused) {
    refuse_while_stopping(from, opts);
  } else {
    from.away = std::make_unique<detour>();
    from.away->node = owner->node;
    from.away->sid = sid;
  }
  return true;
}

void tell(const engine_options& opts, notice what, std::string_view about) {
  if (opts.on_notice)
    opts.on_notice(what, about);
}

void refuse_while_stopping(http_connection& from, const engine_options& opts) {
  http_response x;
  x.status = 503;
  x.headers = cors_headers(from.request(), opts) + "Retry-After: 1\r\n";
  x.close = true;
  from.respond(std::move(x));
}

} // namespace signalbox::net
