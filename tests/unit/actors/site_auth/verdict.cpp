#include "actors/site_auth/verdict.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;

namespace {

std::string outcome(unsigned status, std::string body,
                    std::string type = "application/json") {
  net::client_reply x;
  x.status = status;
  x.body = std::move(body);
  x.content_type = std::move(type);
  std::string why;
  auto y = read_verdict(x, {8, 2}, why);
  CHECK_EQUAL(why.empty(), y.outcome != ec::unavailable);
  return y.outcome == ec::none ? "allowed " + y.user : to_string(y.outcome);
}

} // namespace

TEST(a user id allows) {
  CHECK_EQUAL(outcome(200, R"({"user_id":"anna"})"), "allowed anna");
  CHECK_EQUAL(outcome(200, R"({"user_id":17})"), "allowed 17");
  CHECK_EQUAL(outcome(200, R"({"id":"ben"})"), "allowed ben");
  CHECK_EQUAL(outcome(200, R"({"user_id":"12345678"})"), "allowed 12345678");
}

TEST(the site may deny in three ways) {
  CHECK_EQUAL(outcome(401, ""), "unauthorized");
  CHECK_EQUAL(outcome(403, "<html>", "text/html"), "unauthorized");
  CHECK_EQUAL(outcome(200, R"({"ok":false})"), "unauthorized");
}

TEST(everything else is unavailable) {
  for (auto status : {201u, 204u, 301u, 302u, 404u, 429u, 500u, 503u})
    CHECK_EQUAL(outcome(status, R"({"user_id":"anna"})"), "unavailable");
  CHECK_EQUAL(outcome(200, R"({"user_id":"anna"})", "text/html"),
              "unavailable");
  for (const auto* body :
       {"", "{", "[]", "{}", R"({"user_id":""})", R"({"user_id":null})",
        R"({"user_id":1.5})", R"({"user_id":123456789})",
        R"({"user_id":"123456789"})", R"({"user_id":"a","info":1})",
        R"({"user_id":"a","rooms":"r"})",
        R"({"user_id":"a","rooms":["1","2","3"]})"})
    CHECK_EQUAL(outcome(200, body), "unavailable");
  net::client_reply x;
  x.error = "timeout";
  std::string why;
  CHECK(read_verdict(x, {}, why).outcome == ec::unavailable);
  CHECK_EQUAL(why, "timeout");
}

TEST(info and rooms come along) {
  net::client_reply x;
  x.status = 200;
  x.content_type = "application/json";
  x.body = R"({"user_id":"a","info":{"x":[1]},"rooms":["r","s"]})";
  std::string why;
  auto y = read_verdict(x, {}, why);
  CHECK_EQUAL(y.info, R"({"x":[1]})");
  CHECK_EQUAL(y.rooms.size(), 2u);
  x.body = R"({"user_id":"a","rooms":["r",5,-7]})";
  y = read_verdict(x, {}, why);
  CHECK(y.rooms == (std::vector<std::string>{"r", "5", "-7"}));
}

TEST(what is wrong with a verdict is told) {
  auto why = [](std::string body) {
    net::client_reply x;
    x.status = 200;
    x.content_type = "application/json";
    x.body = std::move(body);
    std::string out;
    auto y = read_verdict(x, {8, 2}, out);
    CHECK(y.outcome == ec::unavailable);
    CHECK(y.user.empty());
    CHECK(y.rooms.empty());
    return out;
  };
  CHECK_EQUAL(why("{}"), "it has no user_id");
  CHECK_EQUAL(why(R"({"user_id":"\ud800"})"),
              "its user_id is no id: it has half of a surrogate pair, which is "
              "no character");
  CHECK_EQUAL(why(R"({"id":1.5})"),
              "its id is no id: it is no integer; give one without fraction "
              "and exponent, or a string");
  CHECK_EQUAL(why(R"({"user_id":"a","rooms":["r","\u0000"]})"),
              "its room 1 is no id: it has the control character U+0000");
  CHECK_EQUAL(why(R"({"user_id":"a","rooms":["1","2","3"]})"),
              "its rooms are no array of at most 2 (limits.rooms)");
  MESSAGE("what stands there twice is left to nobody's choice");
  CHECK_EQUAL(why(R"({"user_id":"a","user_id":"b"})"),
              "its user_id stands there twice");
  CHECK_EQUAL(why(R"({"ok":false,"user_id":"a","\u006fk":true})"),
              "its ok stands there twice");
  CHECK_EQUAL(why(R"({"user_id":"a","rooms":[],"rooms":["r"]})"),
              "its rooms stands there twice");
}

TEST(an integer is an id as far as it is exact) {
  auto id = [](const std::string& number) {
    net::client_reply x;
    x.status = 200;
    x.content_type = "application/json";
    x.body = "{\"user_id\":" + number + "}";
    std::string why;
    auto y = read_verdict(x, {}, why);
    return y.outcome == ec::none ? y.user : to_string(y.outcome);
  };
  CHECK_EQUAL(id("0"), "0");
  CHECK_EQUAL(id("-1"), "-1");
  CHECK_EQUAL(id("9007199254740992"), "9007199254740992");
  CHECK_EQUAL(id("9007199254740993"), "9007199254740993");
  CHECK_EQUAL(id("18446744073709551615"), "18446744073709551615");
  CHECK_EQUAL(id("18446744073709551616"), "unavailable");
  CHECK_EQUAL(id("-0"), "unavailable");
  CHECK_EQUAL(id("1e3"), "unavailable");
}

TEST(a denial counts before an id) {
  CHECK_EQUAL(outcome(200, R"({"ok":false,"user_id":"anna"})"), "unauthorized");
  CHECK_EQUAL(outcome(200, R"({"ok":true,"user_id":"anna"})"), "allowed anna");
  MESSAGE("but only false itself denies");
  CHECK_EQUAL(outcome(200, R"({"ok":"false"})"), "unavailable");
  CHECK_EQUAL(outcome(200, R"({"ok":0})"), "unavailable");
}

TEST(the site answers an event with an ack or without) {
  auto ack = [](unsigned status, std::string body,
                std::string type = "application/json") {
    net::client_reply x;
    x.status = status;
    x.body = std::move(body);
    x.content_type = std::move(type);
    std::string why;
    auto y = read_event_reply(x, why);
    CHECK_EQUAL(why.empty(), y.outcome == ec::none);
    return y.outcome == ec::none ? y.ack : to_string(y.outcome);
  };
  CHECK_EQUAL(ack(200, R"({"ack":[1,"x"]})"), R"([1,"x"])");
  CHECK_EQUAL(ack(201, R"({"ack":[]})"), "[]");
  CHECK_EQUAL(ack(200, "{}"), "[]");
  CHECK_EQUAL(ack(204, "", ""), "[]");
  MESSAGE("everything else is a failure");
  CHECK_EQUAL(ack(302, R"({"ack":[]})"), "site_failed");
  CHECK_EQUAL(ack(500, ""), "site_failed");
  CHECK_EQUAL(ack(200, R"({"ack":{}})"), "site_failed");
  CHECK_EQUAL(ack(200, "[]"), "site_failed");
  CHECK_EQUAL(ack(200, R"({"ack":[]})", "text/html"), "site_failed");
  net::client_reply lost;
  lost.error = "timeout";
  std::string why;
  CHECK(read_event_reply(lost, why).outcome == ec::site_failed);
  CHECK_EQUAL(why, "timeout");
}
TEST(a byte order mark and white space around the body are passed over) {
  for (const auto* body :
       {"\xEF\xBB\xBF{\"user_id\":\"anna\"}", "\r\n\t {\"user_id\":\"anna\"}\n",
        "\xEF\xBB\xBF\n{\"user_id\":\"anna\"}\n\n"})
    CHECK_EQUAL(outcome(200, body), "allowed anna");
  CHECK_EQUAL(outcome(200, "\xEF\xBB\xBF"), "unavailable");
  net::client_reply x;
  x.status = 200;
  x.body = "\xEF\xBB\xBF\n";
  std::string why;
  CHECK(read_event_reply(x, why).outcome == ec::none);
}
