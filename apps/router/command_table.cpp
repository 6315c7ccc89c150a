#include "apps/router/command_table.hpp"

#include <algorithm>

namespace signalbox::app {

namespace {

constexpr size_t any_number = SIZE_MAX;

constexpr std::string_view api_commands =
  " emit listen presence disconnect status clients cluster ";

} // namespace

const std::vector<command>& command_table() {
  static const std::vector<command> result{
    {"serve", "", 0, 0, "Run the router (the default)."},
    {"check-config", "[FILE]", 0, 1,
     "Check the configuration and its files, and leave."},
    {"emit", "TYPE [PAYLOAD]", 1, 2, "Send an event as the site would."},
    {"listen", "USER", 1, 1, "Print what a user receives, as it comes."},
    {"presence", "USER ...", 1, any_number, "Show the connections of users."},
    {"disconnect", "USER ...", 1, any_number, "End the connections of users."},
    {"status", "", 0, 0, "Show the state of a running router."},
    {"clients", "", 0, 0,
     "Show which generations of clients came, and from where."},
    {"cluster", "status|leave|drain NODE", 1, 2,
     "Show the nodes, have this one leave, or drain one."},
    {"key", "new", 1, 1, "Make a key for ingest.keys."},
    {"help", "[COMMAND]", 0, 1, "Show the help of a command."},
    {"version", "", 0, 0, "Print the version."},
  };
  return result;
}

const std::vector<flag>& flag_table() {
  using value = flag::value;
  static const std::vector<flag> result{
    {"config", "FILE", value::needed, false, {}, "Read the configuration."},
    {"help", "", value::none, false, {}, "Show this help."},
    {"help-all", "", value::none, false, " serve check-config ",
     "Show it with all settings."},
    {"url", "URL", value::needed, false, api_commands,
     "Listener of the router that is asked."},
    {"key", "KEY", value::needed, false, api_commands,
     "Credential of the site; SIGNALBOX_KEY hides it from other users."},
    {"json", "", value::none, false, api_commands,
     "Print JSON, as it is when no terminal reads it."},
    {"table", "", value::none, false, api_commands,
     "Print for people, as it is on a terminal."},
    {"namespace", "NAME", value::needed, false, " emit listen ",
     "Namespace of the events, / if not given."},
    {"to-user", "USER", value::needed, true, " emit ",
     "Send to this user instead of by the rules; may be repeated."},
    {"to-room", "ROOM", value::needed, true, " emit ",
     "Send to this room instead of by the rules; may be repeated."},
    {"to-all", "", value::none, false, " emit ",
     "Send to all connections in the namespace."},
    {"confirm", "TIME", value::optional, false, " emit ",
     "Wait until the users' clients acknowledge, 5s if no time is given."},
    {"volatile", "", value::none, false, " emit ",
     "Drop the event for clients that are not ready."},
    {"idempotency-key", "TEXT", value::needed, false, " emit ",
     "Send the event once, however often this is repeated."},
  };
  return result;
}

const command* find_command(std::string_view name) {
  const auto& all = command_table();
  auto i = std::find_if(all.begin(), all.end(),
                        [&](const command& x) { return x.name == name; });
  return i == all.end() ? nullptr : &*i;
}

const flag* find_flag(std::string_view name) {
  const auto& all = flag_table();
  auto i = std::find_if(all.begin(), all.end(),
                        [&](const flag& x) { return x.name == name; });
  return i == all.end() ? nullptr : &*i;
}

bool belongs_to(const flag& x, std::string_view name) {
  return x.of.empty()
         || x.of.find(' ' + std::string{name} + ' ') != std::string_view::npos;
}

} // namespace signalbox::app
