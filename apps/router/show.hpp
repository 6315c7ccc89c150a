#pragma once

#include "apps/router/command_line.hpp"

#include <string>
#include <string_view>

namespace signalbox::app {

/// Returns whether a command prints for people: on a terminal, unless the
/// flags --json and --table say otherwise.
bool for_people(const command_line& line);

/// Returns an answer of the API (JSON) as people read it: names and values in
/// two columns, lists of objects as tables, times in words. What could move a
/// terminal's cursor is escaped. What is no JSON stays as it is, escaped.
std::string show(std::string_view answer);

/// Escapes control characters in a text, also those of 8 bits (U+0080 to
/// U+009F).
std::string plain_text(std::string_view text);

} // namespace signalbox::app
