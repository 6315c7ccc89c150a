#pragma once

#include "apps/router/config_file.hpp"
#include "apps/router/setting_table.hpp"

#include <functional>
#include <string>
#include <string_view>

// One setting: what it allows in words, its value from and to text.

namespace signalbox::app {

/// Returns what a setting allows, to follow "give": "a number with ms, s, m or
/// h, 100ms to 1h".
std::string allowed(const shape& x);

/// Returns the same for readers who know how numbers, durations and sizes are
/// written: "100ms to 1h".
std::string brief(const shape& x);

/// Returns the value as JSON in a single line: `"25s"`, `["polling"]`.
/// Secrets are replaced by asterisks.
std::string print_value(const setting& x, void* owner);

/// Takes the path of a setting, its line, and what is wrong with it; without
/// a message it only tells that the setting was given there.
using value_listener = std::function<void(const std::string& path, size_t line,
                                          const std::string& message)>;

/// Sets a setting of `owner` from what was written, which is known as `path`.
/// Leaves the old value if it is refused.
void assign(const setting& x, void* owner, const std::string& path,
            const config_value& value, const value_listener& listener);

/// Returns the words ` (did you mean NAME?)` or nothing.
std::string suggestion(std::string_view typed,
                       const std::vector<std::string>& names,
                       std::string_view prefix = {});

} // namespace signalbox::app
