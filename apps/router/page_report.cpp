#include "apps/router/page_report.hpp"

#include "actors/api/log.hpp"
#include "transports/net/loop.hpp"

#include <spdlog/spdlog.h>

namespace signalbox::app {

namespace {

/// Milliseconds between two lines.
constexpr int64_t report_interval = 1000;

} // namespace

void page_report::report(const net::refused_page& x) {
  using verdict = net::origin_policy::verdict;
  auto now = net::loop::clock();
  auto last = last_.load();
  if (now - last < report_interval || !last_.compare_exchange_strong(last, now))
    return;
  auto page = printable(x.page);
  auto host = printable(x.host);
  if (x.why == verdict::hidden)
    spdlog::warn("refused a request to host \"{}\" that a page of another site "
                 "made without an Origin, as a picture or a link does; its "
                 "Referer is \"{}\"",
                 host, page);
  else if (x.why == verdict::unnamed)
    spdlog::warn("refused a request to host \"{}\" that names no page: it has "
                 "no Origin, which origin.require asks for, or is one of a "
                 "script tag (JSONP) without a Referer",
                 host);
  else
    spdlog::warn("refused a request with Origin \"{}\" to host \"{}\"; to "
                 "admit it, add it to origin.allow",
                 page, host);
}

} // namespace signalbox::app
