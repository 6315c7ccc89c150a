#include "transports/codec/engine/v4.hpp"

#include "transports/codec/base64.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <random>
#include <string>

#include "tests/support/check.hpp"

using namespace signalbox::engine;
using nlohmann::json;
using signalbox::codec::errc;
using namespace std::string_literals;

namespace {

constexpr size_t max_packets = 1000;

// Renders a packet as the vectors do; a binary one with its bytes in base64.
json render(const packet& x) {
  json result{{"type", static_cast<int>(x.type)}};
  if (x.binary) {
    std::string text;
    signalbox::codec::encode_base64(x.data, text);
    result["binary"] = text;
  } else {
    result["data"] = x.data;
  }
  return result;
}

// Decodes a payload until its first wrong packet.
json run(const std::string& wire, bool payload) {
  auto result = json::array();
  std::vector<signalbox::engine::piece> packets{{wire}};
  if (payload) {
    auto pieces = v4::split_payload(wire, max_packets);
    if (!pieces)
      return to_string(pieces.error());
    packets = *pieces;
  }
  for (const auto& each : packets) {
    std::string scratch;
    auto x = v4::decode_packet(each.bytes, scratch);
    result.push_back(x ? render(*x) : json(to_string(x.error())));
    if (!x)
      break;
  }
  return payload ? result : result.front();
}

errc error_of(std::string_view text) {
  std::string scratch;
  return v4::decode_packet(text, scratch).error();
}

} // namespace

TEST(the vectors decode to their value or error) {
  std::ifstream file{SIGNALBOX_VECTORS "/engine-v4.json"};
  auto vectors = json::parse(file);
  CHECK(vectors.size() > 30);
  for (const auto& vector : vectors) {
    MESSAGE(vector.at("name").get<std::string>());
    auto is_payload = vector.contains("payload");
    auto wire = vector.at(is_payload ? "payload" : "wire").get<std::string>();
    auto expected = vector.at(vector.contains("value") ? "value" : "error");
    CHECK_EQUAL(run(wire, is_payload).dump(), expected.dump());
  }
}

TEST(all bytes but seven digits and b are unknown types) {
  for (auto c = 0; c < 256; ++c) {
    auto byte = static_cast<char>(c);
    auto known = (byte >= '0' && byte <= '6') || byte == 'b';
    CHECK_EQUAL(error_of(std::string(1, byte)),
                known ? errc::none : errc::unknown_packet_type);
  }
}

TEST(the data of a text packet is a view into the input) {
  auto text = "4hello"s;
  std::string scratch;
  auto x = v4::decode_packet(text, scratch);
  REQUIRE(x);
  CHECK(x->data.data() == text.data() + 1);
}

TEST(a payload of as many packets as allowed passes and one more does not ) {
  CHECK_EQUAL(v4::split_payload("4\x1e"
                                "4\x1e"
                                "4",
                                3)
                ->size(),
              3u);
  CHECK_EQUAL(v4::split_payload("4\x1e"
                                "4\x1e"
                                "4",
                                2)
                .error(),
              errc::too_many_pieces);
  CHECK_EQUAL(v4::split_payload("", 0).error(), errc::too_many_pieces);
}

TEST(encoded packets are appended) {
  auto out = "4first\x1e"s;
  v4::encode_packet(packet_type::pong, "probe", out);
  out += v4::separator;
  v4::encode_binary("\x01\x02\x03", out);
  CHECK_EQUAL(out, "4first\x1e"
                   "3probe\x1e"
                   "bAQID");
}

TEST(what is encoded decodes to the same packets) {
  std::mt19937 random{3};
  for (auto n = 0; n < 500; ++n) {
    std::string wire;
    std::vector<json> sent;
    for (auto i = random() % 5 + 1; i > 0; --i) {
      std::string data;
      for (auto j = random() % 10; j > 0; --j)
        data += static_cast<char>(random());
      packet x{static_cast<packet_type>(random() % 7), random() % 2 == 0, {}};
      if (!sent.empty())
        wire += v4::separator;
      if (x.binary) {
        x.type = packet_type::message;
        v4::encode_binary(data, wire);
      } else {
        for (auto& c : data)
          c &= 0x7F;
        std::erase(data, v4::separator);
        v4::encode_packet(x.type, data, wire);
      }
      x.data = data;
      sent.push_back(render(x));
    }
    CHECK_EQUAL(run(wire, true).dump(), json(sent).dump());
  }
}
