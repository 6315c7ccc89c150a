#pragma once

#include "actors/api/settings.hpp"
#include "apps/router/command_line.hpp"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// From the configuration file, the environment and the command line to
// `settings`; each source overrides the one before. Every error is one line
// that says where, which setting, what is wrong, and what is allowed:
//
//   router.json:12: engine.ping-interval: "abc" is no duration; give ...

namespace signalbox::app {

/// Names and values of environment variables.
using variables = std::vector<std::pair<std::string, std::string>>;

/// Settings under way from their sources.
struct loaded_settings {
  /// The defaults, overridden by what was applied so far.
  settings values;
  /// Where a setting was last given, by its path: `router.json:12`,
  /// `SIGNALBOX_ENGINE_PATH` or `--engine.path`; the defaults have no entry.
  std::map<std::string, std::string> sources;
  /// What is wrong; the router must not start unless this is empty.
  std::vector<std::string> errors;
  /// What is probably not meant; for the log.
  std::vector<std::string> warnings;
};

/// Applies the text of a configuration file; `file` is its name in errors.
void apply_text(loaded_settings& x, const std::string& file,
                std::string_view text);

/// Applies a configuration file.
void apply_file(loaded_settings& x, const std::string& file);

/// Applies the variables that start with `SIGNALBOX_`. One that names no
/// setting is an error if it starts like a section, otherwise a warning.
void apply_environment(loaded_settings& x, const variables& environment);

/// Applies names and values from the command line.
void apply_overrides(
  loaded_settings& x,
  const std::vector<std::pair<std::string, std::string>>& overrides);

/// Returns where a setting was last given; a member that was not mentioned
/// stands with its element, and "default" for what was given nowhere.
std::string source_of(const loaded_settings& x, std::string path);

/// Checks what several settings must fulfil together.
void check_settings(loaded_settings& x);

/// Returns the settings from all sources, checked. The configuration file is
/// that of the command line, otherwise the one that `SIGNALBOX_CONFIG` names;
/// without either there is none.
loaded_settings load_settings(const command_line& line,
                              const variables& environment);

/// Returns the environment of the process.
variables process_environment();

/// Returns the settings as a configuration file with a comment for each.
/// Secrets are replaced by asterisks.
std::string dump_settings(settings x);

/// Returns one paragraph for each setting, for help.
std::string list_settings();

} // namespace signalbox::app
