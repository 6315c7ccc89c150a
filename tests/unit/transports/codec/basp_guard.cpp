#include "transports/codec/basp_guard.hpp"

#include <string>
#include <string_view>

#include "tests/support/check.hpp"

using signalbox::codec::basp_guard;

namespace {

constexpr size_t most_handshake = 100;
constexpr size_t most_payload = 1000;

/// A message of BASP: 32 bytes of header and what it announces.
std::string message(unsigned type, uint32_t announced, size_t payload) {
  std::string out(32, '\0');
  out[0] = static_cast<char>(type);
  for (size_t i = 0; i < 4; ++i)
    out[4 + i] = static_cast<char>(announced >> (24 - 8 * i));
  return out.append(payload, 'x');
}

std::string message(unsigned type, uint32_t size) {
  return message(type, size, size);
}

struct fixture {
  /// Takes all at once, or byte by byte.
  bool take(std::string_view bytes, size_t piece = std::string_view::npos) {
    while (!bytes.empty()) {
      if (!x.take(bytes.substr(0, piece)))
        return false;
      bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    return true;
  }

  basp_guard x{most_handshake, most_payload};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(basp_guard_tests, fixture)

TEST(a handshake and messages pass however they are cut) {
  auto all = message(0, 60) + message(2, 1000) + message(6, 0) + message(3, 1);
  for (size_t piece :
       {std::string::npos, size_t{1}, size_t{7}, size_t{32}, size_t{33}}) {
    x = {most_handshake, most_payload};
    CHECK(take(all, piece));
    CHECK(x.greeted());
  }
}

TEST(who has not sent a whole handshake has not greeted) {
  auto first = message(1, 40);
  for (size_t n = 0; n < first.size(); ++n) {
    x = {most_handshake, most_payload};
    CHECK(take(first.substr(0, n)));
    CHECK(!x.greeted());
  }
  CHECK(take(first.substr(first.size() - 1)));
  CHECK(x.greeted());
  MESSAGE("and has for good");
  CHECK(take(message(2, 500).substr(0, 40)));
  CHECK(x.greeted());
  MESSAGE("one without a payload is whole with its header");
  x = {most_handshake, most_payload};
  CHECK(take(message(0, 0)));
  CHECK(x.greeted());
}

TEST(the first message is a handshake) {
  for (unsigned type = 0; type < 256; ++type) {
    x = {most_handshake, most_payload};
    CHECK_EQUAL(take(message(type, 0)), type <= 1);
  }
}

TEST(later messages are of known types) {
  for (unsigned type = 0; type < 256; ++type) {
    x = {most_handshake, most_payload};
    CHECK(take(message(0, 0)));
    CHECK_EQUAL(take(message(type, 0)), type <= 6);
  }
}

TEST(lengths are bounded before anything of them comes) {
  CHECK(take(message(0, most_handshake)));
  CHECK(take(message(2, most_payload)));
  CHECK(!take(message(2, most_payload + 1, 0)));
  x = {most_handshake, most_payload};
  CHECK(!take(message(0, most_handshake + 1, 0)));
  x = {most_handshake, most_payload};
  CHECK(!take(message(0, 0xffffffff, 0)));
  x = {most_handshake, most_payload};
  CHECK(take(message(0, 1)));
  CHECK(!take(message(2, 0x80000000, 0)));
}

TEST(other protocols are recognised by their first bytes) {
  for (const auto* text : {"GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
                           "\x16\x03\x01\x02 a TLS hello of some length, far",
                           "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"}) {
    x = {most_handshake, most_payload};
    CHECK(!take(text, 1));
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
