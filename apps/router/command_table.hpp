#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The commands and their flags. Parsing, help, completion and the man page
// follow from it, the list in docs/operations.md is compared with it.

namespace signalbox::app {

/// One command.
struct command {
  std::string_view name;
  /// What follows the flags, as help shows it.
  std::string_view arguments;
  /// How many words that are.
  size_t least;
  size_t most;
  /// What it does: a sentence.
  std::string_view doc;
};

/// One flag that is no setting.
struct flag {
  enum class value : uint8_t { none, optional, needed };
  std::string_view name;
  /// Empty if it takes none.
  std::string_view value_name;
  value takes;
  bool repeatable;
  /// Commands that have it, with a blank around each; empty for all.
  std::string_view of;
  /// What it does: a sentence.
  std::string_view doc;
};

/// Returns all commands in the order in which a reader wants them.
const std::vector<command>& command_table();

/// Returns all flags.
const std::vector<flag>& flag_table();

/// Returns the command of this name or null.
const command* find_command(std::string_view name);

/// Returns the flag of this name or null.
const flag* find_flag(std::string_view name);

/// Returns whether a command has a flag.
bool belongs_to(const flag& x, std::string_view command);

} // namespace signalbox::app
