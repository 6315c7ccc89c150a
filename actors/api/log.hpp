#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace signalbox {

/// Sets level ("trace" … "off") and format ("text" or "json") of the
/// process's log, which goes to standard error. A thread writes it, so that
/// nothing else waits for its reader; see `log_queue`. A signal that ends the
/// process for a fault of its own lets the lines leave first. Once.
void start_log(const std::string& level, const std::string& format);

/// Lets the lines of the log leave. Before the process ends in good order;
/// `spdlog::default_logger()->flush()` does the same.
void end_log();

/// Lines that never came into the log.
struct dropped_lines {
  /// The reader was too slow for them.
  uint64_t queue = 0;
  /// Strangers caused too many; see `line_limit`.
  uint64_t rate = 0;
};

/// Returns how many there were so far.
dropped_lines count_dropped_lines();

/// Makes text that a stranger chose fit for the log: control bytes, quotes,
/// backslashes and everything beyond ASCII escaped, cut at 256 bytes.
std::string printable(std::string_view text);

} // namespace signalbox
