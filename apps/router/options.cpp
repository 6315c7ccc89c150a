#include "apps/router/options.hpp"

#include "apps/router/config_file.hpp"
#include "apps/router/setting_table.hpp"
#include "apps/router/setting_value.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace signalbox::app {

namespace {

constexpr std::string_view prefix = "SIGNALBOX_";

// Files are written by hand; a larger one was meant for something else.
constexpr std::streamoff max_file = 4 * 1024 * 1024;

// Variables that are no settings; the commands read them.
constexpr std::array<std::string_view, 3> other_variables{
  "SIGNALBOX_CONFIG", "SIGNALBOX_KEY", "SIGNALBOX_URL"};

void refuse(loaded_settings& x, const std::string& where,
            const std::string& key, const std::string& why) {
  x.errors.push_back(where + ": " + (key.empty() ? "" : key + ": ") + why);
}

std::string place(const std::string& file, size_t line) {
  return file + ':' + std::to_string(line);
}

void assign_from(loaded_settings& x, const setting& target,
                 const config_value& value, const std::string& source,
                 bool has_lines) {
  assign(target, &x.values, target.name, value,
         [&](const std::string& path, size_t line, const std::string& why) {
           auto where = has_lines ? place(source, line) : source;
           if (!why.empty())
             return refuse(x, where, path, why);
           // The elements of a list that is replaced are gone.
           if (path == target.name)
             std::erase_if(x.sources, [&](const auto& entry) {
               return entry.first.starts_with(path + '[');
             });
           x.sources[path] = where;
         });
}

config_value word(std::string text) {
  config_value result;
  result.is = config_value::type::word;
  result.text = std::move(text);
  return result;
}

bool is_section(std::string_view name) {
  const auto& sections = section_table();
  return std::any_of(sections.begin(), sections.end(),
                     [&](const section& x) { return x.name == name; });
}

// What may stand where `path` does not: sections and settings.
std::vector<std::string> known_paths() {
  auto result = setting_names(setting_table());
  for (const auto& x : section_table())
    result.emplace_back(x.name);
  return result;
}

void apply_object(loaded_settings& x, const std::string& file,
                  const std::string& parent, const config_value& object) {
  for (size_t i = 0; i < object.items.size(); ++i) {
    const auto& key = object.keys[i];
    const auto& value = object.items[i];
    auto path = parent + key;
    auto where = place(file, value.line);
    if (parent.empty() && is_section(key)) {
      if (value.is == config_value::type::object)
        apply_object(x, file, path + '.', value);
      else
        refuse(x, where, path, "is a group of settings; give an object");
    } else if (key.find('.') != std::string::npos) {
      refuse(x, where, path,
             "unknown setting; give the part after the dot inside an object "
             "with the name before it");
    } else if (auto target = find_setting(setting_table(), path)) {
      assign_from(x, *target, value, file, true);
    } else {
      refuse(x, where, path,
             "unknown setting" + suggestion(path, known_paths()));
    }
  }
}

const setting* find_variable(const std::string& name) {
  for (const auto& x : setting_table())
    if (environment_name(x.name) == name)
      return &x;
  return nullptr;
}

// Kubernetes describes every service of its namespace in variables; one called
// "signalbox" or "signalbox-site" must not keep the router from starting.
bool is_from_orchestrator(std::string_view name) {
  return name.ends_with("_PORT") || name.find("_PORT_") != name.npos
         || name.find("_SERVICE_HOST") != name.npos
         || name.find("_SERVICE_PORT") != name.npos;
}

void reject_variable(loaded_settings& x, const std::string& name) {
  const auto& sections = section_table();
  auto meant =
    !is_from_orchestrator(name)
    && std::any_of(sections.begin(), sections.end(), [&](const section& y) {
         return name.starts_with(environment_name(y.name) + '_');
       });
  std::vector<std::string> names;
  for (const auto& y : setting_table())
    names.push_back(environment_name(y.name));
  auto text = name + ": unknown setting" + suggestion(name, names);
  if (meant)
    x.errors.push_back(text);
  else
    x.warnings.push_back(text + "; ignored");
}

} // namespace

void apply_text(loaded_settings& x, const std::string& file,
                std::string_view text) {
  std::vector<config_error> errors;
  auto root = parse_config(text, errors);
  for (const auto& error : errors)
    refuse(x, place(file, error.line), error.key, error.message);
  if (!root)
    return;
  if (root->is != config_value::type::object)
    return refuse(x, place(file, root->line), {},
                  "the configuration is no object; give { ... }");
  apply_object(x, file, {}, *root);
}

void apply_file(loaded_settings& x, const std::string& file) {
  std::ifstream in{file, std::ios::binary | std::ios::ate};
  // A folder can be opened; reading it fails.
  if (!in || in.tellg() < 0 || in.tellg() > max_file) {
    auto why = in ? "is no file of at most 4 MiB" : std::strerror(errno);
    return refuse(x, file, {}, std::string{"cannot be read: "} + why);
  }
  in.seekg(0);
  std::ostringstream text;
  text << in.rdbuf();
  apply_text(x, file, text.str());
}

void apply_environment(loaded_settings& x, const variables& environment) {
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(prefix)
        || std::find(other_variables.begin(), other_variables.end(), name)
             != other_variables.end())
      continue;
    auto target = find_variable(name);
    if (target == nullptr)
      reject_variable(x, name);
    else
      assign_from(x, *target, word(value), name, false);
  }
}

void apply_overrides(
  loaded_settings& x,
  const std::vector<std::pair<std::string, std::string>>& overrides) {
  for (const auto& [name, value] : overrides)
    if (auto target = find_setting(setting_table(), name))
      assign_from(x, *target, word(value), "--" + name, false);
    else
      refuse(x, "--" + name, {},
             "unknown setting"
               + suggestion(name, setting_names(setting_table()), "--"));
}

loaded_settings load_settings(const command_line& line,
                              const variables& environment) {
  loaded_settings result;
  auto file = line.config_file;
  if (file.empty())
    for (const auto& [name, value] : environment)
      if (name == "SIGNALBOX_CONFIG")
        file = value;
  if (!file.empty())
    apply_file(result, file);
  apply_environment(result, environment);
  apply_overrides(result, line.overrides);
  // What was refused kept its default, about which nothing can be said.
  if (result.errors.empty())
    check_settings(result);
  return result;
}

variables process_environment() {
  variables result;
  for (auto i = environ; *i != nullptr; ++i) {
    std::string_view entry{*i};
    auto equals = entry.find('=');
    if (equals != entry.npos)
      result.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return result;
}

} // namespace signalbox::app
