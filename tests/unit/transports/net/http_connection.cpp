#include "transports/net/http_connection.hpp"

#include <algorithm>
#include <cstring>
#include <deque>

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace signalbox::net;

namespace {

using std::string;
using strings = std::vector<string>;

/// The client's end: what it sends, and what it has been sent.
class wire : public channel {
public:
  ssize_t read(char* data, size_t size) override {
    if (in.empty())
      return ended ? 0 : stream::again;
    auto n = std::min(size, in.size());
    std::memcpy(data, in.data(), n);
    in.erase(0, n);
    return static_cast<ssize_t>(n);
  }

  ssize_t write(const iovec* pieces, size_t count) override {
    size_t done = 0;
    for (size_t i = 0; i < count; ++i) {
      auto n = std::min(pieces[i].iov_len, room - done);
      out.append(static_cast<const char*>(pieces[i].iov_base), n);
      done += n;
    }
    room -= done;
    if (done == 0)
      return stream::again;
    ++writes;
    return static_cast<ssize_t>(done);
  }

  void wait(bool readable, std::function<void()> fun) override {
    (readable ? reader : writer) = std::move(fun);
  }

  void shutdown_write() override {
    shut = true;
  }

  void close() override {
    closed = true;
    reader = writer = nullptr;
  }

  bool encrypted() const override {
    return false;
  }

  string in;
  string out;
  /// How much the client takes before it has to read.
  size_t room = 1 << 30;
  size_t writes = 0;
  bool ended = false;
  bool shut = false;
  bool closed = false;
  std::function<void()> reader;
  std::function<void()> writer;
};

/// Answers with the target, in turns of its own as actors do. Holds what goes
/// to /hold, takes the connection away for /leave.
class service : public http_service {
public:
  explicit service(loop& at) : home(at) {
    // nop
  }

  size_t on_header(const std::shared_ptr<http_connection>& from) override {
    string target{from->request().target};
    offered.push_back(target);
    if (on_offer)
      on_offer();
    if (target == "/leave") {
      string rest;
      taken = from->release(rest);
    }
    return 1000;
  }

  bool answers_soon(const http_request& x) const override {
    return x.path != "/leave" && x.path != "/other";
  }

  void on_request(const std::shared_ptr<http_connection>& from) override {
    if (from->request().path == "/hold") {
      held = from;
      return;
    }
    waiting.push_back(from);
    if (waiting.size() == 1 && !draining)
      home.post([this] { drain(); });
  }

  void on_abort(http_connection&) override {
    ++aborted;
    held = nullptr;
  }

  static void answer(http_connection& to) {
    http_response x;
    x.body = to.request().target;
    x.body += to.request().body;
    to.respond(std::move(x));
  }

  strings offered;
  std::function<void()> on_offer;
  std::shared_ptr<http_connection> held;
  std::unique_ptr<stream> taken;
  size_t aborted = 0;

private:
  void drain() {
    draining = true;
    while (!waiting.empty()) {
      auto next = waiting.front();
      waiting.pop_front();
      answer(*next);
    }
    draining = false;
  }

  loop& home;
  std::deque<std::shared_ptr<http_connection>> waiting;
  bool draining = false;
};

struct rig {
  rig() {
    limits.addresses = &addresses;
    limits.counters = &counters;
    at = std::make_unique<server>(std::vector<loop*>{&home}, limits,
                                  [this](loop& x) {
                                    auto out = std::make_unique<service>(x);
                                    app = out.get();
                                    return out;
                                  });
    std::make_shared<http_connection>(
      *at, home, std::make_unique<stream>(client), "192.0.2.1")
      ->start();
  }

  ~rig() {
    app->held = nullptr;
    at->close_all();
    turn();
  }

  void turn() {
    while (home.poll() > 0)
      ;
  }

  /// Bytes come in; whatever can happen then does.
  void come(const string& bytes) {
    client->in += bytes;
    read();
  }

  void read() {
    if (auto fun = std::exchange(client->reader, nullptr))
      fun();
    turn();
  }

  /// The client reads so much of what waits for it.
  void drink(size_t size) {
    client->room += size;
    if (auto fun = std::exchange(client->writer, nullptr))
      fun();
    turn();
  }

  void pass(int64_t ms) {
    home.wheel().advance(home.wheel().now() + ms);
    turn();
  }

  net_counters counters;
  address_limiter addresses{50, 1000, true};
  shared_limits limits;
  loop home{0};
  std::shared_ptr<wire> client = std::make_shared<wire>();
  service* app = nullptr;
  std::unique_ptr<server> at;
};

string get(const string& target, const string& headers = {}) {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}

string post(const string& target, const string& body) {
  return "POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: "
         + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Returns the bodies of answers; of one without a length its status line.
strings answers(std::string_view out) {
  strings all;
  while (!out.empty()) {
    auto end = out.find("\r\n\r\n");
    auto length = out.find("Content-Length: ");
    if (end == out.npos)
      return all;
    if (length > end) {
      all.emplace_back(out.substr(0, out.find("\r\n")));
      out.remove_prefix(end + 4);
      continue;
    }
    auto size = std::strtoul(out.data() + length + 16, nullptr, 10);
    all.emplace_back(out.substr(end + 4, size));
    out.remove_prefix(std::min(end + 4 + size, out.size()));
  }
  return all;
}

} // namespace

// -- what is written together -------------------------------------------------

TEST(answers to requests that came together leave in one write) {
  rig x;
  x.come(get("/a") + post("/b", "body") + get("/c"));
  CHECK_EQUAL(answers(x.client->out), (strings{"/a", "/bbody", "/c"}));
  CHECK_EQUAL(x.client->writes, 1u);
  x.come(get("/d"));
  CHECK_EQUAL(x.client->writes, 2u);
}

TEST(an answer does not wait for a request that takes its time) {
  rig x;
  x.come(get("/a") + get("/hold") + get("/c"));
  CHECK_EQUAL(answers(x.client->out), (strings{"/a"}));
  service::answer(*x.app->held);
  x.turn();
  CHECK_EQUAL(answers(x.client->out), (strings{"/a", "/hold", "/c"}));
  CHECK_EQUAL(x.client->writes, 2u);
}

TEST(an answer does not wait for a request that has yet to come) {
  for (auto whole : {get("/b"), post("/b", "body")}) {
    rig x;
    x.come(get("/a") + whole.substr(0, whole.size() - 2));
    CHECK_EQUAL(answers(x.client->out), (strings{"/a"}));
    x.come(whole.substr(whole.size() - 2));
    CHECK_EQUAL(answers(x.client->out).size(), 2u);
  }
}

TEST(no body is asked for before an earlier answer) {
  rig x;
  x.come(get("/a")
         + "POST /b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
           "Content-Length: 4\r\n\r\n");
  CHECK_EQUAL(answers(x.client->out), (strings{"/a", "HTTP/1.1 100 Continue"}));
  x.come("body");
  CHECK_EQUAL(answers(x.client->out),
              (strings{"/a", "HTTP/1.1 100 Continue", "/bbody"}));
}

TEST(the last answer takes along what waits) {
  rig x;
  x.come(get("/a") + get("/b", "Connection: close\r\n") + get("/c"));
  CHECK_EQUAL(answers(x.client->out), (strings{"/a", "/b"}));
  CHECK(x.client->shut);
  CHECK_EQUAL(x.app->offered, (strings{"/a", "/b"}));
}

TEST(what is wrong is answered in its turn) {
  rig x;
  x.come(get("/a") + "GET /b HTTP/1.1\r\n\r\n" + get("/c"));
  CHECK_EQUAL(answers(x.client->out), (strings{"/a", ""}));
  CHECK(x.client->out.find("400 Bad Request") != string::npos);
  CHECK(x.client->shut);
}

TEST(what is no request is answered before any other) {
  rig x;
  x.come("GET / HTTP/1.1\nHost: a\n\n");
  CHECK(x.client->out.find("400 Bad Request") != string::npos);
  CHECK(x.client->shut);
}

TEST(an answer that a broadcast brings leaves in its turn) {
  rig x;
  x.come(get("/hold"));
  service::answer(*x.app->held);
  CHECK(x.client->out.empty());
  x.turn();
  CHECK_EQUAL(answers(x.client->out), (strings{"/hold"}));
}

// -- who may take the connection ----------------------------------------------

TEST(a connection is taken with nothing left to write) {
  for (auto rest : {"", "/other"}) {
    rig x;
    string before;
    x.app->on_offer = [&] { before = x.client->out; };
    x.come(get("/a") + get("/b") + (*rest ? get(rest) : "") + get("/leave"));
    CHECK(x.app->taken != nullptr);
    CHECK_EQUAL(answers(before).size(), *rest ? 3u : 2u);
  }
}

TEST(a connection is not taken from a client that does not read) {
  rig x;
  x.client->room = 10;
  x.come(get("/a") + get("/leave"));
  CHECK_EQUAL(x.app->offered, (strings{"/a"}));
  x.drink(1000);
  CHECK_EQUAL(answers(x.client->out), (strings{"/a"}));
  CHECK_EQUAL(x.app->offered, (strings{"/a", "/leave"}));
}

// -- clients that do not read -------------------------------------------------

TEST(what is unsent counts a body that others get too) {
  rig x;
  x.come(get("/hold"));
  auto held = x.app->held;
  x.client->room = 100000;
  http_response answer;
  answer.shared = std::make_shared<const string>(300000, 'a');
  held->respond(std::move(answer));
  x.turn();
  CHECK(held->unsent() > 200000 && held->unsent() < 201000);
  x.drink(300000);
  CHECK_EQUAL(held->unsent(), 0u);
}

TEST(what waits for a client that does not read is bounded) {
  constexpr size_t count = 20000;
  rig x;
  x.client->room = 0;
  string all;
  strings expected;
  for (size_t i = 0; i < count; ++i) {
    expected.push_back("/" + std::to_string(i));
    all += get(expected.back());
  }
  x.client->in = all;
  for (auto i = 0; i < 100; ++i)
    x.read();
  // An answer is longer than 100 bytes.
  auto handled = x.app->offered.size();
  CHECK(handled > 100 && handled < 65536 / 100 + 2);
  CHECK(all.size() - x.client->in.size() < 3 * 65536);
  MESSAGE("it reads after all");
  for (auto i = 0; i < 1000 && !x.client->in.empty(); ++i) {
    x.drink(20000);
    x.read();
  }
  x.drink(1 << 30);
  CHECK(answers(x.client->out) == expected);
}

TEST(a request behind an answer that does not leave waits) {
  rig x;
  x.client->room = 10;
  x.come(get("/a") + get("/hold") + get("/c"));
  service::answer(*x.app->held);
  x.turn();
  CHECK_EQUAL(x.app->offered, (strings{"/a", "/hold"}));
  x.drink(100000);
  CHECK_EQUAL(answers(x.client->out), (strings{"/a", "/hold", "/c"}));
}

TEST(a client that does not read is given up while it is served) {
  rig x;
  x.client->room = 10;
  x.come(get("/a") + get("/hold"));
  x.pass(x.limits.http.write_timeout.count() - 100);
  CHECK(!x.client->closed);
  x.pass(200);
  CHECK(x.client->closed);
  CHECK_EQUAL(x.counters.timeouts_write, 1u);
  CHECK_EQUAL(x.app->aborted, 1u);
}

TEST(the time of an answer ends with it) {
  rig x;
  x.client->room = 10;
  x.come(get("/a") + get("/hold"));
  x.drink(1000);
  x.pass(10 * x.limits.http.write_timeout.count());
  CHECK(!x.client->closed);
  service::answer(*x.app->held);
  x.turn();
  x.pass(x.limits.http.idle_timeout.count() + 100);
  CHECK_EQUAL(x.counters.timeouts_idle, 1u);
}

TEST(a body has its own time again when an answer has left) {
  rig x;
  x.client->room = 10;
  auto whole = post("/b", "body");
  x.come(get("/a") + whole.substr(0, whole.size() - 2));
  x.drink(1000);
  x.pass(x.limits.http.body_timeout.count() + 100);
  CHECK_EQUAL(x.counters.timeouts_body, 1u);
}

// -- the end ------------------------------------------------------------------

TEST(a client that asks nothing more gets the answers there are) {
  for (size_t room : {1000u, 10u}) {
    rig x;
    x.client->room = room;
    x.client->in = get("/a") + get("/hold");
    // It is noticed before the turn has ended.
    x.app->on_offer = [&] {
      if (x.app->offered.size() == 2)
        x.home.post([&] {
          x.client->ended = true;
          std::exchange(x.client->reader, nullptr)();
        });
    };
    x.read();
    CHECK_EQUAL(x.app->aborted, 1u);
    x.drink(1000);
    CHECK_EQUAL(answers(x.client->out), (strings{"/a"}));
    CHECK(x.client->shut);
  }
}

TEST(a connection that is dropped says what it has answered) {
  rig x;
  x.app->on_offer = [&] {
    if (x.app->offered.size() == 2)
      x.at->close_all();
  };
  x.come(get("/a") + get("/hold"));
  CHECK_EQUAL(answers(x.client->out), (strings{"/a"}));
  CHECK(x.client->closed);
}
