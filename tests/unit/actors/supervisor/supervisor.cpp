#include "actors/supervisor/supervisor.hpp"

#include <stdexcept>

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::rooms;

namespace {

/// Throws what it is sent.
class fragile : public light_actor {
public:
  using light_actor::light_actor;

  const char* name() const override {
    return "fragile";
  }

protected:
  void receive(caf::mailbox_element&) override {
    throw std::runtime_error{"std::bad_alloc"};
  }
};

struct fixture : rooms {
  fixture() {
    by = spawn_supervisor(one, count,
                          [this](const auto& what) { told.push_back(what); });
    watch("USERS", shared.users);
    watch("NSP /", nsp.handle);
    watch("INGEST", shared.ingest);
  }

  ~fixture() {
    end(by.handle);
    settle();
    by = {};
  }

  template <class T>
  void watch(const std::string& name, const T& handle) {
    supervise(by, {name, caf::actor_cast<caf::actor>(handle)});
    settle();
  }

  supervisor_ref by;
  std::vector<std::string> told;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_tests, fixture)

TEST(the first that ends is told with its reason) {
  auto handle = spawn_light<fragile, caf::actor>(two).first;
  watch("FRAGILE", handle);
  CHECK(told.empty());
  caf::anon_send(handle, 1);
  settle();
  REQUIRE_EQUAL(told.size(), 1u);
  CHECK_EQUAL(told[0], "FRAGILE ended: std::bad_alloc");
  MESSAGE("the others, which end in consequence, are not");
  caf::anon_send_exit(shared.users, caf::exit_reason::kill);
  settle();
  CHECK_EQUAL(told.size(), 1u);
}

TEST(a room that is killed is told) {
  caf::anon_send_exit(shared.users, caf::exit_reason::kill);
  settle();
  REQUIRE_EQUAL(told.size(), 1u);
  CHECK(told[0].starts_with("USERS ended: "));
  CHECK(told[0].find("kill") != std::string::npos);
}

TEST(the part of a namespace on one shard takes the namespace along) {
  for (const auto& each : nsp.hubs)
    caf::anon_send_exit(each.handle, caf::exit_reason::kill);
  settle();
  REQUIRE_EQUAL(told.size(), 1u);
  CHECK(told[0].starts_with("NSP / ended: "));
}

TEST(one that has ended before is told too) {
  end(shared.ingest);
  caf::anon_send_exit(shared.site_auth, caf::exit_reason::kill);
  settle();
  told.clear();
  auto other = spawn_supervisor(
    two, count, [this](const auto& what) { told.push_back(what); });
  supervise(other,
            {"SITE_AUTH", caf::actor_cast<caf::actor>(shared.site_auth)});
  settle();
  CHECK_EQUAL(told.size(), 1u);
  end(other.handle);
  settle();
}

TEST(nothing is told once the node ends) {
  end(by.handle);
  caf::anon_send_exit(shared.users, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(nsp.handle, caf::exit_reason::user_shutdown);
  settle();
  CHECK(told.empty());
  watch("late", shared.ingest);
  CHECK_EQUAL(living(actor_kind::supervisor), 0);
}

TEST(what a client breaks is not told) {
  test::fake_port a;
  auto x = join(a, one, "anna");
  caf::anon_send_exit(x, caf::exit_reason::kill);
  caf::anon_send_exit(find_record(shared.users, "anna"),
                      caf::exit_reason::kill);
  settle();
  CHECK_EQUAL(a.closed, "actor_down");
  CHECK(told.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
