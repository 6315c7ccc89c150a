#include "apps/router/show.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <utility>
#include <vector>

namespace signalbox::app {

namespace {

using json = nlohmann::ordered_json;
using row = std::vector<std::string>;

/// Counts characters, which may have several bytes.
size_t width(std::string_view text) {
  return static_cast<size_t>(std::count_if(
    text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string time_of(int64_t seconds) {
  auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::localtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

std::string span_of(int64_t seconds) {
  constexpr int64_t minute = 60;
  constexpr int64_t hour = 60 * minute;
  constexpr int64_t day = 24 * hour;
  auto two = [seconds](int64_t big, const char* name, int64_t small,
                       const char* other) {
    return std::to_string(seconds / big) + name + ' '
           + std::to_string(seconds % big / small) + other;
  };
  if (seconds >= day)
    return two(day, " d", hour, " h");
  if (seconds >= hour)
    return two(hour, " h", minute, " min");
  if (seconds >= minute)
    return two(minute, " min", 1, " s");
  return std::to_string(seconds) + " s";
}

std::string size_of(int64_t bytes) {
  if (bytes >= 10 << 20)
    return std::to_string(bytes >> 20) + " MiB";
  if (bytes >= 10 << 10)
    return std::to_string(bytes >> 10) + " KiB";
  return std::to_string(bytes) + " B";
}

/// Takes the unit off a name, because its value will have one.
std::string title(std::string name) {
  for (const auto* unit : {"_seconds", "_bytes", "_us"})
    if (name.ends_with(unit))
      name.resize(name.size() - std::string_view{unit}.size());
  std::replace(name.begin(), name.end(), '_', ' ');
  return plain_text(name);
}

std::string value(const std::string& name, const json& x) {
  if (x.is_null())
    return "-";
  if (x.empty() && x.is_structured())
    return "none";
  if (x.is_boolean())
    return x.get<bool>() ? "yes" : "no";
  if (x.is_string())
    return plain_text(x.get<std::string>());
  if (!x.is_number_integer())
    return plain_text(x.dump());
  auto number = x.get<int64_t>();
  if (name == "since" || name == "first" || name == "last")
    return time_of(number);
  if (name.ends_with("_seconds"))
    return span_of(number);
  if (name.ends_with("_bytes"))
    return size_of(number);
  if (name.ends_with("_us"))
    return std::to_string(number) + " us";
  return std::to_string(number);
}

void add_columns(std::string& out, const std::vector<row>& rows,
                 const std::string& indent) {
  std::vector<size_t> widths;
  for (const auto& each : rows)
    for (size_t i = 0; i < each.size(); ++i) {
      widths.resize(std::max(widths.size(), each.size()));
      widths[i] = std::max(widths[i], width(each[i]));
    }
  for (const auto& each : rows) {
    out += indent;
    for (size_t i = 0; i < each.size(); ++i) {
      out += each[i];
      if (i + 1 < each.size())
        out += std::string(widths[i] - width(each[i]) + 2, ' ');
    }
    out += '\n';
  }
}

bool is_table(const json& x) {
  return x.is_array() && !x.empty()
         && std::all_of(x.begin(), x.end(),
                        [](const json& y) { return y.is_object(); });
}

void add_table(std::string& out, const json& list, const std::string& indent) {
  // Objects need not have the same members.
  std::vector<std::string> names;
  for (const auto& each : list)
    for (const auto& [name, member] : each.items())
      if (std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
  row head;
  for (const auto& name : names)
    head.push_back(title(name));
  std::vector<row> rows{head};
  for (const auto& each : list) {
    row cells;
    for (const auto& name : names)
      cells.push_back(each.contains(name) ? value(name, each[name]) : "-");
    rows.push_back(std::move(cells));
  }
  add_columns(out, rows, indent);
}

/// Collects the members that are no table, those of objects with both names.
void collect(const json& x, const std::string& before, std::vector<row>& rows) {
  for (const auto& [name, member] : x.items()) {
    if (is_table(member))
      continue;
    if (member.is_object() && !member.empty())
      collect(member, before + title(name) + ' ', rows);
    else
      rows.push_back({before + title(name), value(name, member)});
  }
}

} // namespace

bool for_people(const command_line& line) {
  return line.has("table")
         || (!line.has("json") && ::isatty(STDOUT_FILENO) == 1);
}

std::string show(std::string_view answer) {
  auto x = json::parse(answer, nullptr, false);
  if (x.is_discarded() || !(x.is_object() || x.is_array()))
    return plain_text(answer) + "\n";
  std::string out;
  if (is_table(x)) {
    add_table(out, x, {});
    return out;
  }
  if (x.is_array())
    return x.empty() ? "none\n" : plain_text(answer) + "\n";
  std::vector<row> rows;
  collect(x, {}, rows);
  add_columns(out, rows, {});
  for (const auto& [name, member] : x.items())
    if (is_table(member)) {
      out += title(name) + ":\n";
      add_table(out, member, "  ");
    }
  return out;
}

std::string plain_text(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    auto next =
      i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (c < 0x20 || c == 0x7F) {
      out += "\\x";
      out += digits[c >> 4];
      out += digits[c & 15];
    } else if (c == 0xC2 && next < 0xA0) {
      out += "\\x";
      out += digits[next >> 4];
      out += digits[next & 15];
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

} // namespace signalbox::app
