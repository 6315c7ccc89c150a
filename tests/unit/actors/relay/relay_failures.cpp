#include "tests/unit/actors/relay/relay_rig.hpp"

using namespace signalbox;
using signalbox::test::names;
using signalbox::test::nodes;
using signalbox::test::relay_rig;

CAF_TEST_FIXTURE_SCOPE(relay_failures_tests, relay_rig)

// -- what fails ---------------------------------------------------------------

TEST(the loss of a home that is asked sends the event to all nodes) {
  post(1, {at(2)}, "[1]");
  post_all(2, "[2]");
  others.kinds();
  change({1, 3});
  CHECK_EQUAL(others.kinds(), "20>3 21>3 ");
  CHECK_EQUAL(asked->all<deliver_users>().size(), 1u);
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
}

TEST(a node that is lost before it answers is named) {
  others.gone = {2};
  post_all(7);
  route_here(7, 1, 1);
  route(3, 7, 1, 1);
  CHECK_EQUAL(told(), "");
  change({1, 3});
  CHECK_EQUAL(told(), "7:2/2 !2 ");
}

TEST(a node that is lost before it has the event is named) {
  post(7, {at(2)});
  locate(2, 7, {{2, 3}});
  ack(3, 9);
  change({1, 3});
  CHECK_EQUAL(told(), "7:1/2 !2 ");
  MESSAGE("acknowledgements of its next life mean nothing");
  change({1, 2, 3});
  ack(2, 9);
  CHECK_EQUAL(told(), "");
}

TEST(a node that is lost and not forgotten is named in every answer) {
  change({1, 3});
  others.gone = {2};
  others.agreed = true;
  post_all(7);
  route_here(7, 1, 1);
  route(3, 7, 1, 1);
  CHECK_EQUAL(told(), "7:2/2 !2 ");
  others.gone = {};
  post_all(8);
  route_here(8, 1, 1);
  route(3, 8, 1, 1);
  CHECK_EQUAL(told(), "8:2/2 ");
}

TEST(a node that comes back before the answer is named all the same) {
  change({1, 3});
  others.gone = {2};
  others.agreed = true;
  post_all(7);
  others.gone = {};
  change({1, 2, 3});
  route_here(7, 1, 1);
  route(3, 7, 1, 1);
  CHECK_EQUAL(told(), "7:2/2 !2 ");
}

TEST(a node that does not answer in time is named) {
  post_all(7);
  route_here(7, 1, 1);
  route(2, 7, 1, 1);
  advance(opts.cluster.request_timeout.count() - 200);
  CHECK_EQUAL(told(), "");
  advance(400);
  CHECK_EQUAL(told(), "7:2/2 !3 ");
  MESSAGE("what it says later is too late");
  route(3, 7, 1, 1);
  CHECK_EQUAL(told(), "");
}

TEST(a home that does not answer in time is done without) {
  post(1, {at(2)}, "[1]");
  post_all(2, "[2]");
  others.kinds();
  advance(opts.cluster.request_timeout.count() + 200);
  CHECK_EQUAL(others.kinds(), "20>2 20>3 21>2 21>3 ");
}

TEST(a namespace that only other nodes have is answered for by them) {
  post_all(7, "[1]", "/other");
  route(2, 7, 3, 4);
  CHECK_EQUAL(told(), "");
  route(3, 7, 0, 0);
  CHECK_EQUAL(told(), "7:3/4 ");
}

CAF_TEST_FIXTURE_SCOPE_END()
