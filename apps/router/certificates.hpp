#pragma once

#include "actors/api/settings.hpp"
#include "actors/metrics/exposition.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace signalbox::app {

/// The certificate of a file that ends first, and the setting that names it.
struct used_certificate {
  /// Such as "tls.certificate".
  std::string setting;
  std::string file;
  /// The name that it is for.
  std::string subject;
  /// Seconds since 1970 between which it holds.
  int64_t from = 0;
  int64_t until = 0;
};

/// Reads the certificates that the settings name. A file with many authorities
/// is left out, because some of such are always old; so is one that cannot be
/// read.
std::vector<used_certificate> used_certificates(const settings& x);

/// Returns the warning of a certificate that at `now` (seconds since 1970) ends
/// within 14 days, has ended, or has not begun; empty for any other.
std::string expiry_warning(const used_certificate& x, int64_t now);

/// Watches the certificates in use. From any thread.
class certificate_watch {
public:
  /// Reads all that the settings name.
  void read(const settings& x);

  /// Reads that of `tls.certificate` anew.
  void read_listener(const settings& x);

  /// Logs those that end soon or have ended, each once a day. `now` is in
  /// seconds since 1970; the first day is that of the start, whose warnings are
  /// logged with those of the configuration.
  void look(int64_t now);

  /// Returns when each ends.
  std::vector<certificate_end> ends() const;

private:
  mutable std::mutex mutex_;
  std::vector<used_certificate> used_;
  int64_t next_ = 0;
};

/// Returns a day: "2026-12-24".
std::string day_of(int64_t seconds);

} // namespace signalbox::app
