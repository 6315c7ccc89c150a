#include "apps/router/changes.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;

using names = std::vector<std::string>;

TEST(equal settings have no changes) {
  settings x;
  x.rules.push_back({});
  CHECK_EQUAL(app::changed_settings(x, x), names{});
}

TEST(changes are told by the names of settings) {
  settings x;
  auto y = x;
  y.limits.per_ip = 5;
  y.engine.ping_interval = milliseconds{7000};
  y.presence.when_full = presence_full::close_oldest;
  CHECK_EQUAL(
    app::changed_settings(x, y),
    (names{"engine.ping-interval", "presence.when-full", "limits.per-ip"}));
}

TEST(changes of secrets and inside lists are found) {
  settings x;
  x.ingest.keys = {{"site", "0123456789abcdef", {}, false}};
  auto y = x;
  y.ingest.keys[0].key = "fedcba9876543210";
  y.cluster.sid_key = "s";
  CHECK_EQUAL(app::changed_settings(x, y),
              (names{"ingest.keys", "cluster.sid-key"}));
  y = x;
  y.namespaces.push_back({});
  CHECK_EQUAL(app::changed_settings(x, y), names{"namespaces"});
}
