#include "transports/net/peer_port.hpp"

#include "tests/support/basp.hpp"
#include "tests/unit/transports/net/channel_end.hpp"
#include "tests/unit/transports/net/peer_sockets.hpp"

#include <sys/resource.h>
#include <sys/socket.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/check.hpp"

// Real sockets on loopback. Nothing waits for a time to pass but for things to
// happen, at most for `longest_seconds`.

using namespace signalbox;
using net::channel_end;
using net::knock;
using net::mailbox;
using net::peer_port;
using net::socket_end;
using std::chrono::milliseconds;
namespace basp = test::basp;

namespace {

struct dialed {
  channel_end end;
  std::string error = "nothing came";
};

/// One node's port.
struct port {
  explicit port(const peer_port::options& opts) : x(home, opts) {
    error = x.listen(address, [this](std::shared_ptr<net::channel> via) {
      nodes.put(channel_end{home, std::move(via)});
    });
  }

  ~port() {
    close();
  }

  void close() {
    x.close();
    home.call([] {});
  }

  dialed dial(const std::string& to) {
    x.dial(to, [this](std::shared_ptr<net::channel> via, std::string why) {
      dials.put({channel_end{home, std::move(via)}, std::move(why)});
    });
    return dials.take();
  }

  uint16_t number() const {
    return static_cast<uint16_t>(
      std::atoi(address.c_str() + address.rfind(':') + 1));
  }

  net::running_loop home;
  mailbox<channel_end> nodes;
  mailbox<dialed> dials;
  std::string address = "127.0.0.1:0";
  std::string error;
  peer_port x;
};

/// What the node says that dials, and the one that is dialed.
/// A handshake, and the question for a link.
std::string handshake() {
  auto me = basp::id('d');
  return basp::client_handshake(me) + basp::link_open(14, "hello", 21, me);
}

/// The same of the node that was dialed.
std::string answer() {
  auto me = basp::id('a');
  return basp::server_handshake(me) + basp::link_open(14, "hello", 21, me);
}

std::string batch(size_t size) {
  return basp::link_batch(22, 7, 1, std::string(size, 'x'));
}

struct fixture {
  ~fixture() {
    std::filesystem::remove_all(folder);
  }

  /// Makes certificates and returns the context of a node.
  std::shared_ptr<net::tls_context> certified(const std::string& cluster,
                                              const std::string& node) {
    if (folder.empty()) {
      folder = std::filesystem::temp_directory_path() / "signalbox-XXXXXX";
      if (::mkdtemp(folder.data()) == nullptr)
        std::abort();
    }
    auto at = folder + "/" + cluster;
    auto command = std::string{SIGNALBOX_SOURCE}
                   + "/configs/make-cluster-certs " + at + " " + node
                   + " >/dev/null";
    if (std::system(command.c_str()) != 0)
      return nullptr;
    std::string why;
    auto x = net::tls_context::peer(
      at + "/" + node + ".pem", at + "/" + node + ".key", at + "/ca.pem", why);
    CHECK_EQUAL(why, "");
    return x;
  }

  /// Joins two ports and carries something both ways.
  void carry(port& a, port& b) {
    auto out = b.dial(a.address);
    CHECK_EQUAL(out.error, "");
    REQUIRE(out.end.open());
    CHECK(out.end.send(handshake()));
    auto in = a.nodes.take();
    REQUIRE(in.open());
    CHECK_EQUAL(in.read(handshake().size()), handshake());
    CHECK(in.send(answer()));
    CHECK_EQUAL(out.end.read(answer().size()), answer());
    auto large = batch(300000);
    CHECK(out.end.send(large));
    CHECK(in.read(large.size()) == large);
    CHECK(in.send(large));
    CHECK(out.end.read(large.size()) == large);
    out.end.close();
    CHECK(in.ends());
  }

  std::string folder;
  peer_port::options opts;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(peer_port_tests, fixture)

// -- nodes --------------------------------------------------------------------

TEST(two nodes are joined byte for byte) {
  port a{opts};
  port b{opts};
  CHECK_EQUAL(a.error, "");
  CHECK(a.number() != 0);
  carry(a, b);
  carry(b, a);
  CHECK_EQUAL(a.x.counters().accepted, 1u);
  CHECK_EQUAL(a.x.counters().refused, 0u);
  CHECK_EQUAL(a.x.counters().broken, 0u);
}

TEST(who is not there is said) {
  port a{opts};
  std::string nobody;
  {
    port gone{opts};
    nobody = gone.address;
  }
  auto out = a.dial(nobody);
  CHECK(!out.end.open());
  CHECK_EQUAL(out.error, "Connection refused");
  for (const auto* wrong : {"", "host.test:1", "127.0.0.1:70000"})
    CHECK_EQUAL(a.dial(wrong).error,
                std::string{wrong} + " is no address with a port");
  CHECK_EQUAL(a.x.counters().refused, 0u);
}

TEST(an address that is taken is said) {
  port a{opts};
  peer_port b{a.home, opts};
  auto same = a.address;
  CHECK_EQUAL(b.listen(same, [](auto) {}), "Address already in use");
}

TEST(the end of a port ends its connections) {
  port a{opts};
  port b{opts};
  auto out = b.dial(a.address);
  out.end.send(handshake());
  auto in = a.nodes.take();
  auto silent = knock(a.number());
  a.close();
  CHECK(out.end.ends());
  CHECK(in.ends());
  CHECK(silent.ends());
}

// -- with certificates --------------------------------------------------------

TEST(nodes of one authority are joined) {
  opts.tls = certified("one", "a");
  REQUIRE(opts.tls != nullptr);
  port a{opts};
  opts.tls = certified("one", "b");
  port b{opts};
  carry(a, b);
  carry(b, a);
}

TEST(a node of another authority is refused) {
  opts.tls = certified("one", "a");
  REQUIRE(opts.tls != nullptr);
  port a{opts};
  opts.tls = certified("two", "b");
  port b{opts};
  auto out = b.dial(a.address);
  if (out.end.open()) {
    out.end.send(handshake());
    CHECK(out.end.ends());
  }
  MESSAGE("nor is one that speaks no TLS");
  opts.tls = nullptr;
  port c{opts};
  auto plain = c.dial(a.address);
  REQUIRE(plain.end.open());
  plain.end.send(handshake());
  CHECK(plain.end.ends());
  CHECK(a.nodes.empty());
  CHECK_EQUAL(a.x.counters().accepted, 2u);
  CHECK_EQUAL(a.x.counters().refused, 2u);
}

TEST(a handshake that fails harms no other connection) {
  opts.tls = certified("one", "a");
  REQUIRE(opts.tls != nullptr);
  port a{opts};
  opts.tls = certified("one", "b");
  port b{opts};
  auto out = b.dial(a.address);
  out.end.send(handshake());
  auto in = a.nodes.take();
  REQUIRE(in.open());
  CHECK_EQUAL(in.read(handshake().size()), handshake());
  in.send(answer());
  CHECK_EQUAL(out.end.read(answer().size()), answer());
  for (const auto* words :
       {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff nothing of the kind",
        "\x80\x80"}) {
    auto stranger = knock(a.number());
    stranger.send(words);
    ::shutdown(stranger.fd(), SHUT_WR);
    CHECK(stranger.ends());
    auto more = batch(10);
    CHECK(out.end.send(more));
    CHECK(in.read(more.size()) == more);
    CHECK(in.send(more));
    CHECK(out.end.read(more.size()) == more);
  }
  CHECK_EQUAL(a.x.counters().refused, 3u);
}

// -- strangers ----------------------------------------------------------------

TEST(who says nothing or not enough is closed in time) {
  opts.patience = milliseconds{300};
  port a{opts};
  auto silent = knock(a.number());
  MESSAGE("a byte makes no node, nor does half a handshake");
  auto slow = knock(a.number());
  slow.send(handshake().substr(0, 1));
  auto half = knock(a.number());
  half.send(handshake().substr(0, 63));
  CHECK(silent.ends());
  CHECK(slow.ends());
  CHECK(half.ends());
  CHECK_EQUAL(a.x.counters().refused, 3u);
  MESSAGE("nor does one that greets and asks for no link");
  auto greeted = knock(a.number());
  greeted.send(basp::client_handshake(basp::id('d')));
  CHECK(greeted.ends());
  CHECK_EQUAL(a.x.counters().refused, 4u);
  MESSAGE("a node may be silent as long as CAF lets it");
  auto node = knock(a.number());
  node.send(handshake());
  auto later = knock(a.number());
  CHECK(later.ends());
  CHECK(node.quiet());
}

TEST(who is dialed and says nothing is closed in time) {
  opts.patience = milliseconds{300};
  port a{opts};
  auto listening = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  REQUIRE(::bind(listening, reinterpret_cast<sockaddr*>(&at), size) == 0);
  REQUIRE(::listen(listening, 1) == 0);
  ::getsockname(listening, reinterpret_cast<sockaddr*>(&at), &size);
  auto out = a.dial("127.0.0.1:" + std::to_string(ntohs(at.sin_port)));
  if (out.end.open())
    CHECK(out.end.ends());
  ::close(listening);
}

TEST(other protocols are cut off at once) {
  port a{opts};
  auto stranger = knock(a.number());
  stranger.send("GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n");
  CHECK(stranger.ends());
  CHECK_EQUAL(a.x.counters().broken, 1u);
}

TEST(a length that is too large cuts the connection off) {
  opts.max_message = 1000;
  opts.max_batch = 5000;
  port a{opts};
  auto first = knock(a.number());
  first.send(
    basp::message(1, 0, 0, 0, 0, std::string(1001, 'x')).substr(0, 32));
  CHECK(first.ends());
  CHECK_EQUAL(a.x.counters().broken, 1u);
  auto second = knock(a.number());
  second.send(handshake());
  auto in = a.nodes.take();
  REQUIRE(in.open());
  auto whole = batch(4945);
  CHECK_EQUAL(whole.size(), 5032u);
  second.send(whole);
  CHECK_EQUAL(in.read(64 + 5032).size(), 64u + 5032u);
  CHECK(second.quiet());
  second.send(batch(4946).substr(0, 32));
  CHECK(second.ends());
  CHECK(in.ends());
  CHECK_EQUAL(a.x.counters().broken, 2u);
}

TEST(a message that no node sends cuts the connection off) {
  port a{opts};
  port b{opts};
  auto empty = knock(a.number());
  empty.send(basp::message(1, 0, 0, 0, 0, {}));
  CHECK(empty.ends());
  MESSAGE("on both sides");
  auto out = b.dial(a.address);
  out.end.send(handshake());
  auto in = a.nodes.take();
  REQUIRE(in.open());
  in.send(answer());
  CHECK_EQUAL(out.end.read(answer().size()), answer());
  in.send(handshake());
  CHECK(out.end.ends());
  CHECK_EQUAL(a.x.counters().broken, 1u);
  CHECK_EQUAL(b.x.counters().broken, 1u);
}

TEST(of too many strangers the oldest goes) {
  opts.strangers = 2;
  port a{opts};
  MESSAGE("a node counts no more, and neither does one that is dialed");
  auto node = knock(a.number());
  node.send(handshake());
  auto in = a.nodes.take();
  REQUIRE(in.open());
  port b{opts};
  auto out = a.dial(b.address);
  REQUIRE(out.end.open());
  auto oldest = knock(a.number());
  auto second = knock(a.number());
  second.send(handshake().substr(0, 40));
  auto third = knock(a.number());
  CHECK(oldest.ends());
  auto fourth = knock(a.number());
  CHECK(second.ends());
  CHECK(third.quiet());
  CHECK(fourth.quiet());
  CHECK(node.quiet());
  CHECK(out.end.quiet());
  CHECK_EQUAL(a.x.counters().refused, 2u);
}

TEST(accepting rests while no descriptor is left) {
  port a{opts};
  auto fd = ::socket(AF_INET, SOCK_STREAM, 0);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  auto next = ::dup(0);
  ::close(next);
  auto none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  ::setrlimit(RLIMIT_NOFILE, &none);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(a.number());
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) == 0);
  auto cpu = [] {
    rusage x{};
    ::getrusage(RUSAGE_SELF, &x);
    return (x.ru_utime.tv_sec + x.ru_stime.tv_sec) * 1000
           + (x.ru_utime.tv_usec + x.ru_stime.tv_usec) / 1000;
  };
  auto used = cpu();
  // Half a second in which the port must not spin.
  timeval half{0, 500000};
  ::select(0, nullptr, nullptr, nullptr, &half);
  used = cpu() - used;
  MESSAGE(used << " ms of CPU");
  CHECK(used < 250);
  CHECK(a.nodes.empty());
  ::setrlimit(RLIMIT_NOFILE, &before);
  socket_end waiting{fd};
  waiting.send(handshake());
  CHECK(a.nodes.take().open());
}

CAF_TEST_FIXTURE_SCOPE_END()
