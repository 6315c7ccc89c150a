#include "actors/ingest/post.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;

namespace {

std::string refused(std::string_view text) {
  post x;
  auto no = read_post(text, {}, x);
  return no ? std::string{to_string(no->code)} + " " + no->pointer : "";
}

const std::vector<rule_settings> rules = {
  {"*", "letter", rule_target::user, "/to", ""},
  {"/chat", "note", rule_target::room, "/rooms", "said"},
  {"*", "secret", rule_target::refuse, "", ""},
  {"*", "news", rule_target::all, "", ""},
};

/// Routes a post and names what came of it.
std::string routed_to(std::string_view text) {
  post x;
  if (auto no = read_post(text, {}, x))
    return to_string(no->code);
  target to;
  std::string event;
  if (auto no = route(x, rules, {}, to, event))
    return std::string{to_string(no->code)} + " " + no->pointer;
  auto out = event + ":";
  for (const auto& each : to.names)
    out += each + ",";
  return out + std::to_string(static_cast<int>(to.what));
}

} // namespace

TEST(the first rule that matches decides) {
  CHECK_EQUAL(routed_to(R"({"type":"letter","payload":{"to":"anna"}})"),
              "letter:anna,0");
  CHECK_EQUAL(routed_to(R"({"type":"letter","payload":{"to":17}})"),
              "letter:17,0");
  CHECK_EQUAL(routed_to(R"({"type":"letter","payload":{"to":["a","b","a"]}})"),
              "letter:a,b,0");
  CHECK_EQUAL(routed_to(R"({"type":"news"})"), "news:2");
  CHECK_EQUAL(
    routed_to(
      R"({"namespace":"/chat","type":"note","payload":{"rooms":["r"]}})"),
    "said:r,1");
}

TEST(what no rule sends anywhere is refused) {
  CHECK_EQUAL(routed_to(R"({"type":"other"})"), "no_rule /type");
  CHECK_EQUAL(routed_to(R"({"type":"note","payload":{"rooms":["r"]}})"),
              "no_rule /type");
  CHECK_EQUAL(routed_to(R"({"type":"secret"})"), "refused_by_rule /type");
  CHECK_EQUAL(routed_to(R"({"type":"letter","payload":{}})"),
              "no_recipient /payload/to");
  CHECK_EQUAL(routed_to(R"({"type":"letter","payload":{"to":true}})"),
              "no_recipient /payload/to");
}

TEST(a post may name its target and its event) {
  CHECK_EQUAL(
    routed_to(R"({"type":"x","event":"hi","to":{"users":["a"]},"args":[1]})"),
    "hi:a,0");
  CHECK_EQUAL(routed_to(R"({"type":"x","to":"all"})"), "x:2");
  CHECK_EQUAL(routed_to(R"({"type":"x","event":"connect","to":"all"})"),
              "reserved_event /event");
}

TEST(a malformed member is named) {
  CHECK_EQUAL(refused(R"([])"), "bad_request ");
  CHECK_EQUAL(refused(R"({})"), "bad_request /type");
  CHECK_EQUAL(refused(R"({"type":1})"), "bad_request /type");
  CHECK_EQUAL(refused(R"({"type":"x","tpye":1})"), "bad_request /tpye");
  CHECK_EQUAL(refused(R"({"type":"x","type":"y"})"), "bad_request /type");
  CHECK_EQUAL(refused(R"({"type":"x","volatile":1})"), "bad_request /volatile");
  CHECK_EQUAL(refused(R"({"type":"x","namespace":"x"})"),
              "bad_request /namespace");
  CHECK_EQUAL(refused(R"({"type":"x","to":{"users":[]}})"),
              "bad_request /to/users");
}

TEST(a confirm takes from 100 ms to a minute and needs users) {
  auto with = [](const char* ms, const char* to) {
    return std::string{R"({"type":"x","to":)"} + to
           + R"(,"confirm":{"deadline_ms":)" + ms + "}}";
  };
  constexpr auto users = R"({"users":["a"]})";
  CHECK_EQUAL(routed_to(with("100", users)), "x:a,0");
  CHECK_EQUAL(routed_to(with("60000", users)), "x:a,0");
  CHECK_EQUAL(refused(with("99", users)), "bad_request /confirm/deadline_ms");
  CHECK_EQUAL(refused(with("60001", users)),
              "bad_request /confirm/deadline_ms");
  CHECK_EQUAL(routed_to(with("100", R"("all")")),
              "confirm_needs_users /confirm");
}

TEST(the payload is relayed as it came) {
  post x;
  REQUIRE(!read_post(R"({"type":"t","payload":{"b":1.0, "a":1e400}})", {}, x));
  CHECK_EQUAL(event_array(x, "t"), R"(["t",{"b":1.0, "a":1e400}])");
  x.args = R"([1, "two"])";
  CHECK_EQUAL(event_array(x, "t"), R"(["t",1,"two"])");
}

TEST(a pointer leads into the payload by RFC 6901) {
  auto to = [](const std::string& pointer, const std::string& payload) {
    post x;
    x.type = "t";
    x.payload = payload;
    target out;
    std::string event;
    auto no =
      route(x, {{"*", "*", rule_target::user, pointer, ""}}, {}, out, event);
    return no ? std::string{to_string(no->code)} + " " + no->pointer
              : out.names[0];
  };
  CHECK_EQUAL(to("/a/b", R"({"a":{"b":"x"}})"), "x");
  CHECK_EQUAL(to("/a/1", R"({"a":["x","y"]})"), "y");
  CHECK_EQUAL(to("/a~1b/c~0d", R"({"a/b":{"c~d":"x"}})"), "x");
  CHECK_EQUAL(to("", R"("x")"), "x");
  CHECK_EQUAL(to("/", R"({"":"x"})"), "x");
  CHECK_EQUAL(to("/a/2", R"({"a":["x","y"]})"), "no_recipient /payload/a/2");
  CHECK_EQUAL(to("/a/b", R"({"a":"b"})"), "no_recipient /payload/a/b");
  CHECK_EQUAL(to("/a", R"({"a":null})"), "no_recipient /payload/a");
  CHECK_EQUAL(to("/a", R"({"a":{}})"), "no_recipient /payload/a");
  CHECK_EQUAL(to("/a", R"({"a":[]})"), "no_recipient /payload/a");
  CHECK_EQUAL(to("/a", R"({"a":["x",null]})"), "no_recipient /payload/a/1");
  CHECK_EQUAL(to("/a", R"({"a":""})"), "no_recipient /payload/a");
}

TEST(a recipient is a name or an integer) {
  auto to = [](const std::string& name) {
    return routed_to(R"({"type":"letter","payload":{"to":)" + name + "}}");
  };
  CHECK_EQUAL(to("-17"), "letter:-17,0");
  CHECK_EQUAL(to("9007199254740992"), "letter:9007199254740992,0");
  CHECK_EQUAL(to("18446744073709551615"), "letter:18446744073709551615,0");
  CHECK_EQUAL(to("18446744073709551616"), "no_recipient /payload/to");
  CHECK_EQUAL(to("1.0"), "no_recipient /payload/to");
  CHECK_EQUAL(to("1e3"), "no_recipient /payload/to");
  MESSAGE("a number and its text are one");
  CHECK_EQUAL(to(R"([17,"17"])"), "letter:17,0");
}

TEST(half of a surrogate pair is in no name) {
  auto with = [](const std::string& members) {
    return refused(R"({"type":"x","payload":1,)" + members + "}");
  };
  CHECK_EQUAL(with(R"("to":{"users":["a","b\ud800"]})"),
              "bad_request /to/users/1");
  CHECK_EQUAL(with(R"("to":{"rooms":["\udc00"]})"), "bad_request /to/rooms/0");
  CHECK_EQUAL(with(R"("key":"k\ud800")"), "bad_request /key");
  CHECK_EQUAL(with(R"("event":"\udfff")"), "bad_request /event");
  CHECK_EQUAL(with(R"("namespace":"/\ud800")"), "bad_request /namespace");
  CHECK_EQUAL(refused(R"({"type":"\ud800"})"), "bad_request /type");
  CHECK_EQUAL(routed_to(R"({"type":"letter","payload":{"to":["a","\ud800"]}})"),
              "no_recipient /payload/to/1");
  MESSAGE("a payload may have one: it is passed on as it came");
  CHECK_EQUAL(routed_to(R"({"type":"news","payload":"\ud800"})"), "news:2");
}

TEST(names and recipients have bounds) {
  post_limits bounds{60, 4, 2};
  auto with = [&bounds](const std::string& text) {
    post x;
    auto no = read_post(text, bounds, x);
    return no ? std::string{to_string(no->code)} + " " + no->pointer : "";
  };
  CHECK_EQUAL(with(R"({"type":"1234"})"), "");
  CHECK_EQUAL(with(R"({"type":"12345"})"), "bad_request /type");
  CHECK_EQUAL(with(R"({"type":"x","event":"12345"})"), "bad_request /event");
  CHECK_EQUAL(with(R"({"type":"x","namespace":"/1234"})"),
              "bad_request /namespace");
  CHECK_EQUAL(with(R"({"type":"x","to":{"users":["a","1234"]}})"), "");
  CHECK_EQUAL(with(R"({"type":"x","to":{"users":["12345"]}})"),
              "bad_request /to/users/0");
  CHECK_EQUAL(with(R"({"type":"x","to":{"rooms":["a","b","c"]}})"),
              "bad_request /to/rooms");
  auto sized = [&with](size_t bytes) {
    std::string text = R"({"type":"x","payload":""})";
    text.insert(text.size() - 2, std::string(bytes - text.size(), 'p'));
    return with(text);
  };
  CHECK_EQUAL(sized(60), "");
  CHECK_EQUAL(sized(61), "too_large ");
  MESSAGE("an idempotency key has its own");
  auto key = [](size_t bytes) {
    return refused(R"({"type":"x","key":")" + std::string(bytes, 'k') + "\"}");
  };
  CHECK_EQUAL(key(256), "");
  CHECK_EQUAL(key(257), "bad_request /key");
  CHECK_EQUAL(key(0), "bad_request /key");
}

TEST(a target has one of three shapes) {
  for (const auto* to :
       {R"("none")", "null", "[]", "{}", R"({"users":["a"],"rooms":["b"]})",
        R"({"nobody":["a"]})", "1"})
    CHECK_EQUAL(refused(std::string{R"({"type":"x","to":)"} + to + "}"),
                "bad_request /to");
  CHECK_EQUAL(refused(R"({"type":"x","to":{"users":"a"}})"),
              "bad_request /to/users");
  CHECK_EQUAL(refused(R"({"type":"x","to":{"rooms":[true]}})"),
              "bad_request /to/rooms/0");
  CHECK_EQUAL(refused(R"({"type":"x","args":{}})"), "bad_request /args");
}

TEST(a deadline is a whole number of milliseconds) {
  for (const auto* confirm :
       {"{}", "null", "5000", R"({"deadline_ms":"5000"})",
        R"({"deadline_ms":-5000})", R"({"deadline_ms":5000.5})",
        R"({"deadline_ms":500e1})", R"({"deadline_ms":99999999999999999999})"})
    CHECK_EQUAL(
      refused(std::string{R"({"type":"x","confirm":)"} + confirm + "}"),
      "bad_request /confirm/deadline_ms");
}

TEST(an event may come without a type if it names itself) {
  CHECK_EQUAL(routed_to(R"({"event":"hi","to":"all"})"), "hi:2");
  CHECK_EQUAL(routed_to(R"({"event":"hi"})"), "no_rule /type");
  CHECK_EQUAL(routed_to(R"({"type":"disconnect","to":"all"})"),
              "reserved_event /type");
}

TEST(a rule 's event name gives way to the post' s own) {
  constexpr auto note =
    R"({"namespace":"/chat","type":"note","payload":{"rooms":"r"})";
  CHECK_EQUAL(routed_to(std::string{note} + "}"), "said:r,1");
  CHECK_EQUAL(routed_to(std::string{note} + R"(,"event":"own"})"), "own:r,1");
}

TEST(a refusal is told with code and text and place) {
  CHECK_EQUAL(to_json({ec::not_found, "/a\"b", "no \"x\""}),
              R"({"ok":false,"error":{"code":"not_found",)"
              R"("message":"no \"x\"","pointer":"/a\"b"}})");
  MESSAGE("the code's own text stands in");
  CHECK_EQUAL(to_json({ec::not_found, "", ""}),
              R"({"ok":false,"error":{"code":"not_found",)"
              R"("message":"there is nothing of this name","pointer":""}})");
}
