#pragma once

#include <optional>
#include <string>
#include <string_view>

// Polling through script tags and forms, for browsers without cross-origin
// requests.

namespace signalbox::codec {

/// Returns the digits of a callback's index, at most ten; nothing if there are
/// none. Nothing else of a client's request gets into a script.
std::optional<std::string> script_index(std::string_view text);

/// Appends `text` as a string literal that is safe within any script: JSON, but
/// `</` and the line ends of JavaScript are escaped too.
void quote_script(std::string_view text, std::string& out);

/// Appends a script that calls back with `payload` as its only argument;
/// `call` ends with an open parenthesis.
void append_script(std::string_view call, std::string_view payload,
                   std::string& out);

/// Returns the field `d` of a form (application/x-www-form-urlencoded).
std::optional<std::string> form_data(std::string_view body);

/// Undoes what Engine.IO clients do to keep line ends through a form: a
/// backslash and `n` become a line end, unless a second backslash stands
/// before them, which is dropped.
std::string restore_newlines(std::string_view text);

} // namespace signalbox::codec
