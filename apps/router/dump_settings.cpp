#include "apps/router/options.hpp"
#include "apps/router/setting_table.hpp"
#include "apps/router/setting_value.hpp"

#include <algorithm>

namespace signalbox::app {

namespace {

// Appends `text` in lines that start with `indent`.
void wrap(std::string& out, const std::string& indent, std::string_view text) {
  constexpr size_t columns = 80;
  while (!text.empty()) {
    auto end = text.size();
    if (auto room = columns - indent.size(); end > room) {
      end = text.rfind(' ', room);
      if (end == text.npos)
        end = std::min(text.find(' '), text.size());
    }
    out += indent + std::string{text.substr(0, end)} + '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// What a setting does and what it allows.
std::string explain(const setting& x) {
  return std::string{x.doc} + " [" + brief(x.allowed) + ']';
}

std::string section_of(const std::string& name) {
  auto dot = name.find('.');
  return dot == std::string::npos ? "" : name.substr(0, dot);
}

std::string_view section_doc(std::string_view name) {
  for (const auto& x : section_table())
    if (x.name == name)
      return x.doc;
  return {};
}

// Members of elements are explained once, with their list.
void wrap_members(std::string& out, const std::string& indent,
                  const setting& x) {
  settings any;
  auto value = x.at(&any);
  if (auto list = std::get_if<object_list>(&value))
    for (const auto& y : list->members())
      wrap(out, indent + "  ", y.name + ": " + explain(y));
}

} // namespace

std::string dump_settings(settings x) {
  std::string result = "{\n";
  std::string open;
  std::string_view separator;
  for (const auto& y : setting_table()) {
    auto group = section_of(y.name);
    if (!open.empty() && group != open)
      result += "\n  }";
    if (group != open || group.empty()) {
      result += separator.empty() ? "" : ",\n\n";
      separator = {};
    }
    if (!group.empty() && group != open)
      result += "  // " + std::string{section_doc(group)} + "\n  \"" + group
                + "\": {\n";
    open = group;
    std::string indent(group.empty() ? 2 : 4, ' ');
    auto name = group.empty() ? y.name : y.name.substr(group.size() + 1);
    result += separator;
    wrap(result, indent + "// ", explain(y));
    wrap_members(result, indent + "// ", y);
    result += indent + '"' + name + "\": " + print_value(y, &x);
    separator = ",\n";
  }
  return result + (open.empty() ? "\n}\n" : "\n  }\n}\n");
}

std::string list_settings() {
  settings defaults;
  std::string result;
  for (const auto& x : setting_table()) {
    result += "  --" + x.name + '=' + print_value(x, &defaults) + '\n';
    wrap(result, "      ", explain(x));
    wrap_members(result, "      ", x);
  }
  return result;
}

} // namespace signalbox::app
