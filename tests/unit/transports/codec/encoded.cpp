#include "transports/codec/encoded.hpp"

#include "transports/codec/ws/frame.hpp"

#include <string>

#include "tests/support/check.hpp"

using namespace signalbox;
using codec::shared_event;
using namespace std::string_literals;

TEST(an event is encoded once as a complete frame) {
  shared_event x{"/", R"(["ev",1])", {}};
  REQUIRE_EQUAL(x.engine_v4().size(), 1u);
  const auto& body = *x.engine_v4().front();
  // FIN and text, 10 bytes without a mask, then 4 (message), 2 (event).
  CHECK_EQUAL(body.frame, "\x81\x0A"
                          "42[\"ev\",1]"s);
  CHECK_EQUAL(body.text(), R"(42["ev",1])");
  CHECK(!body.binary);
  CHECK_EQUAL(x.args(), R"(["ev",1])");
  CHECK_EQUAL(x.nsp(), "/");
}

TEST(another namespace than the main one stands before the arguments) {
  shared_event x{"/custom", R"(["ev"])", {}};
  CHECK_EQUAL(x.engine_v4().front()->text(), R"(42/custom,["ev"])");
  CHECK_EQUAL(x.args(), R"(["ev"])");
}

TEST(attachments follow the header that counts them) {
  shared_event x{
    "/",
    R"(["b",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])",
    {"\x00\xFF"s, ""}};
  REQUIRE_EQUAL(x.engine_v4().size(), 3u);
  CHECK(x.engine_v4()[0]->text().starts_with(R"(452-["b",{)"));
  const auto& first = *x.engine_v4()[1];
  // FIN and binary, two bytes, the bytes without a type in front.
  CHECK_EQUAL(first.frame, "\x82\x02\x00\xFF"s);
  CHECK_EQUAL(first.text(), "\x00\xFF"s);
  CHECK(first.binary);
  CHECK_EQUAL(x.engine_v4()[2]->frame, "\x82\x00"s);
}

TEST(an ack id belongs between the header and the arguments) {
  shared_event plain{"/", R"(["q"])", {}};
  CHECK_EQUAL(plain.header_v4(0), "420");
  CHECK_EQUAL(plain.header_v4(999999999999999u), "42999999999999999");
  shared_event named{"/ns", R"(["q"])", {}};
  CHECK_EQUAL(named.header_v4(7), "42/ns,7");
  shared_event binary{"/ns", R"(["q",{"_placeholder":true,"num":0}])", {"x"}};
  CHECK_EQUAL(binary.header_v4(7), "451-/ns,7");
  for (const auto* x : {&plain, &named, &binary}) {
    const auto& body = *x->engine_v4().front();
    CHECK_EQUAL(body.frame.substr(body.json_at), x->args());
  }
}

TEST(a large event has a longer frame header) {
  for (size_t size : {125u, 126u, 65535u, 65536u}) {
    auto args = "[\"" + std::string(size - 6, 'x') + "\"]";
    shared_event x{"/", args, {}};
    const auto& body = *x.engine_v4().front();
    CHECK_EQUAL(body.text().size(), size);
    CHECK_EQUAL(body.text_at, size < 126 ? 2u : size < 65536 ? 4u : 10u);
    CHECK_EQUAL(x.args(), args);
    std::string expected;
    ws::encode_frame(ws::opcode::text, body.text(), expected);
    CHECK(body.frame == expected);
  }
}
