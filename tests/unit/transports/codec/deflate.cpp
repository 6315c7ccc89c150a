#include "transports/codec/deflate.hpp"

#include <zlib.h>

#include <string>
#include <string_view>

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace std::literals;

namespace {

constexpr size_t plenty = 1 << 24;

std::string deflated(std::string_view text) {
  std::string out;
  codec::deflate_message(text, out);
  return out;
}

std::string inflated(std::string_view message, size_t max_bytes = plenty) {
  auto got = codec::inflate_message(message, max_bytes);
  return got ? *got : "!"s + to_string(got.error());
}

// Undoes gzip, by zlib itself.
std::string gunzipped(std::string_view text) {
  z_stream z{};
  inflateInit2(&z, 15 + 16);
  std::string out(1 << 20, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  auto code = inflate(&z, Z_FINISH);
  out.resize(z.total_out);
  inflateEnd(&z);
  return code == Z_STREAM_END ? out : "!";
}

// A text that hardly compresses; the same at every run.
std::string noise(size_t size) {
  std::string out;
  uint32_t seed = 1;
  for (size_t i = 0; i < size; ++i) {
    seed = seed * 1664525 + 1013904223;
    out += static_cast<char>(seed >> 24);
  }
  return out;
}

} // namespace

TEST(gzip appends a stream that zlib reads) {
  auto json = "{\"a\":1}"s;
  std::string out = "before";
  codec::gzip(json, out);
  REQUIRE(out.starts_with("before\x1F\x8B\x08")); // magic, deflate
  CHECK_EQUAL(gunzipped(std::string_view{out}.substr(6)), json);
  for (const auto& text : {""s, noise(70000), std::string(300000, 'x')}) {
    out.clear();
    codec::gzip(text, out);
    CHECK(gunzipped(out) == text);
  }
}

TEST(a message comes back from deflate and inflate) {
  for (size_t size : {0, 1, 5, 100, 16383, 16384, 16385, 70000, 300000}) {
    CHECK(inflated(deflated(noise(size))) == noise(size));
    CHECK(inflated(deflated(std::string(size, 'x'))) == std::string(size, 'x'));
  }
  CHECK(deflated(std::string(300000, 'x')).size() < 3000);
}

TEST(a message in any number of output chunks comes back) {
  size_t failed = 0;
  for (size_t size = 16300; size < 16500; ++size)
    if (inflated(deflated(noise(size))) != noise(size))
      ++failed;
  CHECK_EQUAL(failed, 0u);
}

TEST(an empty message is one byte) {
  CHECK_EQUAL(deflated(""), "\0"s);
  CHECK_EQUAL(inflated("\0"sv), "");
  CHECK_EQUAL(inflated(""), "");
}

TEST(the examples of RFC 7692 section 7.2.3 inflate) {
  MESSAGE("one block");
  CHECK_EQUAL(inflated("\xF2\x48\xCD\xC9\xC9\x07\x00"sv), "Hello");
  MESSAGE("a block without compression");
  CHECK_EQUAL(inflated("\x00"     // not final, stored
                       "\x05\x00" // 5 bytes
                       "\xFA\xFF" // complement
                       "Hello"    //
                       "\x00"sv), // empty block that the tail completes
              "Hello");
  MESSAGE("a final block");
  CHECK_EQUAL(inflated("\xF3\x48\xCD\xC9\xC9\x07\x00" // final block
                       "\x00"sv),                     // empty stored block
              "Hello");
  MESSAGE("two blocks");
  CHECK_EQUAL(inflated("\xF2\x48\x05\x00"         // He
                       "\x00\x00\xFF\xFF"         // sync flush
                       "\xCA\xC9\xC9\x07\x00"sv), // llo
              "Hello");
}

TEST(a final block needs nothing behind it) {
  CHECK_EQUAL(inflated("\xF3\x48\xCD\xC9\xC9\x07\x00"sv), "Hello");
}

TEST(inflating stops at the limit) {
  auto message = deflated(std::string(100000, 'x'));
  CHECK_EQUAL(inflated(message, 100000).size(), 100000u);
  CHECK_EQUAL(inflated(message, 99999), "!too_large");
  CHECK_EQUAL(inflated(deflated("x"), 1), "x");
  CHECK_EQUAL(inflated(deflated("x"), 0), "!too_large");
  CHECK_EQUAL(inflated(deflated(""), 0), "");
  MESSAGE("a bomb of a thousand to one");
  auto bomb = deflated(std::string(plenty, '\0'));
  CHECK(bomb.size() < plenty / 200);
  CHECK_EQUAL(inflated(bomb, 1000000), "!too_large");
}

TEST(malformed messages are refused) {
  MESSAGE("block type 3");
  CHECK_EQUAL(inflated("\x06"sv), "!bad_frame");
  MESSAGE("stored block whose complement is wrong");
  CHECK_EQUAL(inflated("\x00\x05\x00\x05\x00Hello"sv), "!bad_frame");
  MESSAGE("reference to before the start");
  CHECK_EQUAL(inflated("\x02\x07\x00"sv), "!bad_frame");
  MESSAGE("stored block cut off");
  CHECK_EQUAL(inflated("\x00\xFF\x00\x00\xFFHello"sv), "!bad_frame");
  MESSAGE("noise");
  CHECK_EQUAL(inflated(noise(1000)), "!bad_frame");
}
TEST(content codings are undone) {
  const std::string text(5000, 'x');
  std::string packed;
  codec::gzip(text, packed);
  auto got = codec::inflate_content(packed, 5000);
  REQUIRE(got);
  CHECK(*got == text);
  CHECK(codec::inflate_content(packed, 4999).error() == codec::errc::too_large);
  MESSAGE("with the header of zlib and without, as servers send deflate");
  const std::string_view zlib{"\x78\x9c\xcb\xcf\x06\x00\x01\x4b\x00\xdb", 10};
  for (auto each : {zlib, zlib.substr(2, 4)}) {
    auto small = codec::inflate_content(each, 9);
    REQUIRE(small);
    CHECK_EQUAL(*small, "ok");
  }
  MESSAGE("what is cut, longer, or something else is refused");
  for (const auto& bad : {packed.substr(0, packed.size() - 1), packed + "x",
                          packed.substr(1), std::string{"{}"}, std::string{}})
    CHECK(codec::inflate_content(bad, 5000).error() == codec::errc::bad_frame);
}
