#include "transports/codec/utf8.hpp"

#include <string>

#include "tests/support/check.hpp"

using namespace signalbox::codec;
using namespace std::string_literals;

namespace {

std::string utf8(char32_t c) {
  std::string out;
  append_utf8(c, out);
  return out;
}

bool is_surrogate(char32_t c) {
  return c >= 0xD800 && c <= 0xDFFF;
}

const std::string invalid[] = {
  "\x80"s,             // a continuation alone
  "\xBF"s,             //
  "\xC0\x80"s,         // overlong NUL
  "\xC1\xBF"s,         // overlong U+007F
  "\xE0\x9F\xBF"s,     // overlong U+07FF
  "\xF0\x8F\xBF\xBF"s, // overlong U+FFFF
  "\xED\xA0\x80"s,     // U+D800
  "\xED\xBF\xBF"s,     // U+DFFF
  "\xF4\x90\x80\x80"s, // U+110000
  "\xF5\x80\x80\x80"s, // beyond any plane
  "\xFE"s,             //
  "\xFF"s,             //
  "\xC3(\xC3"s,        // a character cut by ASCII
  "\xE2\x82 "s,        //
};

} // namespace

TEST(every Unicode scalar value is valid and survives a round trip) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (is_surrogate(c))
      continue;
    auto text = utf8(c);
    auto ok = valid_utf8(text) && utf8_length(text) == text.size()
              && decode_utf8(text) == c;
    if (!ok)
      CHECK_EQUAL(static_cast<uint32_t>(c), 0u);
  }
}

TEST(encodings of surrogates are invalid) {
  for (char32_t c = 0xD800; c <= 0xDFFF; ++c)
    if (valid_utf8(utf8(c)) || utf8_length(utf8(c)) != 0)
      CHECK_EQUAL(static_cast<uint32_t>(c), 0u);
}

TEST(malformed text is refused wherever it stands) {
  for (const auto& bytes : invalid) {
    for (size_t shift = 0; shift < 17; ++shift) {
      auto before = std::string(shift, 'x');
      CHECK(!valid_utf8(before + bytes));
      CHECK(!valid_utf8(before + bytes + "xxxxxxxxxxxxxxxx"));
    }
  }
}

TEST(a character cut short is refused) {
  for (auto c : {U'\u00E9', U'\u20AC', U'\U0001F600'}) {
    auto text = utf8(c);
    for (size_t size = 1; size < text.size(); ++size) {
      CHECK(!valid_utf8(text.substr(0, size)));
      CHECK_EQUAL(utf8_length(text.substr(0, size)), 0u);
    }
  }
}

TEST(the empty text is valid and has no character) {
  CHECK(valid_utf8(""));
  CHECK_EQUAL(utf8_length(""), 0u);
}

TEST(the checker accepts pieces cut anywhere) {
  auto text = "abcdefgh \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 tail"s;
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    utf8_checker checker;
    CHECK(checker.feed(std::string_view{text}.substr(0, cut)));
    CHECK(checker.feed(""));
    CHECK(checker.feed(std::string_view{text}.substr(cut)));
    CHECK(checker.complete());
  }
}

TEST(the checker refuses what was begun in an earlier piece) {
  utf8_checker checker;
  CHECK(checker.feed("\xED"));
  CHECK(!checker.complete());
  CHECK(!checker.feed("\xA0"));
}

TEST(the checker forgets a cut character on reset) {
  utf8_checker checker;
  CHECK(checker.feed("\xF0\x9F"));
  checker.reset();
  CHECK(checker.complete());
  CHECK(checker.feed("plain"));
}
