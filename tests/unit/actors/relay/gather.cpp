#include "actors/relay/gather.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;

namespace {

using nodes = std::vector<uint16_t>;
using names = std::vector<std::string>;

routed part(uint64_t matched, uint64_t online, names offline = {},
            std::vector<bool> found = {}) {
  routed out;
  out.matched = matched;
  out.online = online;
  out.offline = std::move(offline);
  out.found = std::move(found);
  return out;
}

} // namespace

TEST(an answer is complete when every node has spoken) {
  gather x{7, {1, 2, 3}};
  CHECK_EQUAL(x.event.ticket, 7u);
  CHECK_EQUAL(x.info.ticket, 7u);
  CHECK(!x.complete());
  x.add(1, part(1, 2));
  x.add(2, part(3, 4));
  CHECK(!x.complete());
  CHECK(x.waits_for(3));
  CHECK(!x.waits_for(1));
  x.add(3, part(0, 0));
  CHECK(x.complete());
  x.finish({});
  CHECK_EQUAL(x.event.matched, 4u);
  CHECK_EQUAL(x.event.online, 6u);
  CHECK(x.event.unreachable.empty());
}

TEST(a node counts once and a stranger not at all) {
  gather x{1, {1, 2}};
  x.add(1, part(1, 1));
  x.add(1, part(1, 1));
  x.add(9, part(1, 1));
  CHECK_EQUAL(x.event.online, 1u);
  CHECK(x.waits_for(2));
}

TEST(who was found on several nodes counts once) {
  gather x{1, {1, 2}};
  x.add(1, part(2, 3, {}, {true, true, false}));
  x.add(2, part(1, 1, {}, {true, false, false}));
  x.finish({});
  CHECK_EQUAL(x.event.matched, 2u);
  CHECK_EQUAL(x.event.online, 4u);
  CHECK(x.event.found == (std::vector<bool>{true, true, false}));
}

TEST(a user is offline when no node has a connection) {
  gather x{1, {1, 2}};
  x.add(1, part(1, 1, {"ben", "carla"}));
  x.add(2, part(1, 1, {"anna", "carla"}));
  x.finish({});
  CHECK_EQUAL(x.event.offline, names{"carla"});
}

TEST(a user who may be at a node that is lost is not offline) {
  gather x{1, {1, 2}};
  x.add(1, part(0, 0, {"anna"}));
  x.lost(2);
  CHECK(x.complete());
  x.finish({});
  CHECK(x.event.offline.empty());
  CHECK_EQUAL(x.event.unreachable, nodes{2});
}

TEST(a node that was not asked does not make anybody offline) {
  gather x{1, {1, 2}};
  x.blame({3});
  x.add(1, part(0, 0, {"anna"}));
  x.add(2, part(1, 1));
  x.finish({});
  CHECK(x.event.offline.empty());
  CHECK_EQUAL(x.event.unreachable, nodes{3});
}

TEST(the answer names whoever could not be reached) {
  gather x{1, {1, 2, 3, 4}};
  x.add(1, part(1, 1));
  x.lost(2);
  x.lost(2);
  MESSAGE("a node that has answered is not lost any more");
  x.lost(1);
  x.add(3, part(0, 0));
  x.give_up();
  CHECK(x.complete());
  x.finish({9, 2});
  CHECK_EQUAL(x.event.unreachable, (nodes{2, 4, 9}));
  CHECK_EQUAL(x.info.unreachable, (nodes{2, 4, 9}));
}

TEST(what the nodes know of a user is put together) {
  gather x{5, {1, 2, 3}};
  user_info a;
  a.version = 7;
  a.info = R"({"n":1})";
  a.connections = {"a"};
  a.online = {true, false};
  a.changed = 1;
  user_info b;
  b.version = 3;
  b.connections = {"b", "c"};
  b.online = {false, false, true};
  b.changed = 2;
  x.add(1, a);
  x.add(2, b);
  x.add(3, user_info{});
  CHECK(x.complete());
  x.finish({});
  CHECK_EQUAL(x.info.ticket, 5u);
  CHECK_EQUAL(x.info.version, 7u);
  CHECK_EQUAL(x.info.info, R"({"n":1})");
  CHECK_EQUAL(x.info.connections, (names{"a", "b", "c"}));
  CHECK(x.info.online == (std::vector<bool>{true, false, true}));
  CHECK_EQUAL(x.info.changed, 3u);
}

TEST(nodes that failed before are named and not waited for) {
  gather x{1, {1, 2}};
  x.blame({3});
  x.add(1, part(0, 0, {"anna"}));
  x.add(2, part(0, 0, {"anna"}));
  CHECK(x.complete());
  x.finish({});
  CHECK_EQUAL(x.event.unreachable, nodes{3});
  CHECK_EQUAL(x.event.offline, names{"anna"});
}

TEST(what another node could not reach is named too) {
  gather x{1, {2}};
  auto y = part(1, 1);
  y.unreachable = {5, 6};
  x.add(2, y);
  x.finish({});
  CHECK_EQUAL(x.event.unreachable, (nodes{5, 6}));
}

TEST(whoever does not live any more is not waited for) {
  gather x{1, {1, 2, 3}};
  x.keep([](uint16_t node) { return node != 2; });
  CHECK(!x.waits_for(2));
  CHECK(x.waits_for(1));
  x.add(1, part(1, 1));
  x.add(3, part(1, 1));
  x.finish({});
  CHECK_EQUAL(x.event.unreachable, nodes{2});
}

TEST(of users who are on some nodes only these are asked) {
  gather x{1, {1, 2, 3}};
  x.matched(3);
  x.held_by("anna", {1, 2});
  x.held_by("ben", {2, 3});
  x.held_by("carla", {3});
  x.held_by("dora", {2});
  x.add(1, part(9, 1, {}, {true}));
  x.add(2, part(9, 0, {"anna", "ben", "dora"}, {true, true}));
  x.lost(3);
  x.finish({});
  CHECK_EQUAL(x.event.matched, 3u);
  CHECK_EQUAL(x.event.online, 1u);
  MESSAGE("anna took it elsewhere; of ben and carla node 3 does not tell");
  CHECK_EQUAL(x.event.offline, names{"dora"});
}
