#pragma once

#include "actors/ingest/ingest.hpp"

#include "tests/support/actors.hpp"

namespace signalbox::test {

using fake_users = recorder<deliver_users, user_command>;
using fake_nsp = recorder<broadcast>;
using fake_transport = recorder<api_answer>;
using fake_publisher = recorder<published>;
using fake_relay =
  recorder<broadcast, wire::claimed, wire::claim_settled, keys_listed>;

constexpr auto letter = R"({"type":"letter","payload":{"to":"anna"}})";
constexpr auto news = R"({"type":"news","payload":1})";

/// INGEST between recorders.
struct ingest_rig : shards {
  explicit ingest_rig(bool in_cluster = false) {
    opts.ingest.keys = {{"site", "key-of-the-site!", {}, true},
                        {"chat", "key-of-the-chat!", {"/chat"}, false}};
    keys = credentials{opts.ingest.keys};
    opts.ingest.idempotency_keys = 2;
    opts.ingest.max_confirms = 2;
    opts.ingest.max_batch = 3;
    opts.rules = {{"*", "letter", rule_target::user, "/to", ""},
                  {"*", "note", rule_target::room, "/room", ""},
                  {"*", "news", rule_target::all, "", "headline"}};
    std::tie(users, asked) = spawn_light<fake_users, users_actor>(one);
    std::tie(root, cast) = spawn_light<fake_nsp, nsp_actor>(one);
    std::tie(chat, chat_cast) = spawn_light<fake_nsp, nsp_actor>(one);
    std::tie(http, answers) = spawn_light<fake_transport, transport_actor>(two);
    std::tie(publisher, replies) =
      spawn_light<fake_publisher, connection_actor>(two);
    if (in_cluster)
      std::tie(relay, relayed) = spawn_light<fake_relay, relay_actor>(one);
    in = spawn_ingest(one, opts, keys, users, {{"/", root}, {"/chat", chat}},
                      relay, "e-", count);
  }

  ~ingest_rig() {
    end(in);
    end(users);
    end(root);
    end(chat);
    end(http);
    end(publisher);
    if (relay)
      end(relay);
    settle();
    in = nullptr;
    users = nullptr;
    root = chat = nullptr;
    http = nullptr;
    publisher = nullptr;
    relay = nullptr;
  }

  void call(std::string body, std::string key = "key-of-the-site!",
            std::string path = "/api/v1/events", std::string method = "POST") {
    caf::anon_send(in,
                   api_call{http, ++ticket, std::move(method), std::move(path),
                            "Bearer " + key, std::move(body)});
    settle();
  }

  /// Returns what came back since: `status json`, one a line.
  std::string said() {
    settle();
    std::string out;
    for (const auto& each : std::exchange(answers->all<api_answer>(), {}))
      out += (out.empty() ? "" : "\n") + std::to_string(each.status) + ' '
             + each.json;
    return out;
  }

  /// Posts and returns the refusal as `status code pointer`.
  std::string refused(std::string body,
                      const std::string& key = "key-of-the-site!") {
    call(std::move(body), key);
    auto text = said();
    auto code = text.find("\"code\":\"");
    auto pointer = text.find("\"pointer\":\"");
    if (code == text.npos || pointer == text.npos)
      return text;
    auto cut = [&text](size_t at) {
      return text.substr(at, text.find('"', at) - at);
    };
    return text.substr(0, 4) + cut(code + 8) + ' ' + cut(pointer + 11);
  }

  void route(uint64_t number, uint64_t matched, uint64_t online,
             std::vector<std::string> offline = {}) {
    routed x;
    x.ticket = number;
    x.matched = matched;
    x.online = online;
    x.offline = std::move(offline);
    caf::anon_send(in, std::move(x));
    settle();
  }

  /// Answers the oldest event that went to users.
  void route_users(uint64_t matched, uint64_t online,
                   std::vector<std::string> offline = {}) {
    auto& all = asked->all<deliver_users>();
    auto number = all.front().ticket;
    all.erase(all.begin());
    route(number, matched, online, std::move(offline));
  }

  void route_nsp(uint64_t matched, uint64_t online) {
    auto& all = cast->all<broadcast>();
    auto number = all.front().ticket;
    all.erase(all.begin());
    route(number, matched, online);
  }

  void publish_as(size_t key, const std::string& nsp, const std::string& type,
                  const std::string& payload, uint64_t number) {
    caf::anon_send(in, publish{publisher, number, number != 0, key, nsp,
                               '"' + type + '"', payload});
    settle();
  }

  /// Begins a confirm of two users.
  uint64_t begin_confirm(const std::string& more = {}) {
    call(R"({"type":"letter","payload":{"to":["anna","ben"]},)" + more
         + R"("confirm":{"deadline_ms":5000}})");
    return asked->all<deliver_users>().empty()
             ? 0
             : asked->all<deliver_users>().back().confirm;
  }

  credentials keys{opts.ingest.keys};
  users_actor users;
  nsp_actor root;
  nsp_actor chat;
  transport_actor http;
  connection_actor publisher;
  /// Of a cluster only.
  relay_actor relay;
  ingest_actor in;
  fake_users* asked = nullptr;
  fake_nsp* cast = nullptr;
  fake_nsp* chat_cast = nullptr;
  fake_transport* answers = nullptr;
  fake_publisher* replies = nullptr;
  fake_relay* relayed = nullptr;
  uint64_t ticket = 0;
};

} // namespace signalbox::test
