#include "apps/router/options.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace signalbox::app;

namespace {

using strings = std::vector<std::string>;

loaded_settings checked(std::string_view text) {
  loaded_settings x;
  apply_text(x, "r.json", text);
  if (x.errors.empty())
    check_settings(x);
  return x;
}

strings faults(std::string_view text) {
  return checked(text).errors;
}

std::string keys(const std::string& members) {
  return "{\"ingest\": {\"keys\": [\n{" + members + "}]}}";
}

// A node of a cluster on loopback with further members of `cluster`.
std::string node(const std::string& members) {
  return R"({"router": {"node": 1}, "namespaces": [{"anonymous": true}],
"cluster": {"name": "x", "sid-key": ")"
         + std::string(32, 's') + "\"" + (members.empty() ? "" : ",\n")
         + members + "}}";
}

const std::string files = R"("certificate": "a", "key": "b", "ca": "c")";

const std::string make_them =
  "\" reaches beyond loopback, where nodes must prove who they are; give "
  "cluster.certificate, cluster.key and cluster.ca "
  "(configs/make-cluster-certs makes them)";

} // namespace

TEST(certificate and key come together) {
  CHECK_EQUAL(faults(R"({"tls": {"certificate": "a", "key": "b"}})"),
              strings{});
  CHECK_EQUAL(faults(R"({"tls": {"certificate": "a"}})"),
              strings{"r.json:1: tls.certificate: has no key; give tls.key as "
                      "well"});
  CHECK_EQUAL(faults(R"({"tls": {"key": "b"}})"),
              strings{"r.json:1: tls.key: has no certificate; give "
                      "tls.certificate as well"});
}

TEST(sources may complete each other) {
  loaded_settings x;
  apply_text(x, "r.json", R"({"tls": {"certificate": "a"}})");
  apply_environment(x, {{"SIGNALBOX_TLS_KEY", "b"}});
  check_settings(x);
  CHECK_EQUAL(x.errors, strings{});
}

TEST(listeners differ) {
  CHECK_EQUAL(faults(R"({"listen": {"ingest": "0.0.0.0:8400"}})"),
              strings{"r.json:1: listen.ingest: \"0.0.0.0:8400\" is taken by "
                      "listen.public; give each listener its own"});
  MESSAGE("port 0 is any free one, so it is never taken");
  CHECK_EQUAL(faults(R"({"listen": {"ingest": "127.0.0.1:0",
                                    "operations": "127.0.0.1:0"}})"),
              strings{});
}

TEST(namespaces have different names that start with a slash) {
  CHECK_EQUAL(faults("{\"namespaces\": [{\"name\": \"/a\"},\n{\"name\": "
                     "\"/a\"}]}"),
              strings{"r.json:2: namespaces[1].name: \"/a\" is there twice; "
                      "give each name once"});
  for (std::string name : {"", "a", "/a,b", "/a?b", "/a b"}) {
    auto errors = faults("{\"namespaces\": [{\"name\": \"" + name + "\"}]}");
    REQUIRE_EQUAL(errors.size(), 1u);
    CHECK(errors[0].starts_with("r.json:1: namespaces[0].name: "));
    CHECK(errors[0].ends_with("; give a name that starts with /"));
  }
  CHECK_EQUAL(faults(R"({"namespaces": []})"),
              strings{"r.json:1: namespaces: a list is too short; give a list "
                      "of 1 to 1000 objects"});
}

TEST(members of elements are checked like settings) {
  CHECK_EQUAL(faults("{\"namespaces\": [\n{\"anonymus\": true},\n5,\n"
                     "{\"name\": \"/b\",\n\"on-client-event\": \"drop\"}]}"),
              (strings{
                "r.json:2: namespaces[0].anonymus: unknown setting (did you "
                "mean namespaces[0].anonymous?)",
                "r.json:3: namespaces[1]: 5 is no object; give an object",
                "r.json:5: namespaces[2].on-client-event: \"drop\" is none of "
                "the choices; give refuse or forward",
              }));
}

TEST(an element takes the defaults for what it does not name) {
  loaded_settings x;
  apply_text(x, "r.json", R"({"namespaces": [{"name": "/a", "anonymous": true},
                                             {"name": "/b"}]})");
  apply_overrides(x, {{"namespaces", R"([{"name": "/c"}])"}});
  CHECK_EQUAL(x.errors, strings{});
  REQUIRE_EQUAL(x.values.namespaces.size(), 1u);
  CHECK_EQUAL(x.values.namespaces[0].name, "/c");
  CHECK(!x.values.namespaces[0].anonymous);
  CHECK_EQUAL(x.sources["namespaces[0]"], "--namespaces");
  CHECK(!x.sources.contains("namespaces[1]"));
}

TEST(rules name known namespaces and a recipient) {
  CHECK_EQUAL(faults(R"({"rules": [
    {"namespace": "/", "type": "a", "to": "user", "pointer": "/a~1b~0/0"},
    {"type": "b", "to": "all"},
    {}]})"),
              strings{});
  CHECK_EQUAL(faults(R"({"rules": [
    {"namespace": "/x", "to": "all"},
    {"to": "user"},
    {"to": "room", "pointer": ""}]})"),
              (strings{
                "r.json:2: rules[0].namespace: \"/x\" is none of the "
                "namespaces; give one of /",
                "r.json:3: rules[1].pointer: missing; a rule to user or room "
                "needs a JSON pointer, such as /to",
                "r.json:4: rules[2].pointer: missing; a rule to user or room "
                "needs a JSON pointer, such as /to",
              }));
  for (std::string pointer : {"to", "/a~", "/a~2"})
    CHECK_EQUAL(faults("{\"rules\": [{\"to\": \"user\", \"pointer\": \""
                       + pointer + "\"}]}"),
                strings{"r.json:1: rules[0].pointer: \"" + pointer
                        + "\" is not possible; give a JSON pointer, such as "
                          "/to, or \"\""});
}

TEST(keys have sixteen characters and differ) {
  auto sixteen = std::string(16, 'k');
  auto key = [](const std::string& x) { return keys("\"key\": \"" + x + '"'); };
  CHECK_EQUAL(faults(key(sixteen)), strings{});
  MESSAGE("a refused key is not shown");
  CHECK_EQUAL(faults(key(std::string(15, 'k'))),
              strings{"r.json:2: ingest.keys[0].key: the value is shorter than "
                      "16 characters; give text of 16 to 1024 characters"});
  CHECK_EQUAL(faults(key(std::string(1024, 'k'))), strings{});
  CHECK_EQUAL(faults(key(std::string(1025, 'k'))).size(), 1u);
  CHECK_EQUAL(faults(keys("\"name\": \"a\"")),
              strings{"r.json:2: ingest.keys[0].key: missing; give text of 16 "
                      "to 1024 characters"});
  CHECK_EQUAL(faults(keys("\"key\": \"" + sixteen + "\"},\n{\"key\": \""
                          + sixteen + '"')),
              strings{"r.json:3: ingest.keys[1].key: is there twice; give each "
                      "key once"});
  CHECK_EQUAL(
    faults(keys("\"key\": \"" + sixteen + "\", \"namespaces\": [\"/x\"]")),
    strings{"r.json:2: ingest.keys[0].namespaces: \"/x\" is none of "
            "the namespaces; give one of /"});
}

TEST(a dump does not show keys) {
  auto x = checked(keys(R"("key": "do-not-show-this")"));
  CHECK_EQUAL(x.errors, strings{});
  CHECK_EQUAL(x.values.ingest.keys[0].key, "do-not-show-this");
  CHECK(dump_settings(x.values).find("do-not") == std::string::npos);
}

TEST(an event fits into a post) {
  CHECK_EQUAL(faults(R"({"ingest": {"max-body": 1000, "max-event": 1000}})"),
              strings{});
  CHECK_EQUAL(faults(R"({"ingest": {"max-body": 1000, "max-event": 1001}})"),
              strings{"r.json:1: ingest.max-event: is over ingest.max-body; "
                      "give at most 1000"});
}

TEST(a cluster on loopback needs a name and a key for session ids) {
  auto x = checked(node({}));
  CHECK_EQUAL(x.errors, strings{});
  CHECK_EQUAL(x.warnings, strings{});
  std::string say =
    "; give all nodes the same secret of at least 32 characters, such as "
    "`openssl rand -base64 32` prints";
  CHECK_EQUAL(faults(R"({"cluster": {"name": "x"}})"),
              strings{"default: cluster.sid-key: missing" + say});
  CHECK_EQUAL(faults("{\"cluster\": {\"name\": \"x\",\n\"sid-key\": \""
                     + std::string(31, 's') + "\"}}"),
              strings{"r.json:2: cluster.sid-key: is too short" + say});
}

TEST(a key for session ids is not shown) {
  auto x = checked(node({}));
  CHECK(dump_settings(x.values).find("ssss") == std::string::npos);
  CHECK(
    faults("{\"cluster\": {\"sid-key\": \"" + std::string(1025, 's') + "\"}}")
      .at(0)
      .find("ssss")
    == std::string::npos);
}

TEST(certificate and key and authority of a node come together) {
  CHECK_EQUAL(faults(node(files)), strings{});
  CHECK_EQUAL(faults(node(R"("certificate": "a", "key": "b")")),
              strings{"r.json:3: cluster.certificate: comes with a "
                      "certificate, its key and the authority; give "
                      "cluster.ca as well"});
  CHECK_EQUAL(faults(node(R"("ca": "a")")),
              strings{"r.json:3: cluster.ca: comes with a certificate, its key "
                      "and the authority; give cluster.certificate and "
                      "cluster.key as well"});
}

TEST(only on loopback nodes go without certificates) {
  auto local = R"("listen": "[::1]:8404", "advertise": "127.0.0.2:8404",
                  "seeds": ["[0::1]:1", "127.1.2.3:4"])";
  CHECK_EQUAL(faults(node(local)), strings{});
  auto remote = R"("listen": "10.0.0.1:8404",
"advertise": "192.0.2.1:8404",
"seeds": ["127.0.0.1:1", "[::2]:1"])";
  CHECK_EQUAL(faults(node(remote)),
              (strings{
                "r.json:3: cluster.listen: \"10.0.0.1:8404" + make_them,
                "r.json:4: cluster.advertise: \"192.0.2.1:8404" + make_them,
                "r.json:5: cluster.seeds[1]: \"[::2]:1" + make_them,
              }));
  CHECK_EQUAL(faults(node(remote + (",\n" + files))), strings{});
}

TEST(a node that listens everywhere says where it is reached) {
  for (std::string at : {"0.0.0.0:8404", "[::]:8404"}) {
    auto listen = "\"listen\": \"" + at + "\",\n" + files;
    CHECK_EQUAL(faults(node(listen)),
                strings{"r.json:3: cluster.listen: \"" + at
                        + "\" is every address of this machine; give the one "
                          "that the other nodes reach in cluster.advertise"});
    CHECK_EQUAL(faults(node(listen + R"(, "advertise": "10.0.0.1:8404")")),
                strings{});
  }
}

TEST(a node is not dead for one lost heartbeat) {
  auto times = [](const std::string& heartbeat) {
    return node("\"dead-after\": \"3s\",\n\"heartbeat\": \"" + heartbeat + '"');
  };
  CHECK_EQUAL(faults(times("1499ms")), strings{});
  CHECK_EQUAL(faults(times("1500ms")),
              strings{"r.json:4: cluster.heartbeat: is not less than half of "
                      "cluster.dead-after; one lost sign of life would be a "
                      "death; give at most 1499ms"});
}

TEST(the listener of a cluster differs from the others) {
  CHECK_EQUAL(
    faults(node(R"("listen": "127.0.0.1:8401")")),
    strings{"r.json:3: cluster.listen: \"127.0.0.1:8401\" is taken by "
            "listen.ingest; give each listener its own"});
  MESSAGE("without a cluster nothing listens there");
  CHECK_EQUAL(faults(R"({"listen": {"site": "127.0.0.1:8404"}})"), strings{});
}

TEST(settings of a cluster without its name are warned about) {
  auto x = checked(R"({"namespaces": [{"anonymous": true}], "cluster": {
    "seeds": ["10.0.0.1:8404"],
    "sid-key": "short",
    "heartbeat": "1s"}})");
  CHECK_EQUAL(x.errors, strings{});
  auto say = ": has no effect; give cluster.name as well";
  CHECK_EQUAL(x.warnings, (strings{
                            std::string{"r.json:2: cluster.seeds"} + say,
                            std::string{"r.json:3: cluster.sid-key"} + say,
                          }));
  MESSAGE("nodes of one number cannot be told apart");
  x = checked(R"({"namespaces": [{"anonymous": true}], "cluster": {"name": "x",
    "sid-key": "0123456789abcdef0123456789abcdef"}})");
  CHECK_EQUAL(x.warnings, strings{"default: router.node: is 0; give each node "
                                  "of a cluster its own number"});
}

TEST(what will not work is warned about) {
  auto warnings = [](std::string_view text) { return checked(text).warnings; };
  CHECK_EQUAL(
    warnings("{}"),
    strings{"default: namespaces[0]: browsers will be told that \"/\" "
            "is unavailable; give site.auth-url, or anonymous: true"});
  CHECK_EQUAL(warnings(R"({"namespaces": [{"anonymous": true}]})"), strings{});
  CHECK_EQUAL(warnings(R"({"site": {"auth-url": "http://a.test/"}})"),
              strings{});
  CHECK_EQUAL(warnings(R"({"namespaces": [
                {"anonymous": true, "on-client-event": "forward"}]})"),
              strings{"r.json:2: namespaces[0]: events of browsers in \"/\" "
                      "have nowhere to go; give site.event-url"});
  CHECK_EQUAL(warnings(R"({"namespaces": [{"anonymous": true}],
                           "ingest": {"max-event": "2MiB"}})"),
              strings{"r.json:2: ingest.max-event: is over "
                      "limits.outbox-bytes; a browser that gets such an event "
                      "is closed as slow"});
}
TEST(a password in a URL is not shown) {
  auto x = checked(R"({"site": {"auth-url": "https://a:hide-this@host/x"}})");
  CHECK_EQUAL(x.errors, strings{});
  auto dump = dump_settings(x.values);
  CHECK(dump.find("hide-this") == std::string::npos);
  CHECK(dump.find("https://***@host/x") != std::string::npos);
  CHECK_EQUAL(
    faults(R"({"site": {"auth-url": "https://a:hide-this@host:0/"}})"),
    strings{"r.json:1: site.auth-url: \"https://***@host:0/\" is not "
            "possible; give a URL with http:// or https://, or "
            "unix:/SOCKET:/PATH, or \"\""});
}

TEST(the site learns of one Authorization only) {
  auto with = [](const std::string& url) {
    return faults("{\"site\": {\"auth-url\": \"" + url
                  + "\",\n\"headers\": [\"Authorization\"]}}");
  };
  CHECK_EQUAL(with("https://host/"), strings{});
  CHECK_EQUAL(with("https://a:b@host/"),
              strings{"r.json:2: site.headers: passes the browser's "
                      "Authorization on, but site.auth-url has a user of its "
                      "own; take one of them away"});
}
