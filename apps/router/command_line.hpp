#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The command line of `signalbox`:
//
//   signalbox [COMMAND] [--config=FILE] [--room.name=VALUE ...] [ARGUMENT ...]
//
// A flag with a dot, or with the name of a setting, overrides that setting; any
// other belongs to the command.

namespace signalbox::app {

/// The command that the user typed.
struct command_line {
  /// `serve` unless another was given.
  std::string command = "serve";
  /// The configuration file, empty if none was given.
  std::string config_file;
  /// Names and values of settings in the order they were given.
  std::vector<std::pair<std::string, std::string>> overrides;
  /// The command's own flags; most may be given once.
  std::map<std::string, std::vector<std::string>> flags;
  /// Arguments that are no flags: event type and payload of `emit`, user ids.
  std::vector<std::string> args;
  /// Whether help was asked for.
  bool help = false;
  /// Whether it was asked for with every setting.
  bool help_all = false;
  /// What was wrong; the command must not run unless this is empty.
  std::vector<std::string> errors;

  /// Returns whether the command's flag was given.
  bool has(const std::string& flag) const;

  /// Returns the value of the command's flag, or `otherwise` if it was not
  /// given.
  std::string value(const std::string& flag, std::string otherwise = {}) const;
};

/// Parses what follows the program's name. Whether the values of settings are
/// right is for `load_settings` to say.
command_line parse_command_line(const std::vector<std::string>& words);

/// Returns the help of a command with its flags, at most 80 columns wide. That
/// of `serve` lists the commands, and with `all` it and that of `check-config`
/// list every setting.
std::string help_text(std::string_view command, bool all = false);

} // namespace signalbox::app
