#include "actors/transport/transport.hpp"

#include <map>
#include <new>

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::recorder;
using signalbox::test::shards;

namespace {

struct fixture : shards {
  fixture() {
    std::tie(ingest, asked) =
      spawn_light<recorder<api_call>, ingest_actor>(one);
  }

  ~fixture() {
    end(transport);
    end(ingest);
    settle();
    transport = nullptr;
    ingest = nullptr;
  }

  void begin() {
    std::tie(transport, side) = spawn_transport(one, ingest, opts, count);
  }

  /// Calls; what comes of it stands in `answers` by the name of the caller.
  void call(uint64_t who, std::string body = {}) {
    api_call x;
    x.body = std::move(body);
    side->call(who, std::move(x), [this, who](api_answer&& answer) {
      answers[who] += std::to_string(answer.status) + ' ' + answer.json;
    });
    settle();
  }

  /// Lets INGEST answer its oldest call.
  void answer(const std::string& json) {
    auto x = std::move(asked->all<api_call>().front());
    asked->all<api_call>().erase(asked->all<api_call>().begin());
    caf::anon_send(x.asker, api_answer{x.ticket, 200, json});
    settle();
  }

  bool refused(uint64_t who, const std::string& code) {
    const auto& x = answers[who];
    return x.starts_with("503 {\"ok\":false")
           && x.find('"' + code + '"') != std::string::npos;
  }

  ingest_actor ingest;
  recorder<api_call>* asked = nullptr;
  transport_actor transport;
  transport_side* side = nullptr;
  std::map<uint64_t, std::string> answers;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(transport_tests, fixture)

TEST(each call gets its own answer) {
  begin();
  call(1);
  call(2);
  auto& calls = asked->all<api_call>();
  std::swap(calls[0], calls[1]);
  answer("second");
  answer("first");
  CHECK_EQUAL(answers[1], "200 first");
  CHECK_EQUAL(answers[2], "200 second");
  CHECK_EQUAL(count.calls_unanswered, 0u);
}

TEST(a call without an answer is told so in time) {
  opts.ingest.timeout = std::chrono::seconds{15};
  begin();
  call(1);
  advance(14000);
  call(2);
  CHECK_EQUAL(answers[1], "");
  advance(1500);
  CHECK(refused(1, "unanswered"));
  CHECK_EQUAL(answers[2], "");
  MESSAGE("an answer that comes later is for nobody");
  answer("late");
  CHECK(refused(1, "unanswered"));
  answer("in time");
  CHECK_EQUAL(answers[2], "200 in time");
  CHECK_EQUAL(count.calls_unanswered, 1u);
}

TEST(a confirm and another node have their own time) {
  opts.ingest.timeout = std::chrono::seconds{15};
  begin();
  call(1, R"({"confirm":{"deadline_ms":60000}})");
  call(2, R"({"c\u006fnfirm":{"deadline_ms":60000}})");
  advance(74000);
  CHECK(answers.empty());
  advance(1500);
  CHECK(refused(1, "unanswered"));
  CHECK(refused(2, "unanswered"));
  MESSAGE("in a cluster");
  end(transport);
  opts.cluster.name = "x";
  opts.cluster.request_timeout = std::chrono::seconds{20};
  begin();
  call(3);
  advance(34000);
  CHECK_EQUAL(answers[3], "");
  advance(1500);
  CHECK(refused(3, "unanswered"));
}

TEST(all calls are answered when INGEST is gone) {
  begin();
  call(1);
  call(2, "confirm");
  caf::anon_send_exit(ingest, caf::exit_reason::kill);
  settle();
  CHECK(refused(1, "broken"));
  CHECK(refused(2, "broken"));
  MESSAGE("and those that come later at once");
  call(3);
  CHECK(refused(3, "broken"));
  CHECK_EQUAL(count.calls_unanswered, 3u);
}

TEST(all calls are answered when TRANSPORT itself fails) {
  begin();
  call(1);
  caf::anon_send_exit(transport, caf::exit_reason::unhandled_exception);
  settle();
  CHECK(refused(1, "broken"));
}

TEST(who has gone is not answered) {
  begin();
  call(1);
  call(2);
  side->forget(1);
  answer("first");
  answer("second");
  CHECK_EQUAL(answers.count(1), 0u);
  CHECK_EQUAL(answers[2], "200 second");
}

TEST(an answer that cannot be written costs only its call) {
  begin();
  side->call(1, {}, [](api_answer&&) { throw std::bad_alloc{}; });
  call(2);
  answer("first");
  answer("second");
  CHECK_EQUAL(answers[2], "200 second");
  CHECK_EQUAL(living(actor_kind::transport), 1);
}

CAF_TEST_FIXTURE_SCOPE_END()
