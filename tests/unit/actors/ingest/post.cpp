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
