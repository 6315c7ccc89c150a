#pragma once

#include "actors/api/settings.hpp"
#include "apps/router/text_forms.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The table of all settings. Parsing, validation, help and the default dump
// follow from it; a new setting is one line of it.

namespace signalbox::app {

struct setting;

/// A vector of settings structs of any type.
struct object_list {
  /// The vector.
  void* list;
  size_t (*size)(void* list);
  void (*resize)(void* list, size_t size);
  /// Returns the address of an element.
  void* (*element)(void* list, size_t index);
  /// Returns the settings of one element.
  const std::vector<setting>& (*members)();
};

/// Where the value of a setting is kept.
using field =
  std::variant<bool*, size_t*, milliseconds*, std::string*,
               std::vector<std::string>*, client_events*, rule_target*,
               forwarded_style*, unavailable_policy*, presence_full*,
               proxy_headers*, proxy_protocol*, object_list>;

/// What a setting may be.
struct shape {
  enum class kind : uint8_t {
    /// true or false.
    boolean,
    /// A whole number.
    count,
    /// A number of bytes.
    size,
    /// A time.
    duration,
    /// A text of a form.
    text,
    /// One of some words; of an enumeration in the order of its values.
    choice,
    /// Texts of a form.
    texts,
    /// Some of some words.
    choices,
    /// Objects with settings of their own.
    objects,
  };
  kind is;
  /// Limits of the number, of the milliseconds, of the length of the text, or
  /// of the number of items.
  uint64_t least = 0;
  uint64_t most = 0;
  /// Form of a text, or of each of the texts.
  text_form form = any_text;
  /// The words of a choice, separated by `|`.
  std::string_view words = {};
  /// Whether the value must not be shown.
  bool secret = false;
};

/// One line of the table.
struct setting {
  /// `engine.ping-interval`, or `on-client-event` inside an element.
  std::string name;
  /// Returns the field of `owner`: the settings, or an element of a list.
  field (*at)(void* owner);
  shape allowed;
  /// What it does: a sentence.
  std::string_view doc;
};

/// A group of settings: the part of their names before the dot.
struct section {
  std::string_view name;
  /// What they are about: a sentence.
  std::string_view doc;
};

/// Returns all settings in the order in which a reader wants them; those of
/// a section stand together.
const std::vector<setting>& setting_table();

/// Returns the sections in the order of the table.
const std::vector<section>& section_table();

/// Returns the setting with that name or null.
const setting* find_setting(const std::vector<setting>& table,
                            std::string_view name);

/// Returns the names of all settings of a table.
std::vector<std::string> setting_names(const std::vector<setting>& table);

/// Returns the name in the environment: `SIGNALBOX_ENGINE_PING_INTERVAL`.
std::string environment_name(std::string_view name);

/// Returns the words of a choice.
std::vector<std::string> split_words(std::string_view words);

} // namespace signalbox::app
