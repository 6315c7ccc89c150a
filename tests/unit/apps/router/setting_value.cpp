#include "apps/router/setting_value.hpp"

#include "apps/router/options.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace signalbox::app;
using namespace std::chrono_literals;

namespace {

using strings = std::vector<std::string>;
using kind = shape::kind;

loaded_settings from_text(std::string_view text) {
  loaded_settings result;
  apply_text(result, "r.json", text);
  return result;
}

// The one error of a file.
std::string fault(std::string_view text) {
  auto xs = from_text(text).errors;
  return xs.size() == 1 ? xs.front() : std::to_string(xs.size()) + " errors";
}

// {"engine": {"path": VALUE}} for engine.path.
std::string file_with(const std::string& name, const std::string& value) {
  auto dot = name.find('.');
  if (dot == std::string::npos)
    return "{\"" + name + "\": " + value + '}';
  return "{\"" + name.substr(0, dot) + "\": {\"" + name.substr(dot + 1)
         + "\": " + value + "}}";
}

std::string number_with_unit(kind is, uint64_t x) {
  auto digits = std::to_string(x);
  return is == kind::duration ? '"' + digits + "ms\"" : digits;
}

} // namespace

TEST(every number is allowed up to its limits and refused beyond) {
  for (const auto& x : setting_table()) {
    auto is = x.allowed.is;
    if (is != kind::count && is != kind::size && is != kind::duration)
      continue;
    auto errors = [&](uint64_t number) {
      return from_text(file_with(x.name, number_with_unit(is, number))).errors;
    };
    MESSAGE(x.name);
    CHECK(x.allowed.least < x.allowed.most);
    CHECK_EQUAL(errors(x.allowed.least), strings{});
    CHECK_EQUAL(errors(x.allowed.most), strings{});
    auto over = errors(x.allowed.most + 1);
    REQUIRE_EQUAL(over.size(), 1u);
    CHECK(over[0].starts_with("r.json:1: " + x.name + ": "));
    CHECK(over[0].ends_with(" is out of range; give " + allowed(x.allowed)));
    if (x.allowed.least > 0)
      CHECK_EQUAL(errors(x.allowed.least - 1).size(), 1u);
    auto below = from_text(file_with(x.name, "-1")).errors;
    CHECK_EQUAL(below.size(), 1u);
  }
}

TEST(every setting refuses values of other types) {
  for (const auto& x : setting_table())
    for (auto value : {"null", "{}", "1.5"}) {
      auto errors = from_text(file_with(x.name, value)).errors;
      MESSAGE(x.name << ": " << value);
      REQUIRE_EQUAL(errors.size(), 1u);
      CHECK(errors[0].starts_with("r.json:1: " + x.name + ": "));
      CHECK(errors[0].find(" is no ") != std::string::npos);
      CHECK(errors[0].ends_with("; give " + allowed(x.allowed)));
    }
}

TEST(durations and sizes have units) {
  auto x = from_text(R"({
    "engine": {"ping-interval": "300ms", "ping-timeout": "2m",
               "max-payload": "64KiB"},
    "ingest": {"idempotency-window": "1h", "max-body": "1MiB",
               "max-event": 5000},
    "limits": {"outbox-bytes": "1GiB", "header-bytes": "1000B"}})");
  CHECK_EQUAL(x.errors, strings{});
  CHECK(x.values.engine.ping_interval == 300ms);
  CHECK(x.values.engine.ping_timeout == 2min);
  CHECK(x.values.ingest.idempotency_window == 1h);
  CHECK_EQUAL(x.values.engine.max_payload, 65536u);
  CHECK_EQUAL(x.values.ingest.max_body, 1048576u);
  CHECK_EQUAL(x.values.ingest.max_event, 5000u);
  CHECK_EQUAL(x.values.limits.outbox_bytes, 1073741824u);
  CHECK_EQUAL(x.values.limits.header_bytes, 1000u);
}

TEST(malformed durations and sizes are refused) {
  for (auto value : {"\"abc\"", "\"25\"", "\"25 s\"", "\"s\"", "\"1.5s\"",
                     "\"\"", "\"25S\"", "25", "true"})
    CHECK_EQUAL(fault(file_with("engine.ping-interval", value)),
                std::string{"r.json:1: engine.ping-interval: "} + value
                  + " is no duration; give a number with ms, s, m or h, 100ms "
                    "to 1h");
  for (auto value : {"\"1KB\"", "\"1 KiB\"", "\"KiB\"", "\"1.5MiB\"", "1.5"})
    CHECK_EQUAL(fault(file_with("limits.request-line", value)),
                std::string{"r.json:1: limits.request-line: "} + value
                  + " is no size; give bytes, or a number with B, KiB, MiB or "
                    "GiB, 64B to 64KiB");
  MESSAGE("numbers too large for the machine are out of range, not wrapped");
  for (auto value : {"\"18446744073709551616s\"", "\"18446744073709551615h\"",
                     "\"9223372036854775807ms\""})
    CHECK(fault(file_with("engine.ping-interval", value)).find("out of range")
          != std::string::npos);
  for (auto value : {"18446744073709551616", "\"17179869185GiB\""})
    CHECK(fault(file_with("limits.request-line", value)).find("out of range")
          != std::string::npos);
}

TEST(texts are held to their form) {
  const std::vector<std::pair<std::string, strings>> good{
    {"listen.public", {"0.0.0.0:0", "[::1]:65535", "10.0.0.1:80"}},
    {"site.auth-url", {"", "http://127.0.0.1:8480/a?b=c", "https://a.test"}},
    {"engine.path", {"/socket.io/", "/socket.io", "/a/b-c_d/"}},
    {"cluster.advertise", {"", "127.0.0.1:8404", "[fd00::1]:1"}},
    {"log.level", {"trace", "off"}},
    {"log.format", {"text", "json"}},
  };
  const std::vector<std::pair<std::string, strings>> bad{
    {"listen.public",
     {"", ":80", "localhost:80", "0.0.0.0", "0.0.0.0:65536", "::1:80",
      "[0.0.0.0]:80", "0.0.0.0:-1"}},
    {"site.auth-url", {"ftp://a", "/api", "http://", "http://a b/"}},
    {"engine.path", {"", "/", "socket.io/", "//", "/a?b/", "/../a/", "/a/.."}},
    {"cluster.advertise",
     {"0.0.0.0:8404", "[::]:8404", "[0::0]:8404", "10.0.0.1:0", "10.0.0.1"}},
    {"log.level", {"", "Info", "debug|info"}},
    {"site.ca-file", {"a\\nb", std::string(4097, 'a')}},
  };
  for (const auto& [name, values] : good)
    for (const auto& value : values)
      CHECK_EQUAL(from_text(file_with(name, '"' + value + '"')).errors,
                  strings{});
  for (const auto& [name, values] : bad)
    for (const auto& value : values) {
      MESSAGE(name << ": " << value);
      auto text = fault(file_with(name, '"' + value + '"'));
      CHECK(text.starts_with("r.json:1: " + name + ": "));
      CHECK(text.ends_with(
        "; give " + allowed(find_setting(setting_table(), name)->allowed)));
    }
}

TEST(lists are held to the form of their items) {
  const std::vector<std::pair<std::string, std::string>> good{
    {"engine.transports", R"(["websocket"])"},
    {"origin.allow", R"(["https://a.test", "http://*.b.test:81"])"},
    {"origin.allow", R"(["capacitor://localhost", "moz-extension://*"])"},
    {"origin.allow", R"(["file://", "null"])"},
    {"proxy.trusted-proxies", R"(["10.0.0.0/8", "::1", "fe80::/128"])"},
    {"site.headers", R"(["x-a", "Authorization"])"},
    {"session.bind-cookies", "[]"},
    {"cluster.seeds", R"(["10.0.0.1:8404", "[fd00::2]:8404"])"},
  };
  const std::vector<std::pair<std::string, std::string>> bad{
    {"engine.transports", R"("webtransport")"},
    {"engine.transports", R"("polling", "polling")"},
    {"origin.allow", R"("https://a.test/path")"},
    {"origin.allow", R"("file:///")"},
    {"origin.allow", R"("*")"},
    {"origin.allow", R"("https://*")"},
    {"origin.allow", R"("wss://a.test")"},
    {"proxy.trusted-proxies", R"("10.0.0.0/33")"},
    {"proxy.trusted-proxies", R"("::1/129")"},
    {"proxy.trusted-proxies", R"("10.0.0/8")"},
    {"proxy.trusted-proxies", R"("10.0.0.0/")"},
    {"site.headers", R"("Cookie")"},
    {"site.headers", R"("content-length")"},
    {"site.headers", R"("X-Signalbox-Namespace")"},
    {"site.headers", R"("a b")"},
    {"site.cookies", R"("a;b")"},
    {"site.cookies", R"("")"},
    {"site.cookies", "5"},
    {"cluster.seeds", R"("10.0.0.1")"},
    {"cluster.seeds", R"("0.0.0.0:8404")"},
  };
  for (const auto& [name, value] : good)
    CHECK_EQUAL(from_text(file_with(name, value)).errors, strings{});
  for (const auto& [name, value] : bad) {
    MESSAGE(name << ": " << value);
    auto text = fault(file_with(name, '[' + value + ']'));
    CHECK(text.starts_with("r.json:1: " + name + '['));
    CHECK(text.find("; give ") != std::string::npos);
  }
  CHECK_EQUAL(fault(R"({"engine": {"transports": []}})"),
              "r.json:1: engine.transports: a list is too short; give a list "
              "of polling and websocket, at least one");
}

TEST(a list is allowed up to its limit and refused beyond) {
  auto errors = [](size_t n) {
    std::string items;
    for (size_t i = 0; i < n; ++i)
      items += (i == 0 ? "\"x-" : ", \"x-") + std::to_string(i) + '"';
    return from_text(file_with("site.headers", '[' + items + ']')).errors;
  };
  CHECK_EQUAL(errors(100), strings{});
  REQUIRE_EQUAL(errors(101).size(), 1u);
  CHECK(errors(101)[0].find("too long; give a list of up to 100")
        != std::string::npos);
}
