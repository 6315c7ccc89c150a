#include "transports/codec/basp_guard.hpp"

#include "tests/support/basp.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/check.hpp"

using signalbox::codec::basp_guard;
namespace basp = signalbox::test::basp;

namespace {

constexpr size_t most_message = 300;
constexpr size_t most_batch = 1000;

const std::string me = basp::id('m');
const std::string peer = basp::id('p');
const std::string third = basp::id('t');

struct fixture {
  void begin(bool dialer = true) {
    x = basp_guard{{dialer, me, most_message, most_batch}};
  }

  /// Takes all at once, or in pieces.
  bool take(std::string_view bytes, size_t piece = std::string_view::npos) {
    while (!bytes.empty()) {
      if (!x.take(bytes.substr(0, piece)))
        return false;
      bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    return true;
  }

  /// Returns whether a node that has greeted and asked for a link may say this.
  bool passes(std::string_view bytes) {
    begin();
    CHECK(take(basp::client_handshake(peer)));
    CHECK(take(basp::link_open(14, "hello", 21, peer)));
    return take(bytes);
  }

  basp_guard x{{true, me, most_message, most_batch}};
};

/// All that a node says which dials.
std::string session() {
  using namespace basp;
  return client_handshake(peer) + selection(peer) + spawn_question()
         + monitor(peer, me, 14) + link_open(14, "hello", 21, peer)
         + link_batch(22, 7, 0, "")
         + link_batch(22, 7, 1, std::string(800, 'x')) + heartbeat()
         + down(peer, me, 21)
         + down(peer, me, 22, "\x08@<>+@str" + text("bad_alloc"));
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(basp_guard_tests, fixture)

TEST(what two nodes say passes however it is cut) {
  for (size_t piece :
       {std::string::npos, size_t{1}, size_t{7}, size_t{32}, size_t{33}}) {
    begin();
    CHECK(take(session(), piece));
    CHECK(x.greeted());
  }
  MESSAGE("and so does one that was dialed");
  begin(false);
  CHECK(take(basp::server_handshake(peer) + session().substr(2 * 64), 5));
}

TEST(who has not sent a whole handshake has not greeted) {
  auto first = basp::client_handshake(peer);
  for (size_t n = 0; n < first.size(); ++n) {
    begin();
    CHECK(take(first.substr(0, n)));
    CHECK(!x.greeted());
  }
  CHECK(take(first.substr(first.size() - 1)));
  CHECK(x.greeted());
}

TEST(a handshake without a payload is refused) {
  // CAF reads the payload that is not there.
  CHECK(!take(basp::message(1, 0, 0, 0, 0, {})));
  begin(false);
  CHECK(!take(basp::message(0, 0, 3, 0, 0, {})));
  CHECK(!passes(basp::message(1, 2, 0, 0, 0, {})));
  CHECK_EQUAL(x.trouble(), std::string{"a message of a wrong size"});
}

TEST(a link comes before its batches) {
  using namespace basp;
  CHECK(take(client_handshake(peer)));
  CHECK(!x.opened());
  CHECK(!take(link_batch(22, 7, 0, "")));
  begin();
  CHECK(take(client_handshake(peer) + link_open(14, "hello", 21, peer)));
  CHECK(x.opened());
  CHECK(take(link_batch(22, 7, 0, "")));
  MESSAGE("but the node that was dialed may refuse the link by one");
  begin(false);
  CHECK(take(server_handshake(peer)));
  CHECK(take(link_batch(22, 7, 0, "")));
}

TEST(a handshake comes first and as often as it should) {
  using namespace basp;
  CHECK(!take(heartbeat()));
  begin();
  CHECK(!take(link_batch(22, 7, 0, "")));
  begin();
  CHECK(!take(server_handshake(peer)));
  begin(false);
  CHECK(!take(client_handshake(peer)));
  MESSAGE("the choice is the second one, and once");
  begin();
  CHECK(!take(selection(peer)));
  CHECK(!passes(client_handshake(peer)));
  CHECK(passes(heartbeat() + selection(peer)));
  CHECK(!passes(selection(peer) + selection(peer)));
  MESSAGE("by the same node");
  CHECK(!passes(selection(third)));
  CHECK(!passes(server_handshake(peer)));
  begin(false);
  CHECK(take(server_handshake(peer)));
  CHECK(!take(server_handshake(peer)));
}

TEST(a handshake names a process) {
  using namespace basp;
  auto name = [](const std::string& node) {
    return message(1, 0, 0, 0, 0, node);
  };
  auto uri = number(0x3ad9, 8) + text("file:///x");
  for (const auto& wrong :
       {number(0, 8), uri, peer.substr(0, 31), peer + "x",
        peer.substr(0, 8) + number(0, 4) + std::string(20, 'p'),
        peer.substr(0, 12) + std::string(20, '\0')}) {
    begin();
    CHECK(!take(name(wrong)));
  }
  MESSAGE("that of a node which was dialed has more, and nothing beyond");
  auto all = server_handshake(peer).substr(32);
  for (size_t n = 0; n < all.size(); ++n) {
    begin(false);
    CHECK(!take(message(0, 0, 3, 0, 0, all.substr(0, n))));
  }
  begin(false);
  CHECK(!take(message(0, 0, 3, 0, 0, all + "x")));
  MESSAGE("a list may not announce what is not there");
  begin(false);
  CHECK(!take(message(0, 0, 3, 0, 0, peer + "\xff\xff\xff\xff\x0f")));
  begin(false);
  CHECK(!take(message(0, 0, 3, 0, 0, peer + std::string(100, '\xff'))));
}

TEST(no field of a header may be another) {
  using namespace basp;
  struct sample {
    std::string good;
    /// Where the number of an actor stands, which is for CAF to know.
    size_t actor;
  };
  constexpr size_t none = 32;
  constexpr size_t source = 16;
  constexpr size_t target = 24;
  for (const auto& [good, actor] :
       {sample{client_handshake(peer), none}, sample{selection(peer), none},
        sample{heartbeat(), none}, sample{spawn_question(), source},
        sample{monitor(peer, me, 14), target},
        sample{link_open(14, "hello", 21, peer), target},
        sample{link_batch(22, 7, 1, "items"), target},
        sample{down(peer, me, 21), source}})
    for (size_t at = 0; at < 32; ++at) {
      auto bad = good;
      bad[at] ^= 0x10;
      // A larger size is found wrong once as much has come.
      bad.append(0x100000, '\0');
      if (at >= actor && at < actor + 8)
        continue;
      begin();
      if (good != client_handshake(peer))
        CHECK(take(client_handshake(peer)));
      CHECK(!take(bad));
    }
}

TEST(types of messages that no node sends are refused) {
  for (unsigned type = 0; type < 256; ++type)
    CHECK(!passes(basp::message(type, 0, 0, 0, 0, "x")));
  MESSAGE("nodes have no third one between them");
  using namespace basp;
  CHECK(!passes(message(3, 0, asynchronous, 0, 14,
                        third + me + link_batch(22, 7, 0, "").substr(32))));
}

TEST(values are those of links) {
  using namespace basp;
  MESSAGE("of which CAF would allocate what they announce, or never end");
  for (const auto* type :
       {"@charbuf", "@strvec", "@message", "@config_value", "@str", "@exit",
        "@down", "@group", "@u16str", "@error", "@actor", "@open_stream_msg",
        "signalbox::api_call", "signalbox::link_openx",
        "signalbox::link_batch+@str"})
    CHECK(!passes(direct(14, type, "\xff\xff\xff\xff\x0f")));
  CHECK(!passes(direct(14, "", "")));
  CHECK(!passes(message(2, 0, asynchronous, 0, 14, "x")));
  MESSAGE("a forwarding stack, or a type by number");
  auto batch = link_batch(22, 7, 0, "").substr(32);
  CHECK(passes(message(2, 0, asynchronous, 0, 22, batch)));
  for (size_t at : {0, 1, 2}) {
    auto bad = batch;
    bad[at] = 1;
    CHECK(!passes(message(2, 0, asynchronous, 0, 22, bad)));
  }
  MESSAGE("a request would be answered, a sender be given a proxy");
  CHECK(!passes(message(2, 0, asynchronous + 1, 0, 22, batch)));
  CHECK(!passes(message(2, 0, 0x8000000000000001, 0, 22, batch)));
  CHECK(!passes(message(2, 0, asynchronous, 9, 22, batch)));
  MESSAGE("none is for an actor by name but the one question");
  CHECK(!passes(message(2, 1, asynchronous, 20, 0x3ddd66f3376adfb, batch)));
  CHECK(
    !passes(message(2, 1, asynchronous, 20, 14, spawn_question().substr(32))));
}

TEST(values end where their message does) {
  using namespace basp;
  for (const auto& good :
       {link_open(14, "hello", 21, peer), link_batch(22, 7, 1, "items"),
        link_batch(22, 7, 1, std::string(200, 'x')), monitor(peer, me, 14),
        down(peer, me, 21)}) {
    auto target = good[0] == 2 ? 22 : good[0] == 4 ? 14 : 0;
    auto source = good[0] == 5 ? 21 : 0;
    auto data = good[0] == 2 ? asynchronous : 0;
    auto payload = good.substr(32);
    auto say = [&](std::string_view what) {
      return message(static_cast<unsigned>(good[0]), 0, data, source, target,
                     what);
    };
    CHECK(passes(say(payload)));
    for (size_t n = 1; n < payload.size(); ++n)
      CHECK(!passes(say(std::string_view{payload}.substr(0, n))));
    CHECK(!passes(say(payload + "x")));
  }
}

TEST(actors are those of the node that speaks) {
  using namespace basp;
  CHECK(!passes(link_open(14, "hello", 21, third)));
  CHECK(!passes(link_open(14, "hello", 21, me)));
  CHECK(!passes(link_open(14, "hello", 0, peer)));
  CHECK(!passes(monitor(third, me, 14)));
  CHECK(!passes(monitor(peer, third, 14)));
  CHECK(!passes(down(third, me, 21)));
  CHECK(!passes(down(peer, third, 21)));
  MESSAGE("a node that dials itself finds out by the handshake");
  begin();
  CHECK(take(client_handshake(me) + selection(me) + spawn_question()
             + heartbeat()));
  CHECK(!take(link_batch(22, 7, 0, "")));
  begin();
  CHECK(take(client_handshake(me)));
  CHECK(!take(monitor(me, me, 14)));
}

TEST(a reason has texts at most) {
  using namespace basp;
  CHECK(
    passes(down(peer, me, 21, text("@<>+@str+@str") + text("a") + text(""))));
  for (const auto& wrong :
       {text("@<>+@str"), text("@<>+@str") + "\x05" + "abc",
        text("@<>+@str") + text("a") + "x", text("@<>+@message") + text("@<>"),
        text("@<>+@charbuf") + "\xff\xff\xff\xff\x0f", text("@<>+"), text("@<"),
        text("@<>+@strvec") + "\0", std::string{"\x03@<"}})
    CHECK(!passes(down(peer, me, 21, wrong)));
}

TEST(sizes are bounded before anything of them comes) {
  using namespace basp;
  auto head = [](unsigned type, uint32_t size, uint64_t data, uint64_t source,
                 uint64_t target) {
    auto out = message(type, 0, data, source, target, "");
    return out.replace(4, 4, number(size, 4));
  };
  CHECK(passes(link_batch(22, 7, 1, std::string(most_batch - 55, 'x'))));
  CHECK(!passes(link_batch(22, 7, 1, std::string(most_batch - 54, 'x'))));
  CHECK(!passes(head(2, most_batch + 1, asynchronous, 0, 22)));
  CHECK(!passes(head(2, 0xffffffff, asynchronous, 0, 22)));
  CHECK(!passes(head(4, most_message + 1, 0, 0, 14)));
  CHECK(!passes(head(5, 0x80000000, 0, 21, 0)));
  begin();
  CHECK(!take(head(1, most_message + 1, 0, 0, 0)));
  MESSAGE("of what is no batch as soon as that is known");
  CHECK(passes(link_open(14, std::string(200, 'x'), 21, peer)));
  CHECK(!passes(link_open(14, std::string(300, 'x'), 21, peer).substr(0, 200)));
  CHECK_EQUAL(x.trouble(), std::string{"a message is too large"});
}

TEST(other protocols are recognised by their first bytes) {
  for (const auto* text : {"GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
                           "\x16\x03\x01\x02 a TLS hello of some length, far",
                           "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"}) {
    begin();
    CHECK(!take(text, 1));
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
