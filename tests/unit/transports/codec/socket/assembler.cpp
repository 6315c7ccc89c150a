#include "transports/codec/socket/assembler.hpp"

#include "tests/support/check.hpp"

using namespace signalbox::socket;
using signalbox::codec::errc;

namespace {

packet event() {
  packet x;
  x.data = R"(["plain"])";
  return x;
}

packet binary_event(size_t attachments) {
  packet x;
  x.type = packet_type::binary_event;
  x.id = 7;
  x.data = R"(["b",{"_placeholder":true,"num":0}])";
  x.expected_attachments = attachments;
  return x;
}

} // namespace

TEST(a packet without attachments passes at once) {
  assembler parts{100};
  auto x = parts.add(event());
  REQUIRE(x && *x);
  CHECK_EQUAL((*x)->data, R"(["plain"])");
  CHECK(!parts.waiting());
}

TEST(a binary packet comes out with its last attachment) {
  assembler parts{100};
  auto x = parts.add(binary_event(2));
  REQUIRE(x && !*x);
  CHECK(parts.waiting());
  x = parts.add_binary("first");
  REQUIRE(x && !*x);
  x = parts.add_binary("");
  REQUIRE(x && *x);
  CHECK(!parts.waiting());
  CHECK((*x)->type == packet_type::binary_event);
  CHECK_EQUAL(*(*x)->id, 7u);
  REQUIRE_EQUAL((*x)->attachments.size(), 2u);
  CHECK_EQUAL((*x)->attachments[0], "first");
  CHECK_EQUAL((*x)->attachments[1], "");
}

TEST(text while attachments are outstanding ends both packets) {
  assembler parts{100};
  parts.add(binary_event(1));
  CHECK_EQUAL(parts.add(event()).error(), errc::unexpected_attachment);
  CHECK(!parts.waiting());
  CHECK_EQUAL(parts.add_binary("x").error(), errc::unexpected_attachment);
}

TEST(a binary message that nobody announced is refused) {
  assembler parts{100};
  CHECK_EQUAL(parts.add_binary("x").error(), errc::unexpected_attachment);
  CHECK(!parts.waiting());
}

TEST(attachments up to the limit are kept and one byte more is refused) {
  assembler parts{10};
  parts.add(binary_event(2));
  CHECK(parts.add_binary("12345"));
  CHECK(parts.add_binary("67890"));
  parts.add(binary_event(2));
  CHECK(parts.add_binary("12345"));
  CHECK_EQUAL(parts.add_binary("678901").error(), errc::too_large);
  CHECK(!parts.waiting());
}

TEST(each packet has the whole limit) {
  assembler parts{10};
  for (auto n = 0; n < 3; ++n) {
    CHECK(parts.add(binary_event(1)));
    auto x = parts.add_binary("1234567890");
    CHECK(x && *x);
  }
}

TEST(an attachment may be named several times within the limit) {
  auto with = [](size_t placeholders) {
    assembler parts{300};
    auto x = binary_event(1);
    x.data = R"(["b")";
    for (size_t i = 0; i < placeholders; ++i)
      x.data += R"(,{"_placeholder":true,"num":0})";
    x.data += ']';
    CHECK(parts.add(std::move(x)));
    return parts.add_binary(std::string(150, 'x')).error();
  };
  CHECK_EQUAL(with(1), errc::none);
  CHECK_EQUAL(with(3), errc::none);
  CHECK_EQUAL(with(4), errc::too_large);
  CHECK_EQUAL(with(4000), errc::too_large);
}
