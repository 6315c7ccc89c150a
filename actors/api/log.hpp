#pragma once

#include <string>
#include <string_view>

namespace signalbox {

/// Sets level ("trace" … "off") and format ("text" or "json") of the
/// process's log, which goes to standard error.
void start_log(const std::string& level, const std::string& format);

/// Makes text that a stranger chose fit for the log: control bytes, quotes,
/// backslashes and everything beyond ASCII escaped, cut at 256 bytes.
std::string printable(std::string_view text);

} // namespace signalbox
