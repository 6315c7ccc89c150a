#pragma once

#include <string>
#include <string_view>

namespace signalbox::app {

/// Returns an answer of the API (JSON) as people read it: names and values in
/// two columns, lists of objects as tables, times in words. What could move a
/// terminal's cursor is escaped. What is no JSON stays as it is, escaped.
std::string show(std::string_view answer);

/// Escapes control characters in a text, also those of 8 bits (U+0080 to
/// U+009F).
std::string plain_text(std::string_view text);

} // namespace signalbox::app
