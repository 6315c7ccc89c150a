#include "transports/codec/reply_reader.hpp"

#include <string>
#include <string_view>

#include "tests/support/check.hpp"

using signalbox::codec::reply_reader;
using state = reply_reader::state;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\n"
                       "Content-Type: text/plain\r\n"
                       "Content-Length: 2\r\n\r\n"
                       "ok";

/// Reads a reply in pieces of a size; `ends` says that the connection ends
/// behind it.
struct outcome {
  explicit outcome(std::string_view bytes, bool ends = false,
                   size_t piece = std::string_view::npos,
                   reply_reader::limits bounds = {})
    : reader(bounds) {
    while (!bytes.empty() && reader.at() != state::complete
           && reader.at() != state::bad) {
      auto part = bytes.substr(0, piece);
      auto n = reader.take(part);
      taken += n;
      bytes.remove_prefix(n);
      if (n < part.size())
        break;
    }
    if (ends)
      reader.end();
  }

  bool complete() const {
    return reader.at() == state::complete;
  }

  reply_reader reader;
  size_t taken = 0;
};

std::string with(std::string_view head, std::string_view body = {}) {
  return std::string{head} + "\r\n\r\n" + std::string{body};
}

std::string fault(std::string_view bytes, bool ends = false) {
  outcome x{bytes, ends};
  CHECK(x.reader.at() == state::bad);
  CHECK(!x.reader.keeps());
  return std::string{x.reader.fault()};
}

/// Whether a reply with that head and the body "ok" is taken, and its
/// connection kept.
std::string taken(const std::string& head, bool ends = false) {
  outcome x{with(head, "ok"), ends};
  if (!x.complete())
    return "no";
  CHECK_EQUAL(x.reader.body(), "ok");
  return x.reader.keeps() ? "kept" : "once";
}

} // namespace

TEST(a reply ends with its body) {
  outcome x{ok + "HTTP/1.1 200 OK\r\n"};
  CHECK(x.complete());
  CHECK_EQUAL(x.taken, ok.size());
  CHECK_EQUAL(x.reader.status(), 200u);
  CHECK_EQUAL(x.reader.content_type(), "text/plain");
  CHECK_EQUAL(x.reader.body(), "ok");
  CHECK(x.reader.keeps());
}

TEST(pieces of any size say the same) {
  for (size_t piece = 1; piece < ok.size(); ++piece) {
    outcome x{ok, false, piece};
    CHECK(x.complete());
    CHECK(x.reader.keeps());
    CHECK_EQUAL(x.reader.body(), "ok");
  }
}

TEST(interim answers are passed over) {
  std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  outcome x{"HTTP/1.1 100 Continue\r\n\r\n" + interim + interim + ok};
  CHECK(x.complete());
  CHECK_EQUAL(x.reader.status(), 200u);
  CHECK(x.reader.keeps());
  MESSAGE("their lengths and types are none");
  outcome y{"HTTP/1.1 103 Hm\r\nContent-Length: 9\r\nContent-Type: a/b\r\n\r\n"
            "HTTP/1.1 204 No\r\n\r\n"};
  CHECK(y.complete());
  CHECK(!y.reader.keeps());
  CHECK_EQUAL(y.reader.content_type(), "");
  MESSAGE("they have an end");
  std::string many;
  for (auto i = 0; i < 500; ++i)
    many += interim;
  outcome z{many};
  CHECK(z.reader.at() == state::bad);
  CHECK(z.reader.too_large());
  MESSAGE("another protocol was not asked for");
  CHECK(fault("HTTP/1.1 101 Switching\r\n\r\n").find("another protocol")
        != std::string::npos);
}

TEST(a reply without a length ends with its connection) {
  outcome x{with("HTTP/1.1 200 OK", "all of it"), true};
  CHECK(x.complete());
  CHECK_EQUAL(x.reader.body(), "all of it");
  CHECK(!x.reader.keeps());
}

TEST(a connection that ends early leaves no reply) {
  for (size_t n = 1; n < ok.size(); ++n)
    CHECK_EQUAL(fault(ok.substr(0, n), true),
                "connection closed before the reply was complete");
  CHECK_EQUAL(fault("", true), "connection closed without a reply");
}

TEST(first lines are those that most clients take) {
  for (const auto* line : {"HTTP/1.1 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 ",
                           "HTTP/1.1 200 Tr\xE8s bien 1 2 3"})
    CHECK_EQUAL(taken(std::string{line} + "\r\nContent-Length: 2"), "kept");
  for (const auto* line :
       {"HTTP/1.0 200 OK", "HTTP/2.0 200 OK", "HTTP/1.1  200 OK"})
    CHECK_EQUAL(taken(std::string{line} + "\r\nContent-Length: 2"), "once");
  CHECK_EQUAL(taken("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
                    "Content-Length: 2"),
              "kept");
  for (const auto* line :
       {"HTTP/1.2 200 OK", "HTTP/0.9 200 OK", "http/1.1 200 OK",
        "HTTP/1.1\t200 OK", " HTTP/1.1 200 OK", "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK", "HTTP/1.1 20O OK", "HTTP/1.1 099 OK",
        "HTTP/1.1 200OK", "HTTP/1.1200 OK", "ICY 200 OK", "HTTP/1.1", "HTTP/",
        "", "\r\nHTTP/1.1 200 OK", "{\"ok\":true}"})
    CHECK_EQUAL(taken(std::string{line} + "\r\nContent-Length: 2"), "no");
}

TEST(another protocol is told at once) {
  CHECK(fault("\x15\x03\x01").find("https://") != std::string::npos);
  CHECK(fault("SSH-2.0").find("HTTP/") != std::string::npos);
}

TEST(odd header lines are taken once) {
  const std::string start = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n";
  for (const auto* line : {"X: 1", "X:", "X:\t1 ", "X: J\xFCrgen", "Y:1"})
    CHECK_EQUAL(taken(start + line), "kept");
  for (const auto* line :
       {"X: 1\r\n more", "X: 1\r\n\tmore", ": nameless", "X : 1", "X Y: 1",
        "X: a\x01", "X: a\rb", "Connection: close", "connection: a, CLOSE"})
    CHECK_EQUAL(taken(start + line), "once");
  for (const auto* line : {"no colon", "X: a\0b"})
    CHECK_EQUAL(taken(start + std::string(line, line[0] == 'n' ? 8 : 6)), "no");
  CHECK_EQUAL(taken("HTTP/1.1 200 OK\r\n folded: first\r\nContent-Length: 2"),
              "no");
  MESSAGE("and lines that end with LF");
  std::string text = ok;
  for (auto i = text.find('\r'); i != text.npos; i = text.find('\r'))
    text.erase(i, 1);
  outcome x{text};
  CHECK(x.complete());
  CHECK(!x.reader.keeps());
}

TEST(a folded value goes on with a space) {
  outcome x{"HTTP/1.1 204 OK\r\nContent-Type:\r\n  a/b;\r\n c=d\r\n\r\n"};
  CHECK(x.complete());
  CHECK_EQUAL(x.reader.content_type(), "a/b; c=d");
}

TEST(lengths are plain or doubtful or refused) {
  auto length = [](const std::string& x) {
    return taken("HTTP/1.1 200 OK\r\nContent-Length: " + x);
  };
  for (const auto* x : {"2", "  2\t"})
    CHECK_EQUAL(length(x), "kept");
  for (const auto* x : {"02", "+2", "2\r\nContent-Length: 2"})
    CHECK_EQUAL(length(x), "once");
  for (const auto* x :
       {"", "-2", "0x2", "2x", "2, 2", "2\r\nContent-Length: 3", "two",
        "99999999999999999999", "18446744073709551618", "++2", "2 2"})
    CHECK_EQUAL(length(x), "no");
}

TEST(chunks are put together) {
  const std::string start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: ";
  auto chunked = [&](const std::string& body,
                     const std::string& coding = "chunked") {
    outcome x{with(start + coding, body)};
    if (!x.complete())
      return std::string{"no"};
    return x.reader.body() + (x.reader.keeps() ? " kept" : " once");
  };
  CHECK_EQUAL(chunked("2\r\nok\r\n0\r\n\r\n"), "ok kept");
  CHECK_EQUAL(chunked("1\r\no\r\n01\r\nk\r\n00\r\n\r\n"), "ok kept");
  CHECK_EQUAL(chunked("A;x=\"y\"\r\n0123456789\r\n0\r\nT: r\r\n\r\n"),
              "0123456789 kept");
  CHECK_EQUAL(chunked("2\r\nok\r\n0\r\n\r\n", "Chunked"), "ok kept");
  CHECK_EQUAL(chunked("2 ;x\r\nok\r\n0\r\n\r\n"), "ok once");
  CHECK_EQUAL(chunked("2\r\nok\r\n0\r\n\r\n", "chunked\r\nContent-Length: 9"),
              "ok once");
  CHECK_EQUAL(
    chunked("2\r\nok\r\n0\r\n\r\n", "chunked\r\nTransfer-Encoding: chunked"),
    "ok once");
  for (const auto* body :
       {"2\nok\r\n0\r\n\r\n", "2\r\nokk\r\n0\r\n\r\n", "z\r\nok\r\n0\r\n\r\n",
        "-2\r\nok\r\n0\r\n\r\n", "\r\nok\r\n0\r\n\r\n", "2\r\nok\n0\r\n\r\n",
        "11111111111111111\r\nok\r\n", "2\r\nok\r\n0\r\n", "2\r\nok\r\n"})
    CHECK_EQUAL(chunked(body), "no");
}

TEST(a body that has none is none) {
  for (const auto* status : {"204 No Content", "304 Not Modified"}) {
    outcome x{
      with(std::string{"HTTP/1.1 "} + status + "\r\nContent-Length: 2", "ok")};
    CHECK(x.complete());
    CHECK_EQUAL(x.reader.body(), "");
    CHECK(x.reader.bodyless());
    MESSAGE("what follows is no part of it");
    CHECK(
      x.taken + 2
      == with(std::string{"HTTP/1.1 "} + status + "\r\nContent-Length: 2", "ok")
           .size());
  }
}

TEST(a reply is kept within its limits) {
  reply_reader::limits bounds{100, 10};
  auto at = [&](const std::string& bytes, bool ends = false) {
    outcome x{bytes, ends, 7, bounds};
    return x.complete()           ? "complete"
           : x.reader.too_large() ? "too large"
                                  : "else";
  };
  auto sized = [](size_t n) {
    return with("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(n),
                std::string(n, 'x'));
  };
  CHECK_EQUAL(at(sized(10)), "complete");
  CHECK_EQUAL(at(sized(11)), "too large");
  CHECK_EQUAL(at(with("HTTP/1.1 200 OK", std::string(10, 'x')), true),
              "complete");
  CHECK_EQUAL(at(with("HTTP/1.1 200 OK", std::string(11, 'x')), true),
              "too large");
  auto chunks = [](const std::string& parts) {
    return with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", parts);
  };
  CHECK_EQUAL(at(chunks("5\r\nabcde\r\n5\r\nabcde\r\n0\r\n\r\n")), "complete");
  CHECK_EQUAL(at(chunks("5\r\nabcde\r\n6\r\nabcdef\r\n0\r\n\r\n")),
              "too large");
  CHECK_EQUAL(at(with("HTTP/1.1 204 No Content\r\nX: " + std::string(68, 'x'))),
              "complete");
  CHECK_EQUAL(at(with("HTTP/1.1 204 No Content\r\nX: " + std::string(69, 'x'))),
              "too large");
  CHECK_EQUAL(at("HTTP/1.1 " + std::string(200, '2')), "too large");
  CHECK_EQUAL(at(chunks("1;" + std::string(200, 'x'))), "too large");
  CHECK_EQUAL(at(chunks("0\r\nX: " + std::string(100, 'x'))), "too large");
}
