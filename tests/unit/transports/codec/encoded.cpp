#include "transports/codec/encoded.hpp"

#include "transports/codec/ws/frame.hpp"

#include <string>

#include "tests/support/check.hpp"

using namespace signalbox;
using codec::shared_event;
using codec::wire_form;
using namespace std::string_literals;

TEST(an event is encoded once as a complete frame) {
  shared_event x{"/", R"(["ev",1])", {}};
  REQUIRE_EQUAL(x.packets(wire_form::v4).size(), 1u);
  const auto& body = *x.packets(wire_form::v4).front();
  // FIN and text, 10 bytes without a mask, then 4 (message), 2 (event).
  CHECK_EQUAL(body.frame, "\x81\x0A"
                          "42[\"ev\",1]"s);
  CHECK_EQUAL(body.text(), R"(42["ev",1])");
  CHECK(!body.binary);
  CHECK_EQUAL(x.args(), R"(["ev",1])");
  CHECK_EQUAL(x.nsp(), "/");
}

TEST(an event is the same frame whatever room its text has) {
  std::string text = R"(["ev",")" + std::string(500, 'x') + "\"]";
  auto expected = shared_event{"/", text, {}}.packets(wire_form::v4)[0]->frame;
  for (size_t room : {0u, 1u, 5u, 6u, 7u, 64u, 256u, 257u, 100000u}) {
    std::string args;
    args.reserve(text.size() + room);
    args = text;
    shared_event x{"/", std::move(args), {}};
    const auto& body = *x.packets(wire_form::v4).front();
    CHECK_EQUAL(body.frame, expected);
    CHECK_EQUAL(x.args(), text);
    CHECK_EQUAL(body.text(), "42" + text);
    // It may wait long in many outboxes.
    CHECK(body.frame.capacity() <= body.frame.size() + 256);
  }
}

TEST(another namespace than the main one stands before the arguments) {
  shared_event x{"/custom", R"(["ev"])", {}};
  CHECK_EQUAL(x.packets(wire_form::v4).front()->text(), R"(42/custom,["ev"])");
  CHECK_EQUAL(x.args(), R"(["ev"])");
}

TEST(attachments follow the header that counts them) {
  shared_event x{
    "/",
    R"(["b",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])",
    {"\x00\xFF"s, ""}};
  REQUIRE_EQUAL(x.packets(wire_form::v4).size(), 3u);
  CHECK(x.packets(wire_form::v4)[0]->text().starts_with(R"(452-["b",{)"));
  const auto& first = *x.packets(wire_form::v4)[1];
  // FIN and binary, two bytes, the bytes without a type in front.
  CHECK_EQUAL(first.frame, "\x82\x02\x00\xFF"s);
  CHECK_EQUAL(first.text(), "\x00\xFF"s);
  CHECK(first.binary);
  CHECK_EQUAL(x.packets(wire_form::v4)[2]->frame, "\x82\x00"s);
}

TEST(an ack id belongs between the header and the arguments) {
  shared_event plain{"/", R"(["q"])", {}};
  CHECK_EQUAL(plain.header(wire_form::v4, 0), "420");
  CHECK_EQUAL(plain.header(wire_form::v4, 999999999999999u),
              "42999999999999999");
  shared_event named{"/ns", R"(["q"])", {}};
  CHECK_EQUAL(named.header(wire_form::v4, 7), "42/ns,7");
  shared_event binary{"/ns", R"(["q",{"_placeholder":true,"num":0}])", {"x"}};
  CHECK_EQUAL(binary.header(wire_form::v4, 7), "451-/ns,7");
  for (const auto* x : {&plain, &named, &binary}) {
    const auto& body = *x->packets(wire_form::v4).front();
    CHECK_EQUAL(body.frame.substr(body.json_at), x->args());
  }
}

TEST(a large event has a longer frame header) {
  for (size_t size : {125u, 126u, 65535u, 65536u}) {
    auto args = "[\"" + std::string(size - 6, 'x') + "\"]";
    shared_event x{"/", args, {}};
    const auto& body = *x.packets(wire_form::v4).front();
    CHECK_EQUAL(body.text().size(), size);
    CHECK_EQUAL(body.text_at, size < 126 ? 2u : size < 65536 ? 4u : 10u);
    CHECK_EQUAL(x.args(), args);
    std::string expected;
    ws::encode_frame(ws::opcode::text, body.text(), expected);
    CHECK(body.frame == expected);
  }
}

TEST(revisions of Engine.IO share the bytes of a plain event) {
  shared_event x{"/", R"(["ev","é"])", {}};
  const auto& v4 = x.packets(wire_form::v4);
  CHECK(x.packets(wire_form::v3).front() == v4.front());
  CHECK(x.packets(wire_form::v4_base64).front() == v4.front());
  MESSAGE("but for those whose text may be decoded twice");
  const auto& ascii = x.packets(wire_form::v3_base64);
  CHECK_EQUAL(ascii.front()->text(), R"(42["ev","\u00e9"])");
  CHECK_EQUAL(ascii.front()->frame.substr(ascii.front()->json_at),
              R"(["ev","\u00e9"])");
  MESSAGE("each form is made once");
  CHECK(x.packets(wire_form::v3_base64).front() == ascii.front());
}

TEST(attachments take the form of their revision) {
  using namespace std::string_literals;
  shared_event x{"/", R"(["b",{"_placeholder":true,"num":0}])", {"\x01\xFF"s}};
  auto second = [&x](wire_form form) { return x.packets(form)[1]; };
  CHECK_EQUAL(second(wire_form::v3)->text(), "\x04\x01\xFF"s);
  CHECK(second(wire_form::v3)->binary);
  CHECK_EQUAL(second(wire_form::v3_base64)->text(), "b4Af8=");
  CHECK(!second(wire_form::v3_base64)->binary);
  CHECK_EQUAL(second(wire_form::v4_base64)->text(), "bAf8=");
  CHECK_EQUAL(x.packets(wire_form::v3).front()->text(),
              R"(451-["b",{"_placeholder":true,"num":0}])");
}

TEST(an event for clients of old is an object) {
  shared_event x{"/ns", R"(["ev",1,{"a":[2]}])", {}};
  const auto& packets = x.packets(wire_form::v09);
  REQUIRE_EQUAL(packets.size(), 1u);
  CHECK_EQUAL(packets.front()->text(),
              R"(5::/ns:{"name":"ev","args":[1,{"a":[2]}]})");
  CHECK_EQUAL(packets.front()->frame.substr(packets.front()->json_at, 7),
              R"({"name")");
  CHECK_EQUAL(x.header(wire_form::v09, 7), "5:7+:/ns:");
  shared_event bare{"/", R"(["ev"])", {}};
  CHECK_EQUAL(bare.packets(wire_form::v09).front()->text(),
              R"(5:::{"name":"ev"})");
  MESSAGE("and has its binary arguments as text");
  shared_event y{"/", R"(["b",{"_placeholder":true,"num":0}])", {"\x01\xFF"}};
  CHECK_EQUAL(y.packets(wire_form::v09).front()->text(),
              R"(5:::{"name":"b","args":[{"$base64":"Af8="}]})");
}
