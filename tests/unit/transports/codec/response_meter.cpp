#include "transports/codec/response_meter.hpp"

#include <string>
#include <string_view>

#include "tests/support/check.hpp"

using signalbox::codec::response_meter;

using state = response_meter::state;

namespace {

constexpr std::string_view ok = "HTTP/1.1 200 OK\r\n"
                                "Content-Type: text/plain\r\n"
                                "Content-Length: 2\r\n\r\n"
                                "ok";

/// What came of a whole answer: how many bytes it took and where it ended.
struct outcome {
  explicit outcome(std::string_view bytes, bool head_only = false)
    : meter(head_only) {
    taken = meter.take(bytes);
    at = meter.at();
  }

  response_meter meter;
  size_t taken = 0;
  state at = state::head;
};

} // namespace

TEST(an answer ends with its body) {
  outcome x{std::string{ok} + "HTTP/1.1 200 OK\r\n"};
  CHECK(x.at == state::complete);
  CHECK_EQUAL(x.taken, ok.size());
  CHECK(x.meter.keep_alive());
}

TEST(pieces of any size say the same) {
  response_meter meter;
  CHECK(!meter.begun());
  for (size_t i = 0; i < ok.size(); ++i) {
    CHECK(meter.at() != state::complete);
    CHECK_EQUAL(meter.take(ok.substr(i, 1)), 1u);
    CHECK(meter.begun());
  }
  CHECK(meter.at() == state::complete);
  CHECK_EQUAL(meter.take("HTTP"), 0u);
}

TEST(some answers have no body whatever they say) {
  for (const auto* head : {"HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n",
                           "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",
                           "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"})
    CHECK(outcome{head}.at == state::complete);
  outcome x{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true};
  CHECK(x.at == state::complete);
}

TEST(the last answer of a connection says so) {
  outcome x{"HTTP/1.1 400 Bad Request\r\nContent-Length: 1\r\n"
            "connection:  Close \r\n\r\n!"};
  CHECK(x.at == state::complete);
  CHECK(!x.meter.keep_alive());
  // What clients of HTTP/1.0 are told.
  outcome old{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
              "Connection: keep-alive\r\n\r\n"};
  CHECK(old.meter.keep_alive());
}

TEST(another protocol and an untold length have no end) {
  for (const auto* head :
       {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
        "Transfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nDate: x\r\n\r\n"}) {
    outcome x{std::string{head} + "anything"};
    CHECK(x.at == state::endless);
    CHECK_EQUAL(x.taken, std::string_view{head}.size() + 8);
    CHECK_EQUAL(x.meter.take("more"), 4u);
  }
}

TEST(an interim answer is not the answer) {
  std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
  outcome x{interim};
  CHECK(x.at == state::head);
  CHECK_EQUAL(x.meter.take(ok), ok.size());
  CHECK(x.meter.at() == state::complete);
  outcome both{std::string{interim} + std::string{ok} + "x"};
  CHECK(both.at == state::complete);
  CHECK_EQUAL(both.taken, interim.size() + ok.size());
}

TEST(what is no answer is bad) {
  for (const auto* text :
       {"\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "HTTP/1.1 20 OK\r\nDate: x\r\n\r\n", "HTTP/1.1 099 X\r\na: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"})
    CHECK(outcome{text}.at == state::bad);
  // A header without an end.
  response_meter meter;
  std::string piece(1024, 'x');
  for (size_t i = 0; i <= response_meter::head_limit / piece.size(); ++i)
    meter.take(piece);
  CHECK(meter.at() == state::bad);
}
