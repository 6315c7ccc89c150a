#include "transports/codec/engine/v3.hpp"

#include "transports/codec/engine/revision.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace std::string_literals;
using codec::errc;
using engine::packet_type;
namespace v3 = engine::v3;

namespace {

constexpr size_t many = 100;

std::string texts(codec::result<std::vector<engine::piece>> x) {
  if (!x)
    return codec::to_string(x.error());
  std::string out;
  for (const auto& each : *x)
    out.append(each.binary    ? "binary "
               : each.doubled ? "doubled "
                              : "")
      .append(each.bytes)
      .append("|");
  return out;
}

std::string decoded(const engine::piece& x) {
  std::string scratch;
  auto y = v3::decode_packet(x, scratch);
  if (!y)
    return codec::to_string(y.error());
  return std::to_string(static_cast<int>(y->type))
         + (y->binary ? " binary " : " ") + std::string{y->data};
}

} // namespace

TEST(a text payload counts UTF - 16 units) {
  CHECK_EQUAL(
    texts(v3::split_text(R"(14:42["echo","a"]14:42["echo","b"])", many)),
    R"(42["echo","a"]|42["echo","b"]|)");
  MESSAGE("the euro counts one, what is beyond the first plane two");
  CHECK_EQUAL(texts(v3::split_text("18:42[\"echo\",\"h\xC3\xA9\xE2\x82\xAC"
                                   "\xF0\x9F\x98\x80\"]",
                                   many)),
              "42[\"echo\",\"h\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"]|");
}

TEST(a text payload with a wrong length is refused whole) {
  for (auto wrong : {"", ":4", "0:", "x:4", "2:4", "1:42", "1", "-1:4", "1.0:4",
                     "99999999999:4", "1:41:", " 1:4"})
    CHECK_EQUAL(v3::split_text(wrong, many).error(), errc::bad_payload);
  MESSAGE("so is one that cuts a pair, and one that is no text");
  CHECK_EQUAL(v3::split_text("2:4\xF0\x9F\x98\x80", many).error(),
              errc::bad_payload);
  CHECK_EQUAL(v3::split_text("3:4\xFF"
                             "a",
                             many)
                .error(),
              errc::bad_utf8);
}

TEST(payloads have as many packets as allowed) {
  CHECK_EQUAL(texts(v3::split_text("1:41:4", 2)), "4|4|");
  CHECK_EQUAL(v3::split_text("1:41:41:4", 2).error(), errc::too_many_pieces);
  auto one = "\x00\x01\xFF"
             "4"s;
  CHECK_EQUAL(texts(v3::split_binary(one + one, 2)), "4|4|");
  CHECK_EQUAL(v3::split_binary(one + one + one, 2).error(),
              errc::too_many_pieces);
}

TEST(text that was encoded twice is decoded twice) {
  // 23 bytes of UTF-8, each a character of its own.
  auto wire = "23:42[\"echo\",\"h\xC3\x83\xC2\xA9\xC3\xA2\xC2\x82\xC2\xAC"
              "\xC3\xB0\xC2\x9F\xC2\x98\xC2\x80\"]"s;
  auto pieces = v3::split_text(wire, many);
  REQUIRE(pieces);
  CHECK(pieces->front().doubled);
  CHECK_EQUAL(decoded(pieces->front()),
              "4 2[\"echo\",\"h\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"]");
  MESSAGE("what is above U+00FF was not, nor what is no UTF-8 inside");
  CHECK(!v3::split_text("2:4\xC4\x80", many)->front().doubled);
  CHECK(!v3::split_text("2:4\xC3\xA9", many)->front().doubled);
  CHECK(!v3::split_text("2:4a", many)->front().doubled);
}

TEST(a binary payload names kind and length of each packet) {
  auto wire = "\x00\x04\x01\xFF"
              "451-[\"bin\",{\"_placeholder\":true,\"num\":0}]"
              "\x01\x05\xFF\x04\x00\x01\xFE\xFF"s;
  auto pieces = v3::split_binary(wire, many);
  REQUIRE(pieces);
  REQUIRE_EQUAL(pieces->size(), 2u);
  CHECK_EQUAL((*pieces)[0].bytes,
              "451-[\"bin\",{\"_placeholder\":true,\"num\":0}]");
  CHECK_EQUAL(decoded((*pieces)[1]), "4 binary \x00\x01\xFE\xFF"s);
}

TEST(a malformed binary payload is refused whole) {
  for (const auto& wrong : {""s, "\x02\x01\xFF"s + "4", "\x00\xFF"s,
                            "\x00\x01"s, "\x00\x02\xFF"s + "4", "\x00\x0A\xFF"s,
                            "\x00\x00\xFF"s, "\x00\x01\xFF"s + "4x"})
    CHECK_EQUAL(v3::split_binary(wrong, many).error(), errc::bad_payload);
  CHECK_EQUAL(v3::split_binary("\x00\x01\xFF\xFF"s, many).error(),
              errc::bad_utf8);
}

TEST(packets are digits or base64 or bytes with a type) {
  CHECK_EQUAL(decoded({"2probe"}), "2 probe");
  CHECK_EQUAL(decoded({"4"}), "4 ");
  CHECK_EQUAL(decoded({"b4AAH+/w=="}), "4 binary \x00\x01\xFE\xFF"s);
  CHECK_EQUAL(decoded({"\x04"s + "ab", true}), "4 binary ab");
  for (const auto* wrong : {"7", "x", "b", "b0AA=="})
    CHECK_EQUAL(decoded({wrong}), "unknown_packet_type");
  CHECK_EQUAL(decoded({"b4!!"}), "bad_base64");
  CHECK_EQUAL(decoded({""}), "truncated");
  CHECK_EQUAL(decoded({"", true}), "truncated");
  CHECK_EQUAL(decoded({"\x00"s, true}), "unknown_packet_type");
}

TEST(what is appended is what is split) {
  std::string payload;
  v3::append_text("4", "2[\"\xE2\x82\xAC\xF0\x9F\x98\x80\"]", payload);
  v3::append_text("3", {}, payload);
  CHECK_EQUAL(payload, "9:42[\"\xE2\x82\xAC\xF0\x9F\x98\x80\"]1:3");
  CHECK_EQUAL(texts(v3::split_text(payload, many)),
              "42[\"\xE2\x82\xAC\xF0\x9F\x98\x80\"]|3|");
  payload.clear();
  v3::append_binary("42", "[1]", false, payload);
  v3::append_binary("\x04\x00"s, {}, true, payload);
  CHECK_EQUAL(payload, "\x00\x05\xFF"s + "42[1]" + "\x01\x02\xFF\x04\x00"s);
  CHECK_EQUAL(texts(v3::split_binary(payload, many)),
              "42[1]|binary \x04\x00|"s);
}

TEST(a revision writes payloads for what its client reads) {
  auto payload = [](bool base64, bool binary) {
    const auto& x = engine::find_revision(codec::dialect::eio3, base64);
    std::string out;
    x.append_packet("451-[0]", {}, false, binary, out);
    x.append_packet("\x04\x01\x02", {}, true, binary, out);
    return out;
  };
  CHECK_EQUAL(payload(false, true),
              "\x00\x07\xFF"s + "451-[0]" + "\x01\x03\xFF\x04\x01\x02"s);
  CHECK_EQUAL(payload(true, false), "7:451-[0]6:b4AQI=");
  const auto& v4 = engine::find_revision(codec::dialect::eio4, false);
  std::string out;
  v4.append_packet("451-[0]", {}, false, false, out);
  v4.append_packet("\x01\x02", {}, true, false, out);
  CHECK_EQUAL(out, "451-[0]\x1e"
                   "bAQI=");
}
