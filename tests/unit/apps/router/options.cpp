#include "apps/router/options.hpp"

#include "apps/router/config_file.hpp"
#include "apps/router/setting_table.hpp"
#include "apps/router/setting_value.hpp"

#include <fstream>
#include <set>
#include <sstream>
#include <variant>

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace signalbox::app;

namespace {

using strings = std::vector<std::string>;
using kind = shape::kind;

loaded_settings from_text(std::string_view text) {
  loaded_settings result;
  apply_text(result, "r.json", text);
  return result;
}

std::string read(const std::string& path) {
  std::ifstream in{std::string{SIGNALBOX_SOURCE} + '/' + path};
  std::ostringstream result;
  result << in.rdbuf();
  return result.str();
}

// Whatever a member of an aggregate is initialised with.
struct anything {
  template <class T>
  operator T() const;
};

// Returns how many fields a struct has.
template <class T, class... Fields>
constexpr size_t field_count() {
  if constexpr (requires { T{Fields{}..., anything{}}; })
    return field_count<T, Fields..., anything>();
  else
    return sizeof...(Fields);
}

size_t members_of(const char* name) {
  settings any;
  auto list =
    std::get<object_list>(find_setting(setting_table(), name)->at(&any));
  return list.members().size();
}

// The comments directly above a line, as one line.
std::string comment_above(const strings& lines, size_t line) {
  std::string result;
  for (auto i = line - 1; i-- > 0;) {
    auto text = lines[i].substr(
      std::min(lines[i].find_first_not_of(' '), lines[i].size()));
    if (!text.starts_with("// "))
      break;
    result = text.substr(3) + (result.empty() ? "" : " ") + result;
  }
  return result;
}

void collect(const config_value& value, const std::string& parent,
             std::vector<std::pair<std::string, size_t>>& out) {
  for (size_t i = 0; i < value.items.size(); ++i)
    if (value.items[i].is == config_value::type::object)
      collect(value.items[i], parent + value.keys[i] + '.', out);
    else
      out.emplace_back(parent + value.keys[i], value.items[i].line);
}

strings split_lines(const std::string& text) {
  strings result;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    result.push_back(line);
  return result;
}

// The line of docs/configuration.md about a setting.
std::string row(const std::string& prefix, const setting& x, void* owner) {
  return "| `" + prefix + x.name + "` | `" + print_value(x, owner) + "` | "
         + brief(x.allowed) + " | " + std::string{x.doc} + " |";
}

} // namespace

// -- table, struct, file and page agree ---------------------------------------

TEST(every field of the settings has one line in the table) {
  const std::vector<std::pair<std::string, size_t>> sections{
    {"listen", field_count<listen_settings>()},
    {"site-listener", field_count<site_listener_settings>()},
    {"operations", field_count<operations_settings>()},
    {"tls", field_count<tls_settings>()},
    {"engine", field_count<engine_settings>()},
    {"jsonp", field_count<jsonp_settings>()},
    {"origin", field_count<origin_settings>()},
    {"session", field_count<session_settings>()},
    {"site", field_count<site_settings>()},
    {"site-auth", field_count<site_auth_settings>()},
    {"ingest", field_count<ingest_settings>()},
    {"presence", field_count<presence_settings>()},
    {"limits", field_count<limit_settings>()},
    {"proxy", field_count<proxy_settings>()},
    {"router", field_count<router_settings>()},
    {"cluster", field_count<cluster_settings>()},
    {"log", field_count<log_settings>()},
  };
  // Beside the sections there are namespaces and rules.
  CHECK_EQUAL(field_count<settings>(), sections.size() + 2);
  CHECK_EQUAL(section_table().size(), sections.size());
  size_t total = 2;
  for (const auto& [name, fields] : sections) {
    size_t lines = 0;
    for (const auto& x : setting_table())
      lines += x.name.starts_with(name + '.') ? 1 : 0;
    MESSAGE(name);
    CHECK_EQUAL(lines, fields);
    total += fields;
  }
  CHECK_EQUAL(setting_table().size(), total);
  CHECK_EQUAL(members_of("namespaces"), field_count<namespace_settings>());
  CHECK_EQUAL(members_of("rules"), field_count<rule_settings>());
  CHECK_EQUAL(members_of("ingest.keys"), field_count<key_settings>());
}

TEST(no two lines of the table share a field or a name) {
  settings x;
  std::set<const void*> fields;
  std::set<std::string> names;
  std::set<std::string> variables_seen;
  for (const auto& y : setting_table()) {
    auto target = y.at(&x);
    auto address = std::visit(
      [](auto z) -> const void* {
        if constexpr (std::is_same_v<decltype(z), object_list>)
          return z.list;
        else
          return z;
      },
      target);
    CHECK(fields.insert(address).second);
    CHECK(names.insert(y.name).second);
    CHECK(variables_seen.insert(environment_name(y.name)).second);
  }
}

TEST(the defaults are allowed) {
  auto x = from_text(dump_settings({}));
  CHECK_EQUAL(x.errors, strings{});
  check_settings(x);
  CHECK_EQUAL(x.errors, strings{});
  CHECK_EQUAL(dump_settings(x.values), dump_settings({}));
}

TEST(the example file has every setting with its default) {
  auto text = read("configs/router.json");
  auto x = from_text(text);
  CHECK_EQUAL(x.errors, strings{});
  settings defaults;
  for (const auto& y : setting_table()) {
    MESSAGE(y.name);
    CHECK(x.sources.contains(y.name));
    CHECK_EQUAL(print_value(y, &x.values), print_value(y, &defaults));
  }
}

TEST(the example file explains every setting as the table does) {
  auto text = read("configs/router.json");
  auto lines = split_lines(text);
  std::vector<config_error> errors;
  auto root = parse_config(text, errors);
  REQUIRE(root.has_value());
  std::vector<std::pair<std::string, size_t>> found;
  collect(*root, {}, found);
  CHECK_EQUAL(found.size(), setting_table().size());
  for (const auto& [name, line] : found) {
    auto x = find_setting(setting_table(), name);
    REQUIRE(x != nullptr);
    auto comment = comment_above(lines, line);
    auto wanted = std::string{x->doc} + " [" + brief(x->allowed) + ']';
    MESSAGE("wanted above " << name << ": " << wanted);
    CHECK(comment.find(wanted) != std::string::npos);
  }
}

TEST(the page on configuration has a true line for every setting) {
  auto lines = split_lines(read("docs/configuration.md"));
  std::set<std::string> rows;
  for (const auto& line : lines)
    if (line.starts_with("| `"))
      rows.insert(line);
  size_t wanted = 0;
  auto check_row = [&](const std::string& text) {
    MESSAGE("wanted: " << text);
    CHECK(rows.contains(text));
    ++wanted;
  };
  settings defaults;
  for (const auto& x : setting_table()) {
    check_row(row({}, x, &defaults));
    auto target = x.at(&defaults);
    if (auto list = std::get_if<object_list>(&target)) {
      list->resize(list->list, 1);
      for (const auto& y : list->members())
        check_row(row(x.name + "[].", y, list->element(list->list, 0)));
    }
  }
  CHECK_EQUAL(rows.size(), wanted);
}

TEST(the other example files are right) {
  for (auto name : {"configs/subdomain.json", "configs/demo.json",
                    "configs/cluster/node.json"}) {
    auto x = from_text(read(name));
    // The secret stays out of the file.
    if (!x.values.cluster.name.empty())
      apply_overrides(x, {{"cluster.sid-key", std::string(32, 's')}});
    check_settings(x);
    MESSAGE(name);
    CHECK_EQUAL(x.errors, strings{});
    CHECK_EQUAL(x.warnings, strings{});
  }
}

// -- sources ------------------------------------------------------------------

TEST(flags override the environment and that overrides the file) {
  auto x =
    from_text(R"({"limits": {"headers": 1, "rooms": 1, "fragments": 1}})");
  apply_environment(x, {{"SIGNALBOX_LIMITS_ROOMS", "2"},
                        {"SIGNALBOX_LIMITS_FRAGMENTS", "2"},
                        {"PATH", "/bin"}});
  apply_overrides(x, {{"limits.fragments", "3"}});
  CHECK_EQUAL(x.errors, strings{});
  CHECK_EQUAL(x.warnings, strings{});
  CHECK_EQUAL(x.values.limits.headers, 1u);
  CHECK_EQUAL(x.values.limits.rooms, 2u);
  CHECK_EQUAL(x.values.limits.fragments, 3u);
  CHECK_EQUAL(x.values.limits.namespaces, limit_settings{}.namespaces);
  CHECK_EQUAL(x.sources["limits.headers"], "r.json:1");
  CHECK_EQUAL(x.sources["limits.rooms"], "SIGNALBOX_LIMITS_ROOMS");
  CHECK_EQUAL(x.sources["limits.fragments"], "--limits.fragments");
}

TEST(every setting can be given by environment and flag) {
  settings any;
  for (const auto& x : setting_table()) {
    auto text = print_value(x, &any);
    if (x.allowed.is == kind::texts || x.allowed.is == kind::choices)
      std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
    if (x.allowed.is != kind::objects)
      std::erase(text, '"');
    loaded_settings loaded;
    apply_environment(loaded, {{environment_name(x.name), text}});
    apply_overrides(loaded, {{x.name, text}});
    MESSAGE(x.name << "=" << text);
    CHECK_EQUAL(loaded.errors, strings{});
    CHECK_EQUAL(loaded.sources[x.name], "--" + x.name);
    CHECK_EQUAL(print_value(x, &loaded.values), print_value(x, &any));
  }
}

TEST(lists outside a file are separated by commas and objects are JSON) {
  loaded_settings x;
  apply_overrides(
    x, {{"origin.allow", "http://a.test, http://b.test"},
        {"site.headers", ""},
        {"rules", R"([{"type": "letter", "to": "user", "pointer": "/to"}])"}});
  CHECK_EQUAL(x.errors, strings{});
  CHECK_EQUAL(x.values.origin.allow,
              (strings{"http://a.test", "http://b.test"}));
  CHECK_EQUAL(x.values.site.headers, strings{});
  REQUIRE_EQUAL(x.values.rules.size(), 1u);
  CHECK(x.values.rules[0].to == rule_target::user);
}

TEST(an unknown variable is an error if it starts like a section) {
  loaded_settings x;
  apply_environment(x, {{"SIGNALBOX_ENGINE_PING_INTERVALL", "1s"},
                        {"SIGNALBOX_JOBS", "2"},
                        {"SIGNALBOX_INGEST_SERVICE_HOST", "10.0.0.1"},
                        {"SIGNALBOX_CONFIG", "r.json"}});
  REQUIRE_EQUAL(x.errors.size(), 1u);
  CHECK_EQUAL(x.errors[0],
              "SIGNALBOX_ENGINE_PING_INTERVALL: unknown setting (did you mean "
              "SIGNALBOX_ENGINE_PING_INTERVAL?)");
  CHECK_EQUAL(x.warnings.size(), 2u);
}

TEST(a wrong value outside a file names its source and the setting) {
  loaded_settings x;
  apply_environment(x, {{"SIGNALBOX_ROUTER_NODE", "65536"}});
  apply_overrides(x, {{"tls.keys", "a"}, {"ingest.keys", R"([{"key": "hush)"}});
  REQUIRE_EQUAL(x.errors.size(), 3u);
  CHECK_EQUAL(x.errors[0], "SIGNALBOX_ROUTER_NODE: router.node: \"65536\" is "
                           "out of range; give a whole number, 0 to 65535");
  CHECK_EQUAL(x.errors[1],
              "--tls.keys: unknown setting (did you mean --tls.key?)");
  MESSAGE("a secret is not repeated");
  CHECK_EQUAL(x.errors[2], "--ingest.keys: ingest.keys: the value is no valid "
                           "JSON; give a list of 0 to 1000 objects");
}

TEST(a file that cannot be read is an error) {
  command_line line;
  line.config_file = "/nonexistent/r.json";
  CHECK_EQUAL(load_settings(line, {}).errors,
              strings{"/nonexistent/r.json: cannot be read: No such file or "
                      "directory"});
  line.config_file = "/";
  CHECK_EQUAL(load_settings(line, {}).errors.size(), 1u);
  MESSAGE("without a flag the environment names the file");
  auto file = std::string{SIGNALBOX_SOURCE} + "/configs/demo.json";
  auto x = load_settings({}, {{"SIGNALBOX_CONFIG", file}});
  CHECK_EQUAL(x.errors, strings{});
  CHECK_EQUAL(x.values.rules.size(), 3u);
}
