#include "transports/net/operations_guard.hpp"

#include "transports/codec/json_text.hpp"
#include "transports/codec/uri.hpp"
#include "transports/log/line_limit.hpp"
#include "transports/net/host_names.hpp"
#include "transports/net/http_connection.hpp"
#include "transports/net/ip_address.hpp"
#include "transports/net/origin_policy.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace signalbox::net {

namespace {

class operations_guard : public http_service {
public:
  operations_guard(std::unique_ptr<http_service> service,
                   std::vector<std::string> hosts)
    : service_(std::move(service)), hosts_(std::move(hosts)) {
    // nop
  }

  size_t on_header(const std::shared_ptr<http_connection>& from) override {
    auto why = objection(from->request());
    if (why.empty())
      return service_->on_header(from);
    refuse(*from, why);
    return 0;
  }

  void on_request(const std::shared_ptr<http_connection>& from) override {
    service_->on_request(from);
  }

  void on_too_large(http_connection& from) override {
    service_->on_too_large(from);
  }

  void on_abort(http_connection& from) override {
    service_->on_abort(from);
  }

private:
  /// Returns why a request may be that of a foreign page, empty if it is not.
  std::string_view objection(const http_request& x) const {
    auto text = x.header("host");
    auto host = codec::parse_origin("http://" + std::string{text});
    // What names an address cannot have been pointed elsewhere.
    auto known = text.empty()
                 || (host
                     && (is_known_host(host->host, hosts_)
                         || ip_address::parse(host->host)));
    if (!known)
      return "this Host is no address and not in operations.hosts";
    for (const auto& [name, value] : x.headers)
      if (same_token(name, "origin") && !(host && is_own(value, *host)))
        return "pages of other origins have no business at listen.operations";
    auto site = fetch_site_of(x);
    // To be led here by a link of the same machine's page reads nothing.
    auto led =
      x.method == "GET" && same_token(x.header("sec-fetch-mode"), "navigate");
    if (site == fetch_site::cross_site
        || (site == fetch_site::same_site && !led))
      return "pages of other sites have no business at listen.operations";
    return {};
  }

  /// Returns whether an Origin is that of the host itself, perhaps behind a
  /// proxy that speaks TLS.
  static bool is_own(std::string_view text, const codec::origin& host) {
    auto from = codec::parse_origin(text);
    return from && from->host == host.host
           && (from->port == host.port || from->scheme == "https");
  }

  void refuse(http_connection& from, std::string_view why) {
    ++from.owner().limits().counters->operations_refused;
    if (auto turn = log_turn(log_cause::operations))
      spdlog::warn("refused a request to listen.operations: {}{}", why, *turn);
    http_response no;
    no.status = 403;
    no.content_type = "application/json";
    no.body = "{\"ok\":false,\"error\":{\"message\":";
    codec::quote_json(why, no.body);
    no.body += "}}";
    no.close = true;
    from.respond(std::move(no));
  }

  std::unique_ptr<http_service> service_;
  std::vector<std::string> hosts_;
};

} // namespace

std::unique_ptr<http_service>
make_operations_guard(std::unique_ptr<http_service> service,
                      std::vector<std::string> hosts) {
  return std::make_unique<operations_guard>(std::move(service),
                                            std::move(hosts));
}

} // namespace signalbox::net
