#include "apps/router/certificates.hpp"

#include "actors/api/log.hpp"
#include "transports/net/tls_files.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace signalbox::app {

namespace {

constexpr int64_t day = 24 * 60 * 60;

/// So long before its end a certificate is warned of.
constexpr int64_t ahead = 14 * day;

} // namespace

std::vector<used_certificate> used_certificates(const settings& x) {
  std::vector<used_certificate> out;
  auto add = [&out](const char* setting, const std::string& file, bool chain) {
    if (file.empty())
      return;
    auto all = net::read_certificates(file);
    if (all.empty() || (!chain && all.size() > 1))
      return;
    auto first = std::min_element(
      all.begin(), all.end(),
      [](const auto& a, const auto& b) { return a.until < b.until; });
    out.push_back({setting, file, first->subject, first->from, first->until});
  };
  add("tls.certificate", x.tls.certificate, true);
  add("site.ca-file", x.site.ca_file, false);
  if (!x.cluster.name.empty()) {
    add("cluster.certificate", x.cluster.certificate, true);
    add("cluster.ca", x.cluster.ca, false);
  }
  return out;
}

std::string expiry_warning(const used_certificate& x, int64_t now) {
  auto what = x.file + ": the certificate of " + printable(x.subject);
  if (now < x.from)
    return what + " does not hold before " + day_of(x.from)
           + "; look at the clock";
  if (now >= x.until)
    return what + " ended on " + day_of(x.until) + "; renew it";
  if (x.until - now > ahead)
    return {};
  auto days = (x.until - now) / day;
  return what + " ends on " + day_of(x.until) + ", "
         + (days == 0   ? std::string{"within a day"}
            : days == 1 ? std::string{"in 1 day"}
                        : "in " + std::to_string(days) + " days")
         + "; renew it";
}

void certificate_watch::read(const settings& x) {
  auto fresh = used_certificates(x);
  std::lock_guard guard{mutex_};
  used_ = std::move(fresh);
  next_ = 0;
}

void certificate_watch::read_listener(const settings& x) {
  auto fresh = used_certificates(x);
  std::lock_guard guard{mutex_};
  for (auto& old : used_)
    for (auto& each : fresh)
      if (old.setting == "tls.certificate" && each.setting == old.setting)
        old = std::move(each);
}

void certificate_watch::look(int64_t now) {
  std::lock_guard guard{mutex_};
  auto first = next_ == 0;
  if (now < next_)
    return;
  next_ = now + day;
  for (const auto& each : used_)
    if (auto text = expiry_warning(each, now); !text.empty() && !first)
      spdlog::warn("{}: {}", each.setting, text);
}

std::vector<certificate_end> certificate_watch::ends() const {
  std::vector<certificate_end> out;
  std::lock_guard guard{mutex_};
  for (const auto& each : used_)
    out.push_back({each.setting, each.until});
  return out;
}

std::string day_of(int64_t seconds) {
  auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d", &parts);
  return text;
}

} // namespace signalbox::app
