#include "transports/codec/legacy/v0_9.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace std::string_literals;
using codec::errc;
namespace v0_9 = legacy::v0_9;

namespace {

constexpr codec::json_limits limits;

#define MARK "\xEF\xBF\xBD"

std::string texts(codec::result<std::vector<std::string_view>> x) {
  if (!x)
    return codec::to_string(x.error());
  std::string out;
  for (auto each : *x)
    out.append(each).append("|");
  return out;
}

// type,id[+],endpoint,data
std::string packet(std::string_view text) {
  auto x = v0_9::decode_packet(text);
  if (!x)
    return codec::to_string(x.error());
  std::string out = std::to_string(static_cast<int>(x->type)) + ',';
  if (x->id)
    out += std::to_string(*x->id);
  out.append(x->with_answer ? "+," : ",").append(x->endpoint).append(",");
  return out.append(x->data);
}

std::string event(std::string_view text) {
  auto x = v0_9::decode_packet(text);
  auto y =
    x ? v0_9::decode_event(*x, limits) : codec::result<std::string>{x.error()};
  return y ? *y : codec::to_string(y.error());
}

std::string ack(std::string_view text) {
  auto x = v0_9::decode_packet(text);
  auto y = v0_9::decode_ack(*x, limits);
  return std::to_string(*x->id) + (y ? *y : codec::to_string(y.error()));
}

} // namespace

TEST(a body is one packet or several with their lengths) {
  CHECK_EQUAL(texts(v0_9::split_payload("5:::{}", 9)), "5:::{}|");
  CHECK_EQUAL(texts(v0_9::split_payload("", 9)), "|");
  CHECK_EQUAL(
    texts(v0_9::split_payload(MARK "3" MARK "2::" MARK "5" MARK "3:::a", 9)),
    "2::|3:::a|");
  MESSAGE("counted as JavaScript does, empty packets too");
  CHECK_EQUAL(texts(v0_9::split_payload(
                MARK "6" MARK "3:::\xF0\x9F\x98\x80" MARK "0" MARK, 9)),
              "3:::\xF0\x9F\x98\x80||");
}

TEST(a malformed body is refused whole) {
  for (const auto* wrong :
       {MARK, MARK "x" MARK "a", MARK "2" MARK "a", MARK "1" MARK "ab",
        MARK "1a", MARK MARK "a", MARK "99999999999" MARK "a",
        MARK "1" MARK "\xF0\x9F\x98\x80"})
    CHECK_EQUAL(v0_9::split_payload(wrong, 9).error(), errc::bad_payload);
  CHECK_EQUAL(v0_9::split_payload("3:::\xFF", 9).error(), errc::bad_utf8);
  CHECK_EQUAL(v0_9::split_payload(MARK "1" MARK "\xFF", 9).error(),
              errc::bad_utf8);
  CHECK_EQUAL(v0_9::split_payload(MARK "0" MARK MARK "0" MARK, 1).error(),
              errc::too_many_pieces);
}

TEST(a packet has type and id and endpoint and data) {
  CHECK_EQUAL(packet("1::/ns"), "1,,/ns,");
  CHECK_EQUAL(packet("1::/ns:?x=y"), "1,,/ns,?x=y");
  CHECK_EQUAL(packet("3:::a:b:c"), "3,,,a:b:c");
  CHECK_EQUAL(packet("3::a:b"), "3,,a,b");
  CHECK_EQUAL(packet("5:1+::{}"), "5,1+,,{}");
  CHECK_EQUAL(packet("5:2::{}"), "5,2,,{}");
  CHECK_EQUAL(packet("0"), "0,,,");
  CHECK_EQUAL(packet("0::"), "0,,,");
  CHECK_EQUAL(packet("0:::"), "0,,,");
  CHECK_EQUAL(packet("2::"), "2,,,");
  CHECK_EQUAL(packet("6:::4"), "6,4,,");
  CHECK_EQUAL(packet("6::/ns:7+[\"n\"]"), "6,7+,/ns,[\"n\"]");
}

TEST(a malformed packet is refused) {
  for (const auto* wrong : {"", "x", "9:::", "99:::x", "5"})
    CHECK(packet(wrong) == "unknown_packet_type"
          || packet(wrong) == "truncated");
  for (const auto* wrong :
       {"5:a::{}", "5:1", "6:::", "6:::x", "6:::1x", "5:1234567890123456::{}"})
    CHECK_EQUAL(packet(wrong), "bad_ack_id");
}

TEST(an event becomes an array) {
  CHECK_EQUAL(event(R"(5:::{"name":"ev","args":[1,"a"]})"), R"(["ev",1,"a"])");
  CHECK_EQUAL(event(R"(5:::{"name":"ev","args":[ ]})"), R"(["ev"])");
  CHECK_EQUAL(event(R"(5:::{"name":"ev"})"), R"(["ev"])");
  MESSAGE("arguments that are no array are one, as PHP sends them");
  CHECK_EQUAL(event(R"(5:::{"name":"ev","args":"foo"})"), R"(["ev","foo"])");
  CHECK_EQUAL(event(R"(5:::{"name":"ev","args":{"to":"u1"}})"),
              R"(["ev",{"to":"u1"}])");
  MESSAGE("a message is an event of that name");
  CHECK_EQUAL(event("3:::he said \"hi\""), R"(["message","he said \"hi\""])");
  CHECK_EQUAL(event(R"(4:::{"a":1})"), R"(["message",{"a":1}])");
}

TEST(what is no event is refused) {
  for (const auto* wrong : {"5:::", "5:::{", "4:::{bad"})
    CHECK_EQUAL(event(wrong), "bad_json");
  for (const auto* wrong :
       {"5:::[]", R"(5:::{"args":[1]})", R"(5:::{"name":1})"})
    CHECK_EQUAL(event(wrong), "bad_payload");
  CHECK_EQUAL(event(R"(5:::{"name":"disconnect"})"), "reserved_event");
}

TEST(an ack carries arguments or none) {
  CHECK_EQUAL(ack("6:::4"), "4[]");
  CHECK_EQUAL(ack(R"(6:::4+["a",1])"), R"(4["a",1])");
  CHECK_EQUAL(ack(R"(6:::4+"a")"), R"(4["a"])");
  CHECK_EQUAL(ack("6:::4+[1"), "4bad_json");
}

TEST(an ack has no line ends of JavaScript) {
  std::string out;
  v0_9::encode_ack("/", 1, "[\"a\xE2\x80\xA8 b\xE2\x80\xA9\xE2\x82\xAC\"]",
                   out);
  CHECK_EQUAL(out, "6:::1+[\"a\\u2028 b\\u2029\xE2\x82\xAC\"]");
  out.clear();
  v0_9::encode_ack("/ns", 2, "[]", out);
  CHECK_EQUAL(out, "6::/ns:2");
}

TEST(what is written is what is read) {
  std::string out;
  v0_9::encode_header(v0_9::packet_type::event, 3, "/ns", out);
  out += ':';
  v0_9::encode_event(R"(["ev",{"a":[1]},"b"])", out);
  CHECK_EQUAL(out, R"(5:3+:/ns:{"name":"ev","args":[{"a":[1]},"b"]})");
  CHECK_EQUAL(event(out), R"(["ev",{"a":[1]},"b"])");
  std::string body;
  v0_9::append_piece("2::", {}, body);
  v0_9::append_piece("3:::", "\xE2\x82\xAC\xF0\x9F\x98\x80", body);
  CHECK_EQUAL(texts(v0_9::split_payload(body, 9)),
              "2::|3:::\xE2\x82\xAC\xF0\x9F\x98\x80|");
}
