#include "transports/codec/proxy_header.hpp"

#include <string>
#include <string_view>

#include "tests/support/check.hpp"

using namespace signalbox::codec;
using namespace std::string_literals;

namespace {

using state = proxy_reading::state;

const auto signature = "\r\n\r\n\0\r\nQUIT\n"s;

/// 203.0.113.7 to 10.0.0.1, port 40000 to 8400.
const auto inet = "\xCB\x00\x71\x07\x0A\x00\x00\x01\x9C\x40\x20\xD0"s;

/// 2001:db8::1 to ::1.
const auto inet6 = "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01"s
                   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x9C\x40\x20\xD0"s;

/// A header of version 2: `command` 0x20 is LOCAL, 0x21 PROXY.
std::string v2(char command, char family, const std::string& rest) {
  auto size = rest.size();
  return signature + command + family + static_cast<char>(size >> 8)
         + static_cast<char>(size & 255) + rest;
}

std::string tlv(char type, const std::string& value) {
  return type + std::string{static_cast<char>(value.size() >> 8)}
         + static_cast<char>(value.size() & 255) + value;
}

struct row {
  std::string in;
  state at;
  std::string address = {};
  bool secure = false;
};

void check(const row& x) {
  MESSAGE("of " << x.in.size() << " bytes: " << x.in.substr(0, 60));
  auto out = read_proxy_header(x.in);
  CHECK(out.at == x.at);
  CHECK_EQUAL(out.header.address, x.address);
  CHECK_EQUAL(out.header.secure, x.secure);
  if (out.at == state::done)
    CHECK_EQUAL(out.size, x.in.size());
}

} // namespace

TEST(version 1 names the client or nobody) {
  for (const auto& x : {
         row{"PROXY TCP4 203.0.113.7 10.0.0.1 40000 8400\r\n", state::done,
             "203.0.113.7"},
         row{"PROXY TCP6 2001:db8::1 ::1 0 65535\r\n", state::done,
             "2001:db8::1"},
         row{"PROXY UNKNOWN\r\n", state::done},
         row{"PROXY UNKNOWN ffff::1 whatever it is\r\n", state::done},
       })
    check(x);
}

TEST(version 1 is kept to its form) {
  auto fields = "203.0.113.7 10.0.0.1 40000 8400"s;
  for (const auto& line :
       {"TCP5 "s + fields, "TCP4  " + fields, "tcp4 " + fields,
        "TCP4 " + fields + " ", "TCP4 " + fields + " 1",
        "TCP4 203.0.113.7 10.0.0.1 40000"s,
        "TCP4 203.0.113.7 10.0.0.1 040000 8400"s,
        "TCP4 203.0.113.7 10.0.0.1 65536 8400"s,
        "TCP4 203.0.113.7 10.0.0.1 -1 8400"s, "TCP4 2001:db8::1 ::1 1 2"s,
        "TCP4 <b> 10.0.0.1 1 2"s, "TCP6 fe80::1%eth0 ::1 1 2"s, "UNKNOWNS"s,
        ""s})
    check({"PROXY " + line + "\r\n", state::bad});
  check({"PROXY TCP4 " + fields + "\n", state::bad});
  auto longest = "PROXY UNKNOWN " + std::string(longest_proxy_v1 - 16, 'x');
  check({longest + "\r\n", state::done});
  check({longest + "x\r\n", state::bad});
  check({longest + "xx", state::bad});
}

TEST(version 2 names the client of each family) {
  for (const auto& x : {
         row{v2('\x21', '\x11', inet), state::done, "203.0.113.7"},
         row{v2('\x21', '\x12', inet), state::done, "203.0.113.7"},
         row{v2('\x21', '\x21', inet6), state::done,
             "2001:0db8:0000:0000:0000:0000:0000:0001"},
         row{v2('\x21', '\x31', std::string(216, '/')), state::done},
         row{v2('\x21', '\0', ""), state::done},
         row{v2('\x21', '\0', tlv('\x04', "abc")), state::done},
         row{v2('\x20', '\0', ""), state::done},
         // The family of LOCAL, and what comes with it, mean nothing.
         row{v2('\x20', '\x77', "xy"), state::done},
         row{v2('\x20', '\x11', inet), state::done},
       })
    check(x);
}

TEST(version 2 says whether the client speaks TLS) {
  auto ssl = [](char client) {
    return tlv('\x20', client + std::string(4, '\0') + tlv('\x21', "TLSv1.3"));
  };
  check(
    {v2('\x21', '\x11', inet + ssl('\x01')), state::done, "203.0.113.7", true});
  check({v2('\x21', '\x11', inet + tlv('\x01', "h2") + ssl('\x07')),
         state::done, "203.0.113.7", true});
  check({v2('\x21', '\x11', inet + ssl('\0')), state::done, "203.0.113.7"});
  check({v2('\x21', '\x11', inet + tlv('\x20', "\x01")), state::bad});
}

TEST(a checksum in version 2 must be right) {
  // CRC32c of the header with zeros in its place.
  auto sum = "\x04\x9C\xA2\x93"s;
  auto with = [&] { return v2('\x21', '\x11', inet + tlv('\x03', sum)); };
  check({with(), state::done, "203.0.113.7"});
  sum[3] ^= 1;
  check({with(), state::bad});
  sum.assign(4, '\0');
  check({with(), state::bad});
  check({v2('\x21', '\x11', inet + tlv('\x03', "abc")), state::bad});
}

TEST(version 2 is kept to its form) {
  for (const auto& x : {
         v2('\x11', '\x11', inet),
         v2('\x22', '\x11', inet),
         v2('\x21', '\x41', inet),
         v2('\x21', '\x13', inet),
         v2('\x21', '\x10', inet),
         v2('\x21', '\x11', inet.substr(1)),
         v2('\x21', '\x21', inet6.substr(1)),
         v2('\x21', '\x31', std::string(215, '/')),
         v2('\x21', '\x11', inet + "\x04"),
         v2('\x21', '\x11', inet + "\x04\x00\x02x"s),
         v2('\x21', '\x11', inet + std::string(4096, '\0')),
       })
    check({x, state::bad});
  auto room = longest_proxy_v2 - 16 - inet.size() - 3;
  check({v2('\x21', '\x11', inet + tlv('\x04', std::string(room, 'x'))),
         state::done, "203.0.113.7"});
}

TEST(what is no header is left alone) {
  for (const auto& x :
       {"GET / HTTP/1.1\r\n"s, "POST / HTTP/1.1\r\n"s, "PUT"s, "PROXy "s,
        "\r\nGET"s, "\r\n\r\nGET"s, "\x16\x03\x01"s, "\r\n\r\n\0\r\nQUIT\r\n"s})
    check({x, state::absent});
}

TEST(however a header is cut it asks for no byte behind it) {
  for (const auto& whole :
       {"PROXY TCP4 203.0.113.7 10.0.0.1 40000 8400\r\n"s, "PROXY UNKNOWN\r\n"s,
        v2('\x21', '\x11', inet), v2('\x20', '\0', ""),
        v2('\x21', '\x21', inet6 + tlv('\x04', "abc"))})
    for (size_t cut = 0; cut < whole.size(); ++cut) {
      auto out = read_proxy_header(whole.substr(0, cut));
      CHECK(out.at == state::incomplete);
      CHECK(out.size > cut);
      CHECK(out.size <= whole.size());
    }
}

TEST(what follows a header stays) {
  auto out = read_proxy_header("PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n");
  CHECK(out.at == state::done);
  CHECK_EQUAL(out.size, 15u);
}
