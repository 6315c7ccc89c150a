#include "actors/membership/outgoing.hpp"

#include <vector>

#include "tests/support/check.hpp"

using signalbox::outgoing;

namespace {

struct fixture {
  void append(size_t bytes, char fill = 'x') {
    out.open().append(bytes, fill);
    out.appended();
  }

  /// Sends what may be sent; returns the numbers.
  std::vector<uint64_t> send() {
    std::vector<uint64_t> all;
    while (const auto* x = out.next())
      all.push_back(x->number);
    return all;
  }

  outgoing out;
};

using numbers = std::vector<uint64_t>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(outgoing_tests, fixture)

TEST(items share a batch until it is sent or full) {
  append(10);
  append(10);
  CHECK_EQUAL(out.number(), 1u);
  const auto* x = out.next();
  REQUIRE(x != nullptr);
  CHECK_EQUAL(x->number, 1u);
  CHECK_EQUAL(x->bytes.size(), 20u);
  CHECK(out.next() == nullptr);
  append(outgoing::batch_bytes - 1);
  CHECK_EQUAL(out.number(), 2u);
  append(1);
  CHECK_EQUAL(out.number(), 2u);
  append(1);
  CHECK_EQUAL(out.number(), 3u);
}

TEST(small batches wait while some are under way) {
  constexpr auto most = outgoing::eager_batches;
  for (size_t i = 1; i <= most; ++i) {
    append(1);
    CHECK_EQUAL(send(), numbers{i});
  }
  append(1);
  CHECK_EQUAL(send(), numbers{});
  append(outgoing::small_batch - 2);
  CHECK_EQUAL(send(), numbers{});
  append(1);
  CHECK_EQUAL(send(), numbers{most + 1});
  MESSAGE("an acknowledgement sends what waits");
  append(1);
  CHECK_EQUAL(send(), numbers{});
  CHECK(out.acked(2));
  CHECK_EQUAL(send(), numbers{most + 2});
}

TEST(no more than the window is under way) {
  auto most = outgoing::window / outgoing::batch_bytes;
  for (size_t i = 0; i < most + 3; ++i)
    append(outgoing::batch_bytes);
  CHECK_EQUAL(send().size(), most);
  CHECK_EQUAL(send(), numbers{});
  out.acked(1);
  CHECK_EQUAL(send(), numbers{most + 1});
  MESSAGE("one acknowledgement may be of many");
  out.acked(most + 1);
  CHECK_EQUAL(send(), (numbers{most + 2, most + 3}));
}

TEST(the bytes that are kept are counted until they have arrived) {
  append(100);
  append(20);
  CHECK_EQUAL(out.bytes(), 120u);
  send();
  append(3);
  CHECK_EQUAL(out.bytes(), 123u);
  CHECK(out.acked(1));
  CHECK_EQUAL(out.bytes(), 3u);
  MESSAGE("what was not sent cannot have arrived");
  CHECK(!out.acked(2));
  CHECK_EQUAL(out.bytes(), 3u);
  CHECK(!out.acked(1));
}

TEST(a new session sends what is missing and nothing else) {
  for (char c = 'a'; c <= 'e'; ++c)
    append(outgoing::batch_bytes, c);
  CHECK_EQUAL(send().size(), 5u);
  out.acked(2);
  MESSAGE("the other side has 3 too, but its word was lost");
  CHECK(out.resume(3));
  const auto* x = out.next();
  REQUIRE(x != nullptr);
  CHECK_EQUAL(x->number, 4u);
  CHECK_EQUAL(x->bytes.front(), 'd');
  CHECK_EQUAL(send(), numbers{5});
  CHECK_EQUAL(out.bytes(), 2 * outgoing::batch_bytes);
  MESSAGE("a batch that was not sent before is, in its turn");
  append(outgoing::batch_bytes);
  CHECK(out.resume(3));
  CHECK_EQUAL(send(), (numbers{4, 5, 6}));
}

TEST(a session that ends before it sends leaves nothing behind) {
  append(1);
  send();
  CHECK(out.resume(0));
  MESSAGE("the batch had arrived, which the other side says only now");
  CHECK(out.resume(1));
  CHECK_EQUAL(out.bytes(), 0u);
  CHECK_EQUAL(send(), numbers{});
  MESSAGE("what was never sent cannot have arrived");
  append(1);
  CHECK(!out.resume(2));
}

TEST(a new session may begin where nothing is missing) {
  CHECK(out.resume(0));
  append(1);
  send();
  out.acked(1);
  CHECK(out.resume(1));
  CHECK_EQUAL(out.bytes(), 0u);
  append(1);
  CHECK_EQUAL(send(), numbers{2});
}

TEST(items that were appended while there was no session follow) {
  append(1);
  send();
  CHECK(out.resume(1));
  append(1);
  append(1);
  CHECK_EQUAL(out.number(), 2u);
  CHECK_EQUAL(send(), numbers{2});
}

TEST(a batch that was sent takes no more items) {
  append(1, 'a');
  send();
  MESSAGE("it may have arrived after the other side said what it has");
  CHECK(out.resume(0));
  append(1, 'b');
  CHECK_EQUAL(out.number(), 2u);
  const auto* x = out.next();
  REQUIRE(x != nullptr);
  CHECK_EQUAL(x->bytes, "a");
  CHECK_EQUAL(send(), numbers{2});
}

TEST(what was acknowledged is not sent again whatever was said before) {
  for (int i = 0; i < 4; ++i)
    append(outgoing::batch_bytes);
  send();
  out.acked(2);
  CHECK(out.resume(1));
  CHECK_EQUAL(send(), (numbers{3, 4}));
}

TEST(a stream that the other side does not know cannot go on) {
  for (int i = 0; i < 4; ++i)
    append(outgoing::batch_bytes);
  send();
  out.acked(2);
  MESSAGE("it has more than was sent");
  CHECK(!out.resume(5));
  out.clear();
  CHECK_EQUAL(out.bytes(), 0u);
  append(1);
  CHECK_EQUAL(send(), numbers{1});
}

CAF_TEST_FIXTURE_SCOPE_END()
