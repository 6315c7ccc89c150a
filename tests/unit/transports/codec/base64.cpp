#include "transports/codec/base64.hpp"

#include <random>
#include <string>

#include "tests/support/check.hpp"

using namespace signalbox::codec;
using namespace std::string_literals;

namespace {

std::string encoded(std::string_view bytes) {
  std::string out;
  encode_base64(bytes, out);
  return out;
}

std::string url_encoded(std::string_view bytes) {
  std::string out;
  encode_base64url(bytes, out);
  return out;
}

std::string decoded(std::string_view text) {
  auto x = decode_base64(text);
  return x ? *x : to_string(x.error());
}

std::string url_decoded(std::string_view text) {
  auto x = decode_base64url(text);
  return x ? *x : to_string(x.error());
}

std::string lines_decoded(std::string_view text) {
  auto x = decode_base64_lines(text);
  return x ? *x : to_string(x.error());
}

} // namespace

// RFC 4648 section 10.
TEST(the examples of RFC 4648 hold in both directions) {
  constexpr std::string_view plain[] = {"",     "f",     "fo",    "foo",
                                        "foob", "fooba", "foobar"};
  constexpr std::string_view padded[] = {
    "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
  };
  for (size_t i = 0; i < std::size(plain); ++i) {
    CHECK_EQUAL(encoded(plain[i]), padded[i]);
    CHECK_EQUAL(decoded(padded[i]), plain[i]);
  }
}

TEST(the two alphabets differ in the last two characters) {
  CHECK_EQUAL(encoded("\xFB\xEF\xFF"), "++//");
  CHECK_EQUAL(url_encoded("\xFB\xEF\xFF"), "--__");
  CHECK_EQUAL(url_decoded("--__"), "\xFB\xEF\xFF");
  CHECK_EQUAL(decoded("--__"), "bad_base64");
  CHECK_EQUAL(url_decoded("++//"), "bad_base64");
}

TEST(encoders append) {
  auto out = "b"s;
  encode_base64("\x01", out);
  CHECK_EQUAL(out, "bAQ==");
}

TEST(padding may be missing but not wrong) {
  CHECK_EQUAL(decoded("Zg"), "f");
  CHECK_EQUAL(decoded("Zm8"), "fo");
  for (auto text : {"Zg=", "Zm8==", "Zm9v=", "Zm9v====", "=",
                    "====", "Z===", "Zg==Zg==", "Z=g="})
    CHECK_EQUAL(decoded(text), "bad_base64");
}

TEST(the url form has no padding) {
  CHECK_EQUAL(url_encoded("f"), "Zg");
  CHECK_EQUAL(url_encoded("fo"), "Zm8");
  CHECK_EQUAL(url_decoded("Zm8"), "fo");
  CHECK_EQUAL(url_decoded("Zg=="), "bad_base64");
}

TEST(one character alone is refused) {
  CHECK_EQUAL(decoded("Z"), "bad_base64");
  CHECK_EQUAL(decoded("Zm9vZ"), "bad_base64");
}

TEST(every byte outside the alphabet is refused at every place) {
  constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (auto c = 0; c < 256; ++c) {
    auto byte = static_cast<char>(c);
    for (size_t at = 0; at < 7; ++at) {
      auto text = "Zm9vYmF"s;
      text[at] = byte;
      auto legal = alphabet.find(byte) != std::string_view::npos;
      CHECK_EQUAL(static_cast<bool>(decode_base64(text)), legal);
    }
  }
}

TEST(lines are joined where they may be) {
  CHECK_EQUAL(lines_decoded("AAEC\nAw==\n"), std::string("\0\1\2\3", 4));
  CHECK_EQUAL(lines_decoded("AAEC\r\nAw=="), std::string("\0\1\2\3", 4));
  CHECK_EQUAL(lines_decoded("AAECAw=="), std::string("\0\1\2\3", 4));
  CHECK(!decode_base64_lines("AA EC"));
  CHECK(!decode_base64("AAEC\nAw=="));
}

TEST(what is encoded decodes to the same bytes) {
  std::mt19937 random{1};
  for (size_t size = 0; size < 200; ++size) {
    std::string bytes;
    for (size_t i = 0; i < size; ++i)
      bytes += static_cast<char>(random());
    CHECK(decoded(encoded(bytes)) == bytes);
    CHECK(url_decoded(url_encoded(bytes)) == bytes);
  }
}
