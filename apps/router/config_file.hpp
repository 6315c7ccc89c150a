#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The configuration as it was written, before its meaning is checked.

namespace signalbox::app {

/// A value of the configuration and the line it stands in.
struct config_value {
  enum class type : uint8_t {
    null,
    boolean,
    number,
    text,
    list,
    object,
    /// A scalar or comma separated list from a flag or the environment, which
    /// have no types.
    word,
  };
  type is = type::null;
  /// Line of the value, or of its key inside an object; counted from 1.
  size_t line = 1;
  /// A scalar as it was spelled, without quotes and escapes.
  std::string text;
  /// The items of a list, or the values of an object.
  std::vector<config_value> items;
  /// The keys of an object, one for each of `items`.
  std::vector<std::string> keys;
};

/// Why a text is no configuration.
struct config_error {
  size_t line;
  /// Path of the key, empty for malformed JSON.
  std::string key;
  std::string message;
};

/// Reads JSON with comments, nested at most 16 deep, in which no object has
/// a key twice. Returns nothing if there are errors, which are appended.
std::optional<config_value> parse_config(std::string_view text,
                                         std::vector<config_error>& errors);

} // namespace signalbox::app
