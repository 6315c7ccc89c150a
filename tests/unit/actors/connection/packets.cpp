#include "actors/connection/packets.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using socket::packet_type;

TEST(a CONNECT is answered with the public id) {
  auto x = accept_packet("/chat", "c1");
  CHECK(x.type == packet_type::connect);
  CHECK_EQUAL(x.nsp, "/chat");
  CHECK_EQUAL(x.data, R"({"sid":"c1"})");
}

TEST(only an unavailable site invites to try again) {
  CHECK_EQUAL(refuse_packet("/", ec::unavailable).data,
              R"({"message":"unavailable","data":{"retry":true}})");
  CHECK_EQUAL(refuse_packet("/", ec::unauthorized).data,
              R"({"message":"unauthorized"})");
  CHECK_EQUAL(refuse_packet("/", ec::invalid_namespace).data,
              R"({"message":"Invalid namespace"})");
  CHECK_EQUAL(refuse_packet("/", ec::auth_too_large).data,
              R"({"message":"auth payload too large"})");
}

TEST(every refusal is counted where it belongs) {
  counters all;
  CHECK(&refusals(all, ec::unauthorized) == &all.connects_unauthorized);
  CHECK(&refusals(all, ec::invalid_namespace) == &all.connects_invalid);
  CHECK(&refusals(all, ec::too_many_connections) == &all.connects_too_many);
  CHECK(&refusals(all, ec::too_many_namespaces) == &all.limit_namespaces);
  CHECK(&refusals(all, ec::auth_too_large) == &all.limit_auth_payload);
  CHECK(&refusals(all, ec::unavailable) == &all.connects_unavailable);
}

TEST(an ack with binary values is a binary ack) {
  auto x = ack_packet("/", 7, R"([{"$base64":"AQI="}])");
  CHECK(x.type == packet_type::binary_ack);
  CHECK(x.id == uint64_t{7});
  REQUIRE_EQUAL(x.attachments.size(), 1u);
  CHECK_EQUAL(x.attachments[0], "\x01\x02");
  MESSAGE("what only looks like one goes out as it is");
  auto y = ack_packet("/", 7, R"([{"$base64":"?"}])");
  CHECK(y.type == packet_type::ack);
  CHECK(y.attachments.empty());
  CHECK_EQUAL(y.data, R"([{"$base64":"?"}])");
}

TEST(a key is offered by the member of that name) {
  CHECK(!offered_key(""));
  CHECK(!offered_key(R"({"token":"x"})"));
  CHECK_EQUAL(offered_key(R"({"key":"x"})").value_or("none"), "x");
  CHECK_EQUAL(offered_key(R"({"key":1})").value_or("none"), "");
  CHECK_EQUAL(offered_key(R"({"key":"\ud800"})").value_or("none"), "");
}

TEST(an emission without a payload has null) {
  socket::packet x;
  x.data = R"(["letter"])";
  CHECK_EQUAL(read_emission(x).type, R"("letter")");
  CHECK_EQUAL(read_emission(x).payload, "null");
  x.data = R"(["letter",{"to":1}])";
  CHECK_EQUAL(read_emission(x).payload, R"({"to":1})");
}

TEST(who listens shows a key and names a user) {
  credentials keys{{{"site", "0123456789abcdef", {}, false}}};
  session::handshake browser{"192.0.2.1", "", codec::dialect::eio4};
  auto read = [&](std::string_view auth) {
    return find_key(keys, browser, auth, 8);
  };
  CHECK(!read(R"({"listen":"anna"})").shown);
  CHECK(!read(R"({"key":"0123456789abcdef"})").listens);
  auto x = read(R"({"key":"wrong","listen":"anna"})");
  CHECK(x.shown && !x.index);
  x = read(R"({"key":"0123456789abcdef","listen":17})");
  CHECK(x.index == 0u && x.listens == "17");
  MESSAGE("what is no id is no user");
  for (const auto* text :
       {R"({"key":"k","listen":null})", R"({"key":"k","listen":""})",
        R"({"key":"k","listen":"123456789"})"})
    CHECK(read(text).listens == "");
}
