#include "apps/router/page_report.hpp"

#include "actors/api/log.hpp"
#include "transports/log/line_limit.hpp"

#include <spdlog/spdlog.h>

namespace signalbox::app {

void report_page(const net::refused_page& x) {
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
  else
    spdlog::warn("refused a request with Origin \"{}\" to host \"{}\"; to "
                 "admit it, add it to origin.allow{}",
                 page, host, *turn);
}

} // namespace signalbox::app
