#include "actors/metrics/exposition.hpp"

#include <nlohmann/json.hpp>

#include <cctype>
#include <set>
#include <sstream>

#include "tests/support/check.hpp"

using namespace signalbox;

namespace {

struct fixture {
  counters actors;
  net::net_counters net;
  net::engine_counters engine;
  session::counters sessions;
  net::client_census clients;
  net::memory_counters memory;
  all_counters all{actors, net,  engine, sessions, clients,
                   memory, 5000, true,   false,    {}};

  std::string state() const {
    return status()["state"];
  }

  std::string trouble() const {
    return status()["trouble"];
  }

  /// Returns whether a line stands in the exposition.
  bool has(const std::string& line) const {
    return ('\n' + render_metrics(all)).find('\n' + line + '\n')
           != std::string::npos;
  }

  nlohmann::json status() const {
    return nlohmann::json::parse(render_status(all, 61.9, "1.2.3"));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(exposition_tests, fixture)

TEST(every series stands behind the type of its metric) {
  std::istringstream in{render_metrics(all)};
  std::set<std::string> metrics;
  std::set<std::string> series;
  std::string current;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words{line};
    std::string head;
    std::string second;
    std::string name;
    std::string type;
    words >> head;
    if (head == "#") {
      words >> second >> name >> type;
      CHECK(second == "HELP" || second == "TYPE");
      CHECK(name.starts_with("signalbox_"));
      if (second == "HELP") {
        MESSAGE("metric " << name);
        CHECK(metrics.insert(name).second);
        current = name;
      } else {
        CHECK_EQUAL(name, current);
        CHECK(type == "counter" || type == "gauge");
        CHECK_EQUAL(type == "counter", name.ends_with("_total"));
      }
      continue;
    }
    words >> second;
    CHECK_EQUAL(head.substr(0, head.find('{')), current);
    CHECK(series.insert(head).second);
    CHECK(!second.empty() && std::isdigit(second[0]) != 0);
  }
  CHECK(metrics.size() > 30);
}

TEST(what is wrong is told) {
  all.ready = false;
  CHECK_EQUAL(state(), "starting");
  CHECK(!status().contains("trouble"));
  all.trouble = "INGEST ended: \"no memory\"";
  CHECK_EQUAL(state(), "not ready");
  CHECK_EQUAL(trouble(), all.trouble);
  all.draining = true;
  CHECK_EQUAL(state(), "draining");
  CHECK_EQUAL(trouble(), all.trouble);
}

TEST(nodes that do not fit are told) {
  cluster_info x;
  x.members.resize(2);
  x.members[0].node = 2;
  x.members[1].node = 3;
  x.members[1].differs = {"rules", "ingest.keys"};
  auto told = nlohmann::json::parse(render_cluster(x));
  CHECK(!told.contains("conflict"));
  CHECK(!told["members"][0].contains("differs"));
  CHECK_EQUAL(told["members"][1]["differs"].dump(),
              R"(["rules","ingest.keys"])");
  all.cluster = x;
  CHECK(has("signalbox_peer_settings_differ{node=\"2\"} 0"));
  CHECK(has("signalbox_peer_settings_differ{node=\"3\"} 2"));
  CHECK(has("signalbox_cluster_conflict 0"));
  x.conflict = "router.node 1 is taken";
  told = nlohmann::json::parse(render_cluster(x));
  CHECK_EQUAL(told["conflict"].get<std::string>(), x.conflict);
  all.cluster = x;
  CHECK(has("signalbox_cluster_conflict 1"));
}

TEST(numbers appear under their names) {
  actors.actors[static_cast<size_t>(actor_kind::connection)] = 3;
  actors.actors[static_cast<size_t>(actor_kind::site_auth)] = 1;
  actors.connects_unavailable = 4;
  actors.limit_rooms = 5;
  actors.events_duplicate = 6;
  actors.users_online = 7;
  net.refused_rate = 8;
  net.timeouts_idle = 9;
  engine.unknown_sids = 10;
  sessions.live_polling = 11;
  sessions.closed[static_cast<size_t>(session::close_reason::slow)] = 12;
  CHECK(has(R"(signalbox_actors{kind="connection"} 3)"));
  CHECK(has(R"(signalbox_actors{kind="site_auth"} 1)"));
  CHECK(has(R"(signalbox_connects_total{result="unavailable"} 4)"));
  CHECK(has(R"(signalbox_limits_total{limit="rooms"} 5)"));
  CHECK(has(R"(signalbox_events_total{result="duplicate"} 6)"));
  CHECK(has("signalbox_users_online 7"));
  CHECK(has(R"(signalbox_tcp_refused_total{limit="per-ip-rate"} 8)"));
  CHECK(has(R"(signalbox_http_timeouts_total{phase="idle"} 9)"));
  CHECK(has("signalbox_unknown_sids_total 10"));
  CHECK(has(R"(signalbox_sessions{transport="polling"} 11)"));
  CHECK(has(R"(signalbox_sessions_closed_total{reason="slow"} 12)"));
  CHECK(has("signalbox_tcp_connections_max 5000"));
  CHECK(has("signalbox_ready 1"));
}

TEST(every kind of actor and every close reason has a series) {
  auto text = render_metrics(all);
  auto count = [&text](const std::string& what) {
    size_t n = 0;
    for (auto i = text.find(what); i != text.npos; i = text.find(what, i + 1))
      ++n;
    return n;
  };
  CHECK_EQUAL(count("\nsignalbox_actors{"),
              static_cast<size_t>(actor_kind::count_));
  CHECK_EQUAL(count("\nsignalbox_sessions_closed_total{"),
              static_cast<size_t>(session::close_reason::count_));
}

TEST(the status is a JSON object) {
  actors.users_online = 2;
  actors.events_refused = 3;
  sessions.live_websocket = 4;
  auto x = status();
  CHECK_EQUAL(x["version"], "1.2.3");
  CHECK_EQUAL(x["state"], "ready");
  CHECK_EQUAL(x["uptime_seconds"], 61);
  CHECK_EQUAL(x["users_online"], 2);
  CHECK_EQUAL(x["events"]["refused"], 3);
  CHECK_EQUAL(x["sessions"]["websocket"], 4);
  CHECK(x["resident_memory_bytes"] > 0);
}

TEST(the state follows the life of the router) {
  all.ready = false;
  CHECK_EQUAL(state(), "starting");
  CHECK(has("signalbox_ready 0"));
  all.draining = true;
  CHECK_EQUAL(state(), "draining");
}

CAF_TEST_FIXTURE_SCOPE_END()
