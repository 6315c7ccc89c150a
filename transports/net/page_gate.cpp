#include "transports/net/page_gate.hpp"

#include "transports/net/http_connection.hpp"

namespace signalbox::net {

bool admit_page(http_connection& from, const origin_policy& origins,
                const engine_options& opts, engine_counters& counters,
                const request_form& form) {
  using verdict = origin_policy::verdict;
  const auto& x = from.request();
  // The listener of publishers has a guard of its own.
  if (opts.site)
    return true;
  auto why = form.script ? origins.judge_script(x) : origins.judge(x);
  if (why == verdict::admitted)
    return true;
  auto hidden = why == verdict::hidden;
  ++(hidden ? counters.hidden_pages_refused : counters.origins_refused);
  auto page = x.header("origin");
  if (opts.on_page_refused)
    opts.on_page_refused(
      {why, page.empty() ? x.header("referer") : page, x.host});
  http_response no;
  no.status = 403;
  auto text = hidden ? "Forbidden: a page of another site asked, without an "
                       "Origin"
                     : "Forbidden";
  if (form.legacy) {
    no.body = text;
  } else {
    no.content_type = "application/json";
    no.body = std::string{R"({"code":4,"message":")"} + text + "\"}";
  }
  no.close = form.upgrade;
  from.respond(std::move(no));
  return false;
}

} // namespace signalbox::net
