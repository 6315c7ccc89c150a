#include "apps/router/command_line.hpp"

#include "apps/router/command_table.hpp"
#include "apps/router/setting_table.hpp"
#include "apps/router/setting_value.hpp"
#include "apps/router/units.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace signalbox::app {

namespace {

std::vector<std::string> names_of_commands() {
  std::vector<std::string> result;
  for (const auto& x : command_table())
    result.emplace_back(x.name);
  return result;
}

// "emit, presence" from " emit presence ".
std::string listed(std::string_view names) {
  std::string result;
  for (auto c : names.substr(1, names.size() - 2))
    result += c == ' ' ? std::string{", "} : std::string{c};
  return result;
}

bool is_deadline(std::string_view text) {
  using namespace std::chrono_literals;
  auto x = parse_duration(text);
  return x && *x >= 100ms && *x <= 60s;
}

class parser {
public:
  explicit parser(const std::vector<std::string>& words) : words_(words) {
    // nop
  }

  command_line run() {
    auto found = choose_command();
    if (found == nullptr)
      return std::move(result_);
    while (next_ < words_.size()) {
      const auto& word = words_[next_++];
      if (!only_arguments_ && word == "--")
        only_arguments_ = true;
      else if (!only_arguments_ && word == "-h")
        result_.help = true;
      else if (!only_arguments_ && word.starts_with("--"))
        parse_flag(std::string_view{word}.substr(2));
      else if (!only_arguments_ && word.size() > 1 && word.starts_with('-'))
        refuse(word, "unknown flag; flags start with --");
      else
        result_.args.push_back(word);
    }
    if (!result_.help)
      check_arguments(*found);
    return std::move(result_);
  }

private:
  void refuse(std::string_view word, const std::string& why) {
    result_.errors.push_back(std::string{word} + ": " + why);
  }

  const command* choose_command() {
    if (words_.empty() || words_.front().starts_with('-')) {
      // The one flag that users of any program expect beside help.
      if (!words_.empty() && words_.front() == "--version") {
        result_.command = "version";
        ++next_;
      }
      return find_command(result_.command);
    }
    const auto& name = words_[next_++];
    result_.command = name;
    auto result = find_command(name);
    if (result == nullptr) {
      auto names = names_of_commands();
      std::string all;
      for (const auto& x : names)
        all += (all.empty() ? "" : ", ") + x;
      refuse(name, "unknown command" + suggestion(name, names) + "; there are "
                     + all);
    }
    return result;
  }

  void parse_flag(std::string_view word) {
    auto equals = word.find('=');
    auto name = std::string{word.substr(0, equals)};
    std::optional<std::string> value;
    if (equals != std::string_view::npos)
      value = std::string{word.substr(equals + 1)};
    if (auto x = find_setting(setting_table(), name))
      return override_setting(*x, std::move(value));
    auto x = find_flag(name);
    if (x == nullptr)
      return refuse("--" + name,
                    "unknown flag" + suggestion(name, known_flags(), "--"));
    if (!belongs_to(*x, result_.command))
      return refuse("--" + name, "is no flag of " + result_.command + "; "
                                   + listed(x->of) + " have it");
    take(*x, std::move(value));
  }

  std::vector<std::string> known_flags() const {
    auto result = setting_names(setting_table());
    for (const auto& x : flag_table())
      if (belongs_to(x, result_.command))
        result.emplace_back(x.name);
    return result;
  }

  void override_setting(const setting& x, std::optional<std::string> value) {
    if (!value && x.allowed.is == shape::kind::boolean)
      value = "true";
    if (!value)
      value = next_word();
    if (!value)
      return refuse("--" + x.name, "needs a value; give " + allowed(x.allowed));
    result_.overrides.emplace_back(x.name, std::move(*value));
  }

  void take(const flag& x, std::optional<std::string> value) {
    auto word = "--" + std::string{x.name};
    if (value && x.takes == flag::value::none)
      return refuse(word, "takes no value");
    if (!value && x.takes == flag::value::needed)
      value = next_word();
    if (!value && x.takes == flag::value::needed)
      return refuse(word, "needs a value; give " + word + "="
                            + std::string{x.value_name});
    if (x.name == "help" || x.name == "help-all") {
      result_.help = true;
      result_.help_all = x.name == "help-all";
      return;
    }
    if (x.name == "config")
      return take_config(std::move(*value));
    if (x.name == "confirm" && value && !is_deadline(*value))
      return refuse(word, '"' + *value
                            + "\" is no deadline; give a number with ms or s, "
                              "100ms to 60s");
    auto& values = result_.flags[std::string{x.name}];
    if (!values.empty() && !x.repeatable)
      return refuse(word, "given twice; it is allowed once");
    values.push_back(value.value_or(""));
  }

  void take_config(std::string file) {
    if (file.empty())
      return refuse("--config", "needs a value; give --config=FILE");
    if (!result_.config_file.empty())
      return refuse("--config", "given twice; it is allowed once");
    result_.config_file = std::move(file);
  }

  // Returns the word after a flag without `=` if it is no flag itself.
  std::optional<std::string> next_word() {
    if (next_ == words_.size() || words_[next_].starts_with("--"))
      return {};
    return words_[next_++];
  }

  void check_arguments(const command& x) {
    auto& args = result_.args;
    if (args.size() < x.least)
      refuse(x.name, "something is missing; give " + std::string{x.name} + ' '
                       + std::string{x.arguments});
    if (args.size() > x.most)
      refuse(x.name, "takes no argument \"" + args[x.most] + '"');
    if (x.name == "cluster" && result_.errors.empty()) {
      auto drain = args.front() == "drain";
      if (!drain && args.front() != "status" && args.front() != "leave")
        refuse(x.name, '"' + args.front()
                         + "\" is unknown; give status, leave or drain");
      else if (drain != (args.size() == 2)
               || (drain
                   && args[1].find_first_not_of("0123456789") != args[1].npos))
        refuse(x.name, drain ? "give the number of a node, as status shows it"
                             : "takes no argument \"" + args[1] + '"');
    }
    if (x.name == "check-config" && args.size() == 1)
      take_config(args.front());
    if (x.name == "key" && args.size() == 1 && args.front() != "new")
      refuse(x.name, '"' + args.front() + "\" is unknown; give new");
    if (x.name == "help")
      help_on(args);
  }

  /// `help COMMAND` is `COMMAND --help`.
  void help_on(std::vector<std::string>& args) {
    auto name = args.empty() ? std::string{"serve"} : args.front();
    if (find_command(name) == nullptr)
      return refuse(name,
                    "unknown command" + suggestion(name, names_of_commands()));
    result_.command = name == "help" ? "serve" : name;
    result_.help = true;
  }

  const std::vector<std::string>& words_;
  size_t next_ = 0;
  bool only_arguments_ = false;
  command_line result_;
};

} // namespace

bool command_line::has(const std::string& flag) const {
  return flags.contains(flag);
}

std::string command_line::value(const std::string& flag,
                                std::string otherwise) const {
  auto i = flags.find(flag);
  return i == flags.end() ? otherwise : i->second.back();
}

command_line parse_command_line(const std::vector<std::string>& words) {
  return parser{words}.run();
}

} // namespace signalbox::app
