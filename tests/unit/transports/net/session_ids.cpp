#include "transports/net/session_ids.hpp"

#include <string>

#include "tests/support/check.hpp"

using signalbox::net::session_ids;

namespace {

const std::string secret = "0123456789abcdef0123456789abcdef";

} // namespace

TEST(an id names its node and its shard) {
  session_ids ids{7, 4};
  for (size_t shard = 0; shard < 4; ++shard) {
    auto id = ids.make(shard);
    CHECK_EQUAL(id.size(), session_ids::length);
    auto owner = ids.parse(id);
    REQUIRE(owner);
    CHECK_EQUAL(owner->node, 7u);
    CHECK_EQUAL(owner->shard, shard);
  }
}

TEST(an id of a router by itself means nothing to others) {
  session_ids ids{7, 4};
  CHECK(!session_ids(7, 4).parse(ids.make(0)));
}

TEST(an id of a cluster is known to every node) {
  session_ids one{1, 4, secret, "public"};
  session_ids two{2, 1, secret, "public"};
  auto owner = two.parse(one.make(3));
  REQUIRE(owner);
  CHECK_EQUAL(owner->node, 1u);
}

TEST(an id of one listener is none of another) {
  session_ids open{1, 1, secret, "public"};
  CHECK(!session_ids(1, 1, secret, "ingest").parse(open.make(0)));
  CHECK(!session_ids(1, 1, secret + "x", "public").parse(open.make(0)));
}

TEST(a forged id is none) {
  session_ids ids{1, 1, secret, "public"};
  auto id = ids.make(0);
  for (auto& each : id) {
    auto kept = each;
    each = kept == 'A' ? 'E' : 'A';
    CHECK(!ids.parse(id));
    each = kept;
  }
  CHECK(!ids.parse(id + "A"));
  CHECK(!ids.parse(""));
}
