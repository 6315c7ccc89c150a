#include "apps/router/options.hpp"
#include "apps/router/setting_table.hpp"
#include "apps/router/setting_value.hpp"
#include "transports/codec/uri.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace signalbox::app {

namespace {

std::string indexed(const std::string& list, size_t i) {
  return list + '[' + std::to_string(i) + ']';
}

std::string lower_case(std::string x) {
  for (auto& c : x)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return x;
}

class check {
public:
  explicit check(loaded_settings& x) : x_(x), values_(x.values) {
    // nop
  }

  void run() {
    listeners();
    tls();
    origins();
    namespaces();
    site();
    rules();
    keys();
    publishers();
    sizes();
    if (values_.cluster.name.empty())
      no_cluster();
    else
      cluster();
  }

private:
  void refuse(const std::string& path, const std::string& why) {
    x_.errors.push_back(source_of(x_, path) + ": " + path + ": " + why);
  }

  void warn(const std::string& path, const std::string& why) {
    x_.warnings.push_back(source_of(x_, path) + ": " + path + ": " + why);
  }

  void listeners() {
    std::map<std::string, std::string> seen;
    std::vector<std::pair<std::string, std::string>> all{
      {"listen.public", values_.listen.public_},
      {"listen.ingest", values_.listen.ingest},
      {"listen.operations", values_.listen.operations},
      {"listen.site", values_.listen.site},
    };
    if (!values_.cluster.name.empty())
      all.emplace_back("cluster.listen", values_.cluster.listen);
    for (const auto& [name, address] : all) {
      auto [i, added] = seen.emplace(address, name);
      if (!added && !address.empty() && !address.ends_with(":0"))
        refuse(name, '"' + address + "\" is taken by " + i->second
                       + "; give each listener its own");
    }
    // It asks for no key, so it must not be open to any client that comes.
    const auto& site = values_.listen.site;
    if (!site.empty() && !is_loopback(site)
        && values_.site_listener.allow.empty())
      refuse("listen.site",
             '"' + site
               + "\" reaches beyond loopback and takes events without a key; "
                 "give the addresses of the publishers in site-listener.allow");
  }

  void tls() {
    if (!values_.tls.certificate.empty() && values_.tls.key.empty())
      refuse("tls.certificate", "has no key; give tls.key as well");
    if (values_.tls.certificate.empty() && !values_.tls.key.empty())
      refuse("tls.key", "has no certificate; give tls.certificate as well");
  }

  // A page of any site can put itself into a sandbox, and is `null` then.
  void origins() {
    const auto& allow = values_.origin.allow;
    for (size_t i = 0; i < allow.size(); ++i)
      if (auto x = lower_case(allow[i]); x == "null" || x == "file://")
        warn(indexed("origin.allow", i),
             "admits every page that calls itself null, also one of another "
             "site in a sandboxed frame; let the site's cookies be "
             "SameSite=Lax or Strict");
  }

  void namespaces() {
    for (size_t i = 0; i < values_.namespaces.size(); ++i) {
      const auto& nsp = values_.namespaces[i];
      auto path = indexed("namespaces", i);
      if (!names_.insert(nsp.name).second)
        refuse(path + ".name",
               '"' + nsp.name + "\" is there twice; give each name once");
      if (!nsp.anonymous && values_.site.auth_url.empty())
        warn(path, "browsers will be told that \"" + nsp.name
                     + "\" is unavailable; give site.auth-url, or anonymous: "
                       "true");
      if (nsp.on_client_event == client_events::forward
          && values_.site.event_url.empty())
        warn(path, "events of browsers in \"" + nsp.name
                     + "\" have nowhere to go; give site.event-url");
    }
  }

  // Both would be the Authorization of the call.
  void site() {
    const auto& x = values_.site;
    auto passed = std::any_of(x.headers.begin(), x.headers.end(),
                              [](const std::string& name) {
                                return lower_case(name) == "authorization";
                              });
    auto url = codec::parse_site_url(x.auth_url);
    if (passed && url && !url->authorization.empty())
      refuse("site.headers",
             "passes the browser's Authorization on, but site.auth-url has a "
             "user of its own; take one of them away");
  }

  void known_namespace(const std::string& path, const std::string& name) {
    if (names_.contains(name))
      return;
    std::string all;
    for (const auto& x : names_)
      all += ", " + x;
    refuse(path, '"' + name + "\" is none of the namespaces; give one of "
                   + all.substr(2));
  }

  void rules() {
    for (size_t i = 0; i < values_.rules.size(); ++i) {
      const auto& rule = values_.rules[i];
      auto path = indexed("rules", i);
      if (rule.namespace_ != "*")
        known_namespace(path + ".namespace", rule.namespace_);
      auto named = rule.to == rule_target::user || rule.to == rule_target::room;
      if (named && rule.pointer.empty())
        refuse(path + ".pointer",
               "missing; a rule to user or room needs a JSON pointer, such as "
               "/to");
    }
  }

  void keys() {
    std::set<std::string> seen;
    for (size_t i = 0; i < values_.ingest.keys.size(); ++i) {
      const auto& key = values_.ingest.keys[i];
      auto path = indexed("ingest.keys", i);
      if (!seen.insert(key.key).second)
        refuse(path + ".key", "is there twice; give each key once");
      for (const auto& name : key.namespaces)
        known_namespace(path + ".namespaces", name);
    }
  }

  void publishers() {
    for (const auto& name : values_.site_listener.namespaces)
      known_namespace("site-listener.namespaces", name);
  }

  void sizes() {
    if (values_.ingest.max_event > values_.ingest.max_body)
      refuse("ingest.max-event", "is over ingest.max-body; give at most "
                                   + std::to_string(values_.ingest.max_body));
    if (values_.ingest.max_event > values_.limits.outbox_bytes)
      warn("ingest.max-event",
           "is over limits.outbox-bytes; a browser that gets such an event is "
           "closed as slow");
  }

  // A node without the name would wait for nodes that never come.
  void no_cluster() {
    settings defaults;
    for (const auto& x : setting_table())
      if (x.name.starts_with("cluster.")
          && print_value(x, &x_.values) != print_value(x, &defaults))
        warn(x.name, "has no effect; give cluster.name as well");
  }

  void cluster() {
    const auto& x = values_.cluster;
    if (!x_.sources.contains("router.node"))
      warn("router.node", "is " + std::to_string(values_.router.node)
                            + "; give each node of a cluster its own number");
    if (x.sid_key.size() < 32)
      refuse("cluster.sid-key",
             std::string{x.sid_key.empty() ? "missing" : "is too short"}
               + "; give all nodes the same secret of at least 32 characters, "
                 "such as `openssl rand -base64 32` prints");
    if (x.heartbeat * 2 >= x.dead_after)
      refuse("cluster.heartbeat",
             "is not less than half of cluster.dead-after; one lost sign of "
             "life would be a death; give at most "
               + std::to_string((x.dead_after.count() - 1) / 2) + "ms");
    if (is_wildcard(x.listen) && x.advertise.empty())
      refuse("cluster.listen",
             '"' + x.listen
               + "\" is every address of this machine; give the one that the "
                 "other nodes reach in cluster.advertise");
    certificates();
  }

  // Without certificates any process that reaches a node counts as one.
  void certificates() {
    const auto& x = values_.cluster;
    std::string given;
    std::string missing;
    for (const auto& [name, file] :
         {std::pair{"certificate", &x.certificate}, std::pair{"key", &x.key},
          std::pair{"ca", &x.ca}}) {
      auto path = std::string{"cluster."} + name;
      if (file->empty())
        missing += (missing.empty() ? "" : " and ") + path;
      else if (given.empty())
        given = path;
    }
    if (missing.empty())
      return;
    if (!given.empty())
      return refuse(given, "comes with a certificate, its key and the "
                           "authority; give "
                             + missing + " as well");
    auto local = [this](const std::string& path, const std::string& address) {
      if (!address.empty() && !is_loopback(address))
        refuse(path, '"' + address
                       + "\" reaches beyond loopback, where nodes must prove "
                         "who they are; give cluster.certificate, cluster.key "
                         "and cluster.ca (configs/make-cluster-certs makes "
                         "them)");
    };
    local("cluster.listen", x.listen);
    local("cluster.advertise", x.advertise);
    for (size_t i = 0; i < x.seeds.size(); ++i)
      local(indexed("cluster.seeds", i), x.seeds[i]);
  }

  loaded_settings& x_;
  const settings& values_;
  std::set<std::string> names_;
};

} // namespace

std::string source_of(const loaded_settings& x, std::string path) {
  for (;;) {
    if (auto i = x.sources.find(path); i != x.sources.end())
      return i->second;
    auto end = path.find_last_of(".[");
    if (end == std::string::npos)
      return "default";
    path.resize(end);
  }
}

void check_settings(loaded_settings& x) {
  check{x}.run();
}

} // namespace signalbox::app
