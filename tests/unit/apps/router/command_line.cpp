#include "apps/router/command_line.hpp"

#include "apps/router/command_table.hpp"
#include "apps/router/setting_table.hpp"

#include "tests/support/check.hpp"

using namespace signalbox::app;

namespace {

using strings = std::vector<std::string>;
using overrides = std::vector<std::pair<std::string, std::string>>;

strings faults(const strings& words) {
  return parse_command_line(words).errors;
}

} // namespace

TEST(without a command the router is run) {
  auto x = parse_command_line({});
  CHECK_EQUAL(x.command, "serve");
  CHECK_EQUAL(x.errors, strings{});
  x = parse_command_line({"--config=r.json", "--limits.rooms=5"});
  CHECK_EQUAL(x.command, "serve");
  CHECK_EQUAL(x.config_file, "r.json");
  CHECK_EQUAL(parse_command_line({"--version"}).command, "version");
}

TEST(flags take their value after an equals sign or as the next word) {
  auto x = parse_command_line(
    {"serve", "--config", "r.json", "--engine.path=/a=b/", "--limits.rooms",
     "5", "--rules", "[]", "--origin.require", "--origin.allow="});
  CHECK_EQUAL(x.errors, strings{});
  CHECK_EQUAL(x.config_file, "r.json");
  CHECK(x.overrides
        == (overrides{{"engine.path", "/a=b/"},
                      {"limits.rooms", "5"},
                      {"rules", "[]"},
                      {"origin.require", "true"},
                      {"origin.allow", ""}}));
}

TEST(a command has flags of its own) {
  auto x = parse_command_line({"emit", "letter", "{\"to\": 5}", "--to-user=a",
                               "--to-user=b", "--confirm=300ms", "--volatile",
                               "--key=k", "--url=http://a.test/"});
  CHECK_EQUAL(x.errors, strings{});
  CHECK_EQUAL(x.command, "emit");
  CHECK_EQUAL(x.args, (strings{"letter", "{\"to\": 5}"}));
  CHECK_EQUAL(x.flags["to-user"], (strings{"a", "b"}));
  CHECK_EQUAL(x.value("confirm"), "300ms");
  CHECK_EQUAL(x.value("namespace", "/"), "/");
  CHECK(x.has("volatile"));
  CHECK(!x.has("to-all"));
  MESSAGE("a flag with an optional value does not eat the next word");
  x = parse_command_line({"emit", "--confirm", "letter"});
  CHECK_EQUAL(x.errors, strings{});
  CHECK_EQUAL(x.value("confirm", "5s"), "");
  CHECK_EQUAL(x.args, strings{"letter"});
}

TEST(after two hyphens everything is an argument) {
  auto x = parse_command_line({"emit", "--", "--help", "-5"});
  CHECK_EQUAL(x.errors, strings{});
  CHECK(!x.help);
  CHECK_EQUAL(x.args, (strings{"--help", "-5"}));
}

TEST(the file to check may be an argument) {
  auto x = parse_command_line({"check-config", "r.json"});
  CHECK_EQUAL(x.errors, strings{});
  CHECK_EQUAL(x.config_file, "r.json");
}

TEST(an unknown command is an error that names the nearest) {
  CHECK_EQUAL(faults({"emitt", "--bogus"}),
              strings{"emitt: unknown command (did you mean emit?); there are "
                      "serve, check-config, emit, listen, presence, "
                      "disconnect, status, clients, cluster, key, help, "
                      "version"});
}

TEST(an unknown flag is an error that names the nearest) {
  CHECK_EQUAL(faults({"--engine.ping-intervall=1s"}),
              strings{"--engine.ping-intervall: unknown flag (did you mean "
                      "--engine.ping-interval?)"});
  CHECK_EQUAL(faults({"--ping-interval=1s"}),
              strings{"--ping-interval: unknown flag (did you mean "
                      "--engine.ping-interval?)"});
  CHECK_EQUAL(faults({"emit", "a", "--to-users=b"}),
              strings{"--to-users: unknown flag (did you mean --to-user?)"});
  CHECK_EQUAL(faults({"-c"}), strings{"-c: unknown flag; flags start with --"});
}

TEST(a flag of another command is an error that names those that have it) {
  CHECK_EQUAL(faults({"serve", "--url=a"}),
              strings{"--url: is no flag of serve; emit, listen, presence, "
                      "disconnect, status, clients, cluster have it"});
  CHECK_EQUAL(faults({"status", "--to-all"}),
              strings{"--to-all: is no flag of status; emit have it"});
}

TEST(a flag with a missing or needless value is an error) {
  CHECK_EQUAL(faults({"--config"}),
              strings{"--config: needs a value; give --config=FILE"});
  CHECK_EQUAL(faults({"--config="}),
              strings{"--config: needs a value; give --config=FILE"});
  CHECK_EQUAL(faults({"--limits.rooms", "--help"}),
              strings{"--limits.rooms: needs a value; give a whole number, 0 "
                      "to 1000000"});
  CHECK_EQUAL(faults({"emit", "a", "--to-all=yes"}),
              strings{"--to-all: takes no value"});
  CHECK_EQUAL(faults({"emit", "a", "--key=b", "--key=c"}),
              strings{"--key: given twice; it is allowed once"});
}

TEST(a deadline is 100ms to 60s) {
  for (auto good : {"100ms", "60s", "1m"})
    CHECK_EQUAL(faults({"emit", "a", std::string{"--confirm="} + good}),
                strings{});
  for (std::string bad : {"99ms", "60001ms", "5", "", "soon"})
    CHECK_EQUAL(faults({"emit", "a", "--confirm=" + bad}),
                strings{"--confirm: \"" + bad
                        + "\" is no deadline; give a number with ms or s, "
                          "100ms to 60s"});
}

TEST(too few and too many arguments are errors) {
  CHECK_EQUAL(faults({"emit"}),
              strings{"emit: something is missing; give emit TYPE [PAYLOAD]"});
  CHECK_EQUAL(faults({"emit", "a", "b", "c"}),
              strings{"emit: takes no argument \"c\""});
  CHECK_EQUAL(faults({"status", "a"}),
              strings{"status: takes no argument \"a\""});
  MESSAGE("help needs none");
  CHECK_EQUAL(faults({"emit", "--help"}), strings{});
  CHECK(parse_command_line({"emit", "-h"}).help);
}

TEST(help fits into 80 columns and one page) {
  for (const auto& each : command_table()) {
    auto text = help_text(each.name);
    CHECK(text.starts_with("usage: signalbox " + std::string{each.name}));
    size_t lines = 0;
    for (size_t i = 0; i < text.size(); ++lines) {
      auto end = text.find('\n', i);
      CHECK(end - i <= 80);
      i = end + 1;
    }
    CHECK(lines <= 36);
  }
}

TEST(help on a command is a command) {
  auto x = parse_command_line({"help", "emit"});
  CHECK(x.help);
  CHECK_EQUAL(x.command, "emit");
  x = parse_command_line({"help"});
  CHECK(x.help);
  CHECK_EQUAL(x.command, "serve");
  CHECK_EQUAL(faults({"help", "emitt"}),
              strings{"emitt: unknown command (did you mean emit?)"});
  CHECK(parse_command_line({"--help-all"}).help_all);
}

TEST(help shows the flags of the command and every setting) {
  auto text = help_text("serve", true);
  for (const auto& x : setting_table())
    CHECK(text.find("  --" + x.name + '=') != std::string::npos);
  CHECK(text.find("--to-user") == std::string::npos);
  text = help_text("emit");
  CHECK(text.find("--to-user=USER") != std::string::npos);
  CHECK(text.find("--limits.rooms") == std::string::npos);
}
