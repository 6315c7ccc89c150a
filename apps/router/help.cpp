#include "apps/router/command_line.hpp"
#include "apps/router/command_table.hpp"
#include "apps/router/options.hpp"

#include <algorithm>

namespace signalbox::app {

namespace {

/// Columns of a terminal as it opens.
constexpr size_t columns = 80;

constexpr size_t left_column = 26;

std::string usage(const command& x) {
  auto result = "usage: signalbox " + std::string{x.name} + " [--FLAG ...]";
  if (!x.arguments.empty())
    result += ' ' + std::string{x.arguments};
  return result + "\n\n" + std::string{x.doc} + "\n";
}

/// Adds a line with two columns, the right one broken where it must.
void add(std::string& out, std::string left, size_t width,
         std::string_view text) {
  left = "  " + left;
  left.resize(std::max(left.size() + 1, width), ' ');
  while (left.size() + text.size() > columns) {
    auto end = text.rfind(' ', columns - left.size());
    if (end == text.npos || end == 0)
      break;
    out += left + std::string{text.substr(0, end)} + '\n';
    text.remove_prefix(end + 1);
    left = std::string(width, ' ');
  }
  out += left + std::string{text} + '\n';
}

std::string shown(const flag& x) {
  auto out = "--" + std::string{x.name};
  if (x.takes == flag::value::optional)
    out += "[=" + std::string{x.value_name} + ']';
  else if (x.takes == flag::value::needed)
    out += '=' + std::string{x.value_name};
  return out;
}

} // namespace

std::string help_text(std::string_view name, bool all) {
  const auto* found = find_command(name);
  const auto& x = found == nullptr ? command_table().front() : *found;
  auto out = usage(x);
  if (x.name == "serve") {
    out += "\nCommands:\n";
    for (const auto& each : command_table())
      add(out, std::string{each.name}, 16, each.doc);
  }
  out += "\nFlags:\n";
  for (const auto& each : flag_table())
    if (belongs_to(each, x.name))
      add(out, shown(each), left_column, each.doc);
  if (x.name != "serve" && x.name != "check-config")
    return out;
  if (!all)
    return out
           + "\nEach setting is a flag too, such as "
             "--listen.public=0.0.0.0:8400.\n--help-all lists them; "
             "`signalbox help COMMAND` shows the flags of a command.\n";
  return out
         + "\nSettings, each with its default and [what is allowed]. Times are "
           "whole numbers\nwith ms, s, m or h, sizes with B, KiB, MiB or GiB. "
           "In the environment\n--engine.ping-interval is "
           "SIGNALBOX_ENGINE_PING_INTERVAL.\n"
         + list_settings();
}

} // namespace signalbox::app
