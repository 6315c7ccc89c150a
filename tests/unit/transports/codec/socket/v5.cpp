#include "transports/codec/socket/v5.hpp"

#include "transports/codec/base64.hpp"
#include "transports/codec/socket/assembler.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <fstream>
#include <random>
#include <string>

#include "tests/support/check.hpp"

using namespace signalbox::socket;
using nlohmann::json;
using signalbox::codec::errc;
using namespace std::string_literals;

namespace {

errc verdict(std::string_view text, const v5::limits& bounds = {}) {
  return v5::decode(text, bounds).error();
}

std::string encoded(const packet& x) {
  std::string out;
  v5::encode(x, out);
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out;
  signalbox::codec::encode_base64(bytes, out);
  return out;
}

// A wire text is a string, or a list of strings and [string, count] pairs.
std::string expand(const json& wire) {
  if (wire.is_string())
    return wire.get<std::string>();
  std::string out;
  for (const auto& part : wire) {
    if (part.is_string()) {
      out += part.get<std::string>();
      continue;
    }
    for (auto n = part.at(1).get<size_t>(); n > 0; --n)
      out += part.at(0).get<std::string>();
  }
  return out;
}

json render(const packet& x) {
  json result{{"type", static_cast<int>(x.type)}, {"nsp", x.nsp}};
  if (x.id)
    result["id"] = *x.id;
  if (!x.data.empty())
    result["data"] = x.data;
  if (x.expected_attachments > 0)
    result["attachments"] = x.expected_attachments;
  for (const auto& bytes : x.attachments)
    result["binary"].push_back(base64(bytes));
  return result;
}

json run(const json& wire) {
  auto x = v5::decode(expand(wire), {});
  return x ? render(*x) : json(to_string(x.error()));
}

// Feeds text and binary messages, as a session does, and returns the packets
// that came out; the first error ends the list.
json run_messages(const json& messages) {
  assembler parts{1000000};
  auto result = json::array();
  for (const auto& message : messages) {
    signalbox::codec::result<std::optional<packet>> out = errc::none;
    if (message.contains("binary")) {
      auto bytes = signalbox::codec::decode_base64(
        message.at("binary").get_ref<const std::string&>());
      out = parts.add_binary(*bytes);
    } else if (auto x = v5::decode(expand(message.at("text")), {}); x) {
      out = parts.add(std::move(*x));
    } else {
      out = x.error();
    }
    if (!out)
      result.push_back(to_string(out.error()));
    else if (*out)
      result.push_back(render(**out));
    if (!out)
      break;
  }
  return result;
}

} // namespace

TEST(the vectors decode to their value or error) {
  std::ifstream file{SIGNALBOX_VECTORS "/socket-v5.json"};
  auto vectors = json::parse(file);
  CHECK(vectors.size() > 150);
  for (const auto& vector : vectors) {
    MESSAGE(vector.at("name").get<std::string>());
    auto expected = vector.at(vector.contains("value") ? "value" : "error");
    auto found = vector.contains("messages")
                   ? run_messages(vector.at("messages"))
                   : run(vector.at("wire"));
    CHECK_EQUAL(found.dump(), expected.dump());
  }
}

TEST(accepted vectors survive encoding and decoding) {
  std::ifstream file{SIGNALBOX_VECTORS "/socket-v5.json"};
  for (const auto& vector : json::parse(file)) {
    if (!vector.contains("wire") || !vector.contains("value"))
      continue;
    MESSAGE(vector.at("name").get<std::string>());
    auto x = v5::decode(expand(vector.at("wire")), {});
    REQUIRE(x);
    CHECK_EQUAL(run(encoded(*x)).dump(), render(*x).dump());
  }
}

TEST(a header has the parts that differ from the defaults only) {
  auto header = [](packet_type type, size_t attachments, std::string_view nsp,
                   std::optional<uint64_t> id) {
    std::string out;
    v5::encode_header(type, attachments, nsp, id, out);
    return out;
  };
  CHECK_EQUAL(header(packet_type::connect, 0, "/", {}), "0");
  CHECK_EQUAL(header(packet_type::connect, 0, "/ns", {}), "0/ns,");
  CHECK_EQUAL(header(packet_type::event, 3, "/", 0), "20");
  CHECK_EQUAL(header(packet_type::ack, 0, "/ns", 12), "3/ns,12");
  CHECK_EQUAL(header(packet_type::binary_event, 2, "/ns", 7), "52-/ns,7");
  CHECK_EQUAL(header(packet_type::binary_ack, 1, "/", {}), "61-");
}

TEST(the attachments of a packet decide about the count it is sent with) {
  packet x;
  x.type = packet_type::binary_event;
  x.data = "[1]";
  x.expected_attachments = 5;
  CHECK_EQUAL(encoded(x), "55-[1]");
  x.attachments = {"a", "b"};
  CHECK_EQUAL(encoded(x), "52-[1]");
}

TEST(the most attachments allowed pass and one more does not ) {
  v5::limits bounds;
  bounds.attachments = 3;
  CHECK_EQUAL(verdict("53-[\"b\"]", bounds), errc::none);
  CHECK_EQUAL(verdict("54-[\"b\"]", bounds), errc::bad_attachments);
  bounds.attachments = 100;
  CHECK_EQUAL(verdict("5100-[\"b\"]", bounds), errc::none);
  CHECK_EQUAL(verdict("5101-[\"b\"]", bounds), errc::bad_attachments);
}

TEST(the longest namespace passes and one byte more does not ) {
  v5::limits bounds;
  bounds.nsp_bytes = 5;
  CHECK_EQUAL(verdict("0/1234,", bounds), errc::none);
  CHECK_EQUAL(verdict("0/12345,", bounds), errc::bad_namespace);
  CHECK_EQUAL(verdict("0/12345", bounds), errc::bad_namespace);
}

TEST(a namespace may not hold a control byte) {
  for (auto c = 0; c < 0x80; ++c) {
    auto byte = static_cast<char>(c);
    if (byte == ',')
      continue;
    auto expected = c < 0x20 || c == 0x7F ? errc::bad_namespace : errc::none;
    CHECK_EQUAL(verdict("0/n"s + byte + ','), expected);
    CHECK_EQUAL(verdict("2/n"s + byte + ",[\"x\"]"), expected);
  }
}

TEST(a namespace is UTF8) {
  CHECK_EQUAL(verdict("0/\xC3\xA9,"), errc::none);
  CHECK_EQUAL(verdict("0/\xC3,"), errc::bad_utf8);
}

TEST(the limits of the JSON text are those given) {
  v5::limits bounds;
  bounds.json.depth = 2;
  bounds.json.nodes = 3;
  CHECK_EQUAL(verdict("2[\"x\",[1]]", bounds), errc::none);
  CHECK_EQUAL(verdict("2[\"x\",[1,2]]", bounds), errc::json_too_wide);
  CHECK_EQUAL(verdict("2[\"x\",[[]]]", bounds), errc::json_too_deep);
}

TEST(a megabyte of digits is refused in passing) {
  auto start = std::chrono::steady_clock::now();
  CHECK_EQUAL(verdict('2' + std::string(999990, '2')), errc::bad_ack_id);
  CHECK_EQUAL(verdict('5' + std::string(999990, '2')), errc::bad_attachments);
  CHECK_EQUAL(verdict('5' + std::string(999990, '0')), errc::bad_attachments);
  auto elapsed = std::chrono::steady_clock::now() - start;
  CHECK(elapsed < std::chrono::milliseconds{500});
}

TEST(six names are reserved) {
  for (auto name : {"connect", "connect_error", "disconnect", "disconnecting",
                    "newListener", "removeListener"}) {
    CHECK(v5::reserved_event(name));
    CHECK_EQUAL(verdict("2[\""s + name + "\"]"), errc::reserved_event);
    CHECK_EQUAL(verdict("51-[\""s + name + "\"]"), errc::reserved_event);
  }
  for (auto name : {"", "error", "Connect", "connect ", "connecting",
                    "reconnect", "message"})
    CHECK(!v5::reserved_event(name));
}

TEST(what is encoded decodes to the same packet) {
  constexpr const char* payloads[][3] = {
    {"", R"({"token":"abc"})", "{}"},
    {"", "", ""},
    {R"(["a"])", R"([1.5,{"b":[null]}])", ""},
    {"[]", R"(["x",1e400])", ""},
    {R"({"message":"no"})", R"("no")", ""},
    {R"(["b",{"_placeholder":true,"num":0}])", R"(["b"])", ""},
    {R"([{"_placeholder":true,"num":0}])", "[]", ""}};
  constexpr const char* names[] = {"/", "/ns", "//", "/a?b=c", "/\xC3\xA9"};
  std::mt19937 random{4};
  for (auto n = 0; n < 2000; ++n) {
    packet x;
    auto type = random() % 7;
    x.type = static_cast<packet_type>(type);
    x.nsp = names[random() % std::size(names)];
    x.data = payloads[type][random() % 3];
    if (random() % 2 == 0)
      x.id = random() % 1000000000000000;
    if (type > 4)
      x.expected_attachments = random() % 10 + 1;
    CHECK_EQUAL(run(encoded(x)).dump(), render(x).dump());
  }
}
