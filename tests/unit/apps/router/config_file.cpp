#include "apps/router/config_file.hpp"

#include "apps/router/options.hpp"

#include "tests/support/check.hpp"

using namespace signalbox::app;

namespace {

using strings = std::vector<std::string>;

strings faults(std::string_view text) {
  loaded_settings x;
  apply_text(x, "r.json", text);
  return x.errors;
}

std::string nested(size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

} // namespace

TEST(comments are allowed) {
  CHECK_EQUAL(faults("// one\n{/* two\n */\"router\": // three\n"
                     "{\"node\": 1 /* four */}}// five"),
              strings{});
}

TEST(an unknown setting is an error that names the nearest one) {
  CHECK_EQUAL(faults(R"({
    "engine": {
      "ping_interval": "25s",
      "something": 1
    },
    "engin": {},
    "ping-timeout": "20s",
    "log.level": "info",
    "zzzzzz": 1
  })"),
              (strings{
                "r.json:3: engine.ping_interval: unknown setting (did you mean "
                "engine.ping-interval?)",
                "r.json:4: engine.something: unknown setting",
                "r.json:6: engin: unknown setting (did you mean engine?)",
                "r.json:7: ping-timeout: unknown setting (did you mean "
                "engine.ping-timeout?)",
                "r.json:8: log.level: unknown setting; give the part after the "
                "dot inside an object with the name before it",
                "r.json:9: zzzzzz: unknown setting",
              }));
}

TEST(a section that is no object is an error) {
  CHECK_EQUAL(faults("{\"engine\":\n5}"),
              strings{"r.json:1: engine: is a group of settings; give an "
                      "object"});
  CHECK_EQUAL(
    faults("\n[]"),
    strings{"r.json:2: the configuration is no object; give { ... }"});
}

TEST(a key that is there twice is an error) {
  CHECK_EQUAL(
    faults("{\"router\": {\n\"node\": 1,\n\"node\": 2}}"),
    strings{"r.json:3: router.node: set twice, first in line 2; a key "
            "is allowed once"});
  CHECK_EQUAL(faults("{\"log\": {},\n\"log\": {}}"),
              strings{"r.json:2: log: set twice, first in line 1; a key is "
                      "allowed once"});
  CHECK_EQUAL(
    faults("{\"rules\": [{},\n{\"to\": \"all\",\n\"to\": \"all\"}]}"),
    strings{"r.json:3: rules[1].to: set twice, first in line 2; a key "
            "is allowed once"});
}

TEST(the line is that of the key or of the item) {
  std::vector<config_error> errors;
  auto x =
    parse_config("{\n\"a\":\n1\n,\"b\": [\n1\n,\n\"x\",\ntrue\n]}", errors);
  REQUIRE(x.has_value());
  CHECK_EQUAL(x->line, 1u);
  CHECK_EQUAL(x->items[0].line, 2u);
  CHECK_EQUAL(x->items[1].line, 4u);
  CHECK_EQUAL(x->items[1].items[0].line, 5u);
  CHECK_EQUAL(x->items[1].items[1].line, 7u);
  CHECK_EQUAL(x->items[1].items[2].line, 8u);
}

TEST(malformed JSON is an error with its line) {
  for (auto [text, start] :
       {std::pair{"", "r.json:1: no valid JSON: "},
        std::pair{"{\n\n", "r.json:3: no valid JSON: "},
        std::pair{"{\n\"log\": {},\n}", "r.json:3: log: no valid JSON: "},
        std::pair{"{\"log\": {}\n\"tls\": {}}",
                  "r.json:2: log: no valid JSON: "},
        std::pair{"{\"log\": x\n\n}", "r.json:1: log: no valid JSON: "},
        std::pair{"{\"log\": \"\xff\"}", "r.json:1: log: no valid JSON: "},
        std::pair{"{} {}", "r.json:1: no valid JSON: "},
        std::pair{"{/*", "r.json:1: no valid JSON: "}}) {
    auto errors = faults(text);
    REQUIRE_EQUAL(errors.size(), 1u);
    MESSAGE(errors[0]);
    CHECK(errors[0].starts_with(start));
  }
}

TEST(malformed JSON does not show what it says) {
  auto errors = faults(R"({"ingest": {"keys": [{"key": "do not show")");
  REQUIRE_EQUAL(errors.size(), 1u);
  CHECK(errors[0].find("show") == std::string::npos);
  errors = faults("{\"ingest\": {\"keys\": [{\"key\": \"do not\nshow\"");
  REQUIRE_EQUAL(errors.size(), 1u);
  CHECK(errors[0].find("do not") == std::string::npos);
}

TEST(sixteen levels of nesting are allowed) {
  std::vector<config_error> errors;
  CHECK(parse_config(nested(16), errors).has_value());
  CHECK(!parse_config(nested(17), errors).has_value());
  REQUIRE_EQUAL(errors.size(), 1u);
  CHECK_EQUAL(errors[0].message, "nested too deep; 16 levels are allowed");
  MESSAGE("a hundred thousand do not hurt");
  CHECK(!parse_config(nested(100000), errors).has_value());
}
