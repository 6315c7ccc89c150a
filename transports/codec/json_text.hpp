#pragma once

#include "transports/codec/result.hpp"

#include <string>
#include <string_view>

// Text to and from JSON string literals.

namespace signalbox::codec {

/// Returns the UTF-8 value of a JSON string literal (with its quotes) that
/// `scan_json` accepted. A lone surrogate becomes U+FFFD, so that different
/// literals may have one value: not for names.
std::string unquote_json(std::string_view literal);

/// The same, but refuses a lone surrogate (`bad_utf8`).
result<std::string> unquote_json_strictly(std::string_view literal);

/// Appends `text` as a JSON string literal. Bytes that are not valid UTF-8
/// become U+FFFD.
void quote_json(std::string_view text, std::string& out);

/// Appends `json` with every character above U+007E as `\uXXXX`, which is
/// the same JSON value in printable ASCII.
void ascii_json(std::string_view json, std::string& out);

} // namespace signalbox::codec
