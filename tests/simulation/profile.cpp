#include "tests/simulation/profile.hpp"

namespace signalbox::simulation {

profile::profile(dice& luck) {
  using std::chrono::milliseconds;
  nodes = static_cast<int>(luck.between(3, 5));
  steps = static_cast<int>(luck.between(20, 160));
  faults = static_cast<int>(luck.between(0, 4) * 8);
  delay = luck.between(1, 4) * 10 - 5;
  long_delay = luck.percent(40) ? 0 : luck.between(2, 20) * 20;
  late = luck.percent(50) ? 0 : static_cast<int>(luck.between(5, 40));
  slow_dials = luck.percent(60) ? 0 : static_cast<int>(luck.between(5, 70));
  reuse = luck.percent(50);
  aliases = luck.percent(20);
  if (luck.percent(25)) {
    // Connections of two nodes that cross.
    aliases = true;
    reuse = false;
    slow_dials = 50;
  }
  skew = luck.between(0, 1);
  auto& c = opts.cluster;
  c.name = "simulated";
  c.heartbeat = milliseconds{luck.between(3, 6) * 100};
  c.dead_after = milliseconds{luck.between(13, 25) * 100};
  c.request_timeout = milliseconds{luck.between(5, 12) * 100};
  opts.presence.leave_grace = milliseconds{luck.between(1, 8) * 400};
  opts.presence.max_connections = luck.percent(15) ? 3 : 32;
  if (luck.percent(5))
    c.queue_bytes = 4096;
  opts.ingest.keys = {{"site", "key-of-the-site!", {}, false}};
  opts.ingest.idempotency_window = milliseconds{luck.between(2, 12) * 5000};
  opts.rules = {{"*", "parcel", rule_target::all, "", ""}};
}

} // namespace signalbox::simulation
