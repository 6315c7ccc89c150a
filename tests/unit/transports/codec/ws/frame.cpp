#include "transports/codec/ws/frame.hpp"

#include "tests/unit/transports/codec/ws/frame_samples.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace std::literals;

namespace {

using peer = ws::reader::peer;

const char* name_of(ws::opcode op) {
  switch (op) {
  case ws::opcode::text:
    return "text";
  case ws::opcode::binary:
    return "binary";
  case ws::opcode::close:
    return "close";
  case ws::opcode::ping:
    return "ping";
  case ws::opcode::pong:
    return "pong";
  default:
    return "continuation";
  }
}

// Feeds the pieces, each from a buffer of its own, and writes down what came
// out: `text(40) ping() !bad_frame`, with `...` if something is unfinished.
std::string outcome(ws::reader& reader,
                    const std::vector<std::string_view>& pieces) {
  std::string out;
  for (auto piece : pieces) {
    std::vector<char> buffer{piece.begin(), piece.end()};
    std::span<char> input{buffer};
    for (;;) {
      ws::message message;
      auto got = reader.next(input, message);
      if (!got)
        return out + "!" + to_string(got.error());
      if (!*got)
        break;
      out += name_of(message.op);
      if (message.compressed)
        out += "*";
      out += "(" + std::string{message.data} + ") ";
    }
    if (!input.empty())
      return out + "left over";
  }
  return reader.partial() ? out + "..." : out;
}

constexpr ws::limits small_limits{.message = 70000, .fragments = 3};

std::string outcome(std::string_view wire, peer who = peer::client,
                    ws::limits bounds = small_limits, bool compressed = false) {
  ws::reader reader{who, bounds, compressed};
  return outcome(reader, {wire});
}

std::string frame_with_size(ws::opcode op, size_t size, bool fin) {
  char header[ws::max_header];
  auto n = ws::encode_header(op, size, header, fin);
  return std::string(header, n);
}

} // namespace

TEST(frames of a client lead to the messages or the error of RFC 6455) {
  for (const auto& [name, wire, expected] : ws::samples()) {
    MESSAGE(name);
    CHECK_EQUAL(outcome(wire), expected);
  }
}

TEST(the outcome does not depend on where the bytes were cut) {
  for (const auto& [name, wire, expected] : ws::samples()) {
    MESSAGE(name);
    std::string_view all{wire};
    size_t differing = 0;
    for (size_t cut = 0; cut <= std::min(all.size(), size_t{200}); ++cut) {
      ws::reader reader{peer::client, small_limits};
      if (outcome(reader, {all.substr(0, cut), all.substr(cut)}) != expected)
        ++differing;
    }
    CHECK_EQUAL(differing, 0u);
    std::vector<std::string_view> single;
    for (size_t i = 0; i < all.size(); ++i)
      single.push_back(all.substr(i, 1));
    ws::reader reader{peer::client, small_limits};
    CHECK_EQUAL(outcome(reader, single), expected);
  }
}

TEST(frames of a server are read without mask only) {
  CHECK_EQUAL(outcome("\x81"     // FIN, text
                      "\x05"     // 5 bytes
                      "Hello"sv, //
                      peer::server),
              "text(Hello) ");
  CHECK_EQUAL(outcome("\x81"    // FIN, text
                      "\x85"sv, // masked, 5 bytes
                      peer::server),
              "!bad_frame");
}

TEST(an error is final) {
  ws::reader reader{peer::client, small_limits};
  CHECK_EQUAL(outcome(reader, {"\x83"sv}), "!bad_frame");
  CHECK_EQUAL(outcome(reader, {"\x89\x80\0\0\0\0"sv}), "!bad_frame");
  CHECK_EQUAL(reader.memory(), 0u);
}

TEST(close frames carry only codes that may be on the wire) {
  auto reads = [](uint16_t code) {
    std::string wire;
    ws::encode_frame(ws::opcode::close, ws::close_body(code, ""), wire);
    return outcome(wire, peer::server).starts_with("close(");
  };
  for (auto code : {1000, 1003, 1007, 1011, 3000, 4999})
    CHECK(reads(static_cast<uint16_t>(code)));
  for (auto code : {0, 999, 1004, 1006, 1012, 1015, 1016, 2999, 5000, 65535})
    CHECK(!reads(static_cast<uint16_t>(code)));
}

TEST(the limit of a message counts its payload to the byte) {
  ws::limits bounds{.message = 1000, .fragments = 10};
  auto single = [&](size_t size) {
    auto wire = frame_with_size(ws::opcode::binary, size, true);
    return outcome(wire + std::string(size, 'x'), peer::server, bounds);
  };
  CHECK_EQUAL(single(1000), "binary(" + std::string(1000, 'x') + ") ");
  CHECK_EQUAL(single(1001), "!too_large");
  auto pair = [&](size_t size) {
    auto wire = frame_with_size(ws::opcode::binary, 600, false)
                + std::string(600, 'x')
                + frame_with_size(ws::opcode::continuation, size - 600, true)
                + std::string(size - 600, 'x');
    return outcome(wire, peer::server, bounds);
  };
  CHECK_EQUAL(pair(1000), "binary(" + std::string(1000, 'x') + ") ");
  CHECK_EQUAL(pair(1001), "!too_large");
  MESSAGE("a control frame does not count");
  CHECK_EQUAL(outcome("\x89\x02hi"sv, peer::server, {.message = 1}),
              "ping(hi) ");
}

TEST(a size over the limit is refused from the header alone) {
  ws::limits bounds{.message = 1000000};
  CHECK_EQUAL(outcome("\x81\xFF"                  // masked text
                      "\0\0\0\0\0\x0F\x42\x41"sv, // 1000001 bytes
                      peer::client, bounds),
              "!too_large");
  CHECK_EQUAL(outcome("\x81\xFF"                  // masked text
                      "\0\0\0\0\0\x0F\x42\x40"sv, // 1000000 bytes
                      peer::client, bounds),
              "...");
}

TEST(an announced size takes no memory before its bytes come) {
  ws::reader reader{peer::server, {.message = size_t{1} << 40}};
  CHECK_EQUAL(outcome(reader, {"\x82\x7F"                      // binary
                               "\0\0\0\x7F\xFF\xFF\xFF\xFF"sv, // 2^39-1 bytes
                               "x"sv}),
              "...");
  CHECK(reader.memory() < 500);
}

TEST(the limit of fragments counts every frame of the message) {
  ws::limits bounds{.message = 1000, .fragments = 5};
  auto run = [&](size_t fragments) {
    auto wire = frame_with_size(ws::opcode::text, 1, false) + "x";
    for (size_t i = 2; i <= fragments; ++i)
      wire += frame_with_size(ws::opcode::continuation, 1, i == fragments) + "x"
              + "\x89\x00"s; // a ping, which does not count
    return outcome(wire, peer::server, bounds);
  };
  CHECK(run(5).ends_with("text(xxxxx) ping() "));
  CHECK(run(6).ends_with("!too_many_pieces"));
}

TEST(an idle reader holds no memory) {
  CHECK(sizeof(ws::reader) <= 64);
  ws::reader reader{peer::client, {}};
  CHECK_EQUAL(reader.memory(), 0u);
  MESSAGE("a message that lies whole in the input needs none either");
  auto wire = "\x81\x81\0\0\0\0"
              "2"s;
  std::span<char> input{wire};
  ws::message message;
  REQUIRE(*reader.next(input, message));
  CHECK(message.data.data() == wire.data() + 6);
  CHECK_EQUAL(reader.memory(), 0u);
  MESSAGE("a message in pieces needs some until it has been looked at");
  std::string large;
  ws::encode_masked_frame(ws::opcode::binary, std::string(100000, 'x'), 7,
                          large);
  std::string_view pieces{large};
  CHECK_EQUAL(outcome(reader, {pieces.substr(0, 50000)}), "...");
  CHECK(reader.partial());
  CHECK(reader.memory() > 49000);
  CHECK_EQUAL(outcome(reader, {pieces.substr(50000)}).size(), 100009u);
  CHECK(!reader.partial());
  CHECK_EQUAL(reader.memory(), 0u);
  MESSAGE("so does a message behind a header in pieces");
  CHECK_EQUAL(outcome(reader, {"\x81"sv, "\x81\0\0\0\0"
                                         "2"sv}),
              "text(2) ");
  CHECK_EQUAL(reader.memory(), 0u);
}

TEST(compressed messages pass only where they were negotiated) {
  auto run = [](std::string_view wire) {
    return outcome(wire, peer::server, small_limits, true);
  };
  MESSAGE("the flag is reported, and compressed text is not checked");
  CHECK_EQUAL(run("\xC1\x01\xFF"sv), "text*(\xFF) ");
  MESSAGE("it belongs to the first frame");
  CHECK_EQUAL(run("\x42\x01\xFF"
                  "\x80\x01\xFE"sv),
              "binary*(\xFF\xFE) ");
  CHECK_EQUAL(run("\x42\x01\xFF"
                  "\xC0\x01\xFE"sv),
              "!bad_frame");
  MESSAGE("control frames are never compressed");
  CHECK_EQUAL(run("\xC9\x00"sv), "!bad_frame");
  MESSAGE("the next message may be plain");
  CHECK_EQUAL(run("\x41\x00\x80\x00\x81\x01\xFF"sv), "text*() !bad_utf8");
}

TEST(both roles read what the encoders write) {
  for (size_t size :
       {0, 1, 7, 8, 9, 125, 126, 127, 4096, 65535, 65536, 69999}) {
    std::string payload;
    for (size_t i = 0; i < size; ++i)
      payload += static_cast<char>('a' + i % 26);
    for (auto op : {ws::opcode::text, ws::opcode::binary}) {
      auto expected = std::string{name_of(op)} + "(" + payload + ") ";
      std::string plain;
      ws::encode_frame(op, payload, plain);
      CHECK(outcome(plain, peer::server) == expected);
      std::string masked;
      ws::encode_masked_frame(op, payload, 0x8A3F01C7, masked);
      CHECK_EQUAL(masked.size(), plain.size() + 4);
      CHECK(outcome(masked, peer::client) == expected);
      ws::reader reader{peer::client, small_limits};
      std::string_view view{masked};
      auto half = view.size() / 2 + size % 3;
      CHECK(outcome(reader, {view.substr(0, half), view.substr(half)})
            == expected);
    }
  }
}

TEST(a header has the shortest form that fits) {
  CHECK_EQUAL(frame_with_size(ws::opcode::text, 125, true), "\x81\x7D"s);
  CHECK_EQUAL(frame_with_size(ws::opcode::text, 126, true), "\x81\x7E\0\x7E"s);
  CHECK_EQUAL(frame_with_size(ws::opcode::text, 65535, true),
              "\x81\x7E\xFF\xFF"s);
  CHECK_EQUAL(frame_with_size(ws::opcode::binary, 65536, false),
              "\x02\x7F\0\0\0\0\0\1\0\0"s);
  char header[ws::max_header];
  auto size = ws::encode_header(ws::opcode::text, 1, header, true, true);
  CHECK_EQUAL(std::string(header, size), "\xC1\x01"s);
}

TEST(a masked frame has the bytes of RFC 6455) {
  std::string wire;
  ws::encode_masked_frame(ws::opcode::text, "Hello", 0x37FA213D, wire);
  CHECK_EQUAL(wire, "\x81"                    // FIN, text
                    "\x85"                    // masked, 5 bytes
                    "\x37\xFA\x21\x3D"        // key
                    "\x7F\x9F\x4D\x51\x58"s); // Hello
}

TEST(a close body has the code and a reason that fits) {
  CHECK_EQUAL(ws::close_body(ws::close_code::none, "no"), ""s);
  CHECK_EQUAL(ws::close_body(1000, "bye"), "\x03\xE8"
                                           "bye"s);
  CHECK_EQUAL(ws::close_body(1001, std::string(123, 'x')).size(), 125u);
  CHECK_EQUAL(ws::close_body(1001, std::string(124, 'x')).size(), 125u);
  MESSAGE("a character that would be cut is left out");
  CHECK_EQUAL(ws::close_body(1001, std::string(122, 'x') + "\xC3\xA4").size(),
              124u);
}

TEST(every error has a close code) {
  CHECK_EQUAL(ws::close_code_for(codec::errc::bad_frame), 1002);
  CHECK_EQUAL(ws::close_code_for(codec::errc::bad_utf8), 1007);
  CHECK_EQUAL(ws::close_code_for(codec::errc::too_large), 1009);
  CHECK_EQUAL(ws::close_code_for(codec::errc::too_many_pieces), 1009);
}
