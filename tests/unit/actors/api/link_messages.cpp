#include "actors/api/link_messages.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::recorder;
using signalbox::test::shards;

namespace {

using fake_link = recorder<link_batch>;

struct fixture : shards {
  template <class T>
  T carried(T x) {
    std::vector<char> bytes;
    caf::binary_serializer sink{sys, bytes};
    CHECK(!sink(x));
    caf::binary_deserializer source{sys, bytes};
    T back;
    CHECK(!source(back));
    return back;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(link_messages_tests, fixture)

TEST(CAF carries a batch to another node) {
  auto back = carried(link_batch{1, 2, 3, std::string{"a\0b", 3}});
  CHECK_EQUAL(back.session, 1u);
  CHECK_EQUAL(back.number, 2u);
  CHECK_EQUAL(back.received, 3u);
  CHECK_EQUAL(back.bytes, (std::string{"a\0b", 3}));
}

TEST(CAF carries the opening of a session with its LINK) {
  auto handle = spawn_light<fake_link, caf::actor>(one).first;
  auto back =
    carried(link_open{"bytes", caf::actor_cast<caf::strong_actor_ptr>(handle)});
  CHECK_EQUAL(back.bytes, "bytes");
  CHECK(back.link == caf::actor_cast<caf::strong_actor_ptr>(handle));
  end(handle);
  settle();
}

CAF_TEST_FIXTURE_SCOPE_END()
