#include "actors/shard/shard.hpp"

#include <stdexcept>

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::shards;

namespace {

using worker_actor = caf::typed_actor<caf::replies_to<int>::with<int>>;

/// Writes its name and every number into a common log; breaks on -1.
class worker : public light_actor {
public:
  worker(caf::actor_config& cfg, shard& at, char name, std::string& log)
    : light_actor(cfg, at), name_(name), log_(log) {
    // nop
  }

  ~worker() override {
    log_ += '~';
  }

  const char* name() const override {
    return "worker";
  }

  void break_later() {
    throw std::runtime_error{"broken"};
  }

  worker_actor next;
  bool ends_badly = false;
  session::timer timer{make_actor_timer<&worker::break_later>(this)};

protected:
  void receive(caf::mailbox_element& x) override {
    dispatch<int>(x, [&](int& n) {
      if (n < 0)
        throw std::runtime_error{"broken"};
      log_ += name_ + std::to_string(n) + ' ';
      if (next)
        caf::anon_send(next, n + 1);
      respond(*this, x, n);
    });
  }

  void on_down(const caf::down_msg&) override {
    log_ += "down ";
  }

  void on_end(const caf::error&) override {
    log_ += std::string{"end "} + name_ + ' ';
    next = nullptr;
    if (ends_badly)
      throw std::runtime_error{"no memory"};
  }

private:
  char name_;
  std::string& log_;
};

/// A job that wants several goes.
class job : public caf::resumable {
public:
  job(std::string& log, int goes) : log_(log), goes_(goes) {
    // nop
  }

  resume_result resume(caf::execution_unit*, size_t) override {
    log_ += "go ";
    return --goes_ > 0 ? resume_later : done;
  }

  void intrusive_ptr_add_ref_impl() override {
    // nop
  }

  void intrusive_ptr_release_impl() override {
    log_ += "released ";
  }

private:
  std::string& log_;
  int goes_;
};

struct fixture : shards {
  fixture() {
    std::tie(a, a_self) = spawn_light<worker, worker_actor>(one, 'a', log);
    std::tie(b, b_self) = spawn_light<worker, worker_actor>(one, 'b', log);
    std::tie(c, c_self) = spawn_light<worker, worker_actor>(two, 'c', log);
  }

  ~fixture() {
    end(a);
    end(b);
    end(c);
    settle();
    a = b = c = nullptr;
    one.cleanup();
    two.cleanup();
  }

  /// Asks and returns the answer, or how the request failed.
  std::string ask(const worker_actor& x, int n) {
    std::string out;
    auto pending = self->request(x, caf::infinite, n);
    settle();
    pending.receive([&](int y) { out = std::to_string(y); },
                    [&](caf::error& e) { out = sys.render(e); });
    return out;
  }

  std::string log;
  worker_actor a;
  worker_actor b;
  worker_actor c;
  worker* a_self = nullptr;
  worker* b_self = nullptr;
  worker* c_self = nullptr;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(shard_tests, fixture)

TEST(what one thread queues is handled in that order whoever it is for) {
  caf::anon_send(a, 1);
  caf::anon_send(b, 2);
  caf::anon_send(a, 3);
  caf::anon_send(a, 4);
  caf::anon_send(b, 5);
  CHECK_EQUAL(log, "");
  settle();
  CHECK_EQUAL(log, "a1 b2 a3 a4 b5 ");
}

TEST(what a handler sends comes behind what is queued) {
  a_self->next = b;
  caf::anon_send(a, 1);
  caf::anon_send(b, 7);
  settle();
  CHECK_EQUAL(log, "a1 b7 b2 ");
}

TEST(actors of different shards reach each other) {
  a_self->next = c;
  c_self->next = b;
  caf::anon_send(a, 1);
  settle();
  CHECK_EQUAL(log, "a1 c2 b3 ");
}

TEST(jobs of ordinary actors stand in the same queue) {
  job x{log, 2};
  caf::anon_send(a, 1);
  one.exec_later(&x);
  caf::anon_send(b, 2);
  settle();
  CHECK_EQUAL(log, "a1 go b2 go released ");
}

TEST(sockets get their turn within a long queue) {
  for (auto i = 0; i < 600; ++i)
    caf::anon_send(a, i);
  size_t before = 0;
  first.post([&] { before = log.size(); });
  settle();
  CHECK(before > 0);
  CHECK(before < log.size());
}

TEST(what a handler throws ends only its actor) {
  self->monitor(a);
  caf::anon_send(a, -1);
  caf::anon_send(a, 1);
  caf::anon_send(b, 2);
  settle();
  CHECK_EQUAL(log, "end a b2 ");
  CHECK(!a_self->alive());
  self->receive([&](caf::down_msg& x) {
    CHECK(x.source == a.address());
    CHECK(x.reason == caf::sec::runtime_error);
  });
}

TEST(what a deadline throws ends its actor too) {
  self->monitor(a);
  first.wheel().arm(a_self->timer, 100);
  advance(200);
  CHECK_EQUAL(log, "end a ");
  self->receive([&](caf::down_msg& x) { CHECK(x.source == a.address()); });
}

TEST(an actor that cannot end well is down all the same) {
  self->monitor(a);
  a_self->ends_badly = true;
  caf::anon_send(a, -1);
  settle();
  CHECK(!a_self->alive());
  self->receive(
    [&](caf::down_msg& x) { CHECK(x.reason == caf::sec::runtime_error); });
}

TEST(what fails within the call of another actor ends later) {
  a_self->attempt_later([] { throw std::runtime_error{"broken"}; });
  CHECK(a_self->alive());
  settle();
  CHECK_EQUAL(log, "end a ");
}

TEST(an exit ends an actor once) {
  caf::anon_send_exit(a, caf::exit_reason::kill);
  caf::anon_send_exit(a, caf::exit_reason::kill);
  caf::anon_send(a, 1);
  settle();
  a_self->quit();
  CHECK_EQUAL(log, "end a ");
}

TEST(an actor that monitors another learns of its end) {
  a_self->monitor(c);
  c_self->quit();
  settle();
  CHECK_EQUAL(log, "end c down ");
  MESSAGE("and at once if it has ended before");
  b_self->monitor(c);
  settle();
  CHECK_EQUAL(log, "end c down down ");
}

TEST(a link takes the other one along) {
  a_self->link_to(c);
  caf::anon_send_exit(c, caf::exit_reason::kill);
  settle();
  CHECK_EQUAL(log, "end c end a ");
}

TEST(a request is answered by the living and the dead) {
  CHECK_EQUAL(ask(a, 5), "5");
  caf::anon_send_exit(a, caf::exit_reason::kill);
  MESSAGE("one that waits behind the exit");
  CHECK(ask(a, 6).find("request_receiver_down") != std::string::npos);
  MESSAGE("one that comes later");
  CHECK(ask(a, 7).find("request_receiver_down") != std::string::npos);
  CHECK_EQUAL(log, "a5 end a ");
}

TEST(an actor ends with its last handle) {
  end(b);
  settle();
  log.clear();
  b = nullptr;
  CHECK_EQUAL(log, "~");
  a = nullptr;
  CHECK_EQUAL(log, "~end a ~");
}

TEST(a message keeps its receiver alive) {
  caf::anon_send(a, 1);
  a = nullptr;
  CHECK_EQUAL(log, "");
  settle();
  CHECK_EQUAL(log, "a1 end a ~");
}

TEST(cleanup releases what is queued) {
  job x{log, 1};
  one.exec_later(&x);
  caf::anon_send(a, 1);
  a = nullptr;
  one.cleanup();
  CHECK_EQUAL(log, "released end a ~");
  settle();
  CHECK_EQUAL(log, "released end a ~");
}

CAF_TEST_FIXTURE_SCOPE_END()
