#include "transports/net/site_guard.hpp"

#include "transports/codec/json_text.hpp"
#include "transports/codec/uri.hpp"
#include "transports/log/line_limit.hpp"
#include "transports/net/host_names.hpp"
#include "transports/net/http_connection.hpp"
#include "transports/net/ip_address.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace signalbox::net {

namespace {

class site_guard : public http_service {
public:
  site_guard(std::unique_ptr<http_service> service, site_guard_options opts)
    : service_(std::move(service)), opts_(std::move(opts)),
      allow_(opts_.allow) {
    // nop
  }

  size_t on_header(const std::shared_ptr<http_connection>& from) override {
    auto why = objection(*from);
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
  bool known(const codec::origin& x) const {
    return is_known_host(x.host, opts_.hosts);
  }

  /// Returns why a request is none of a publisher, empty if it may be one.
  std::string_view objection(const http_connection& from) const {
    const auto& x = from.request();
    if (!opts_.allow.empty() && !allow_.contains(from.peer()))
      return "this address is not in site-listener.allow";
    auto host = codec::parse_origin("http://" + std::string{x.header("host")});
    if (!host || !known(*host))
      return "this Host is not in site-listener.hosts";
    for (const auto& [name, value] : x.headers) {
      if (same_token(name, "cookie"))
        return "publishers send no Cookie here; browsers belong to "
               "listen.public";
      if (same_token(name.substr(0, 10), "sec-fetch-"))
        return "browsers belong to listen.public";
    }
    auto text = x.header("origin");
    // Old libraries fill in a star if they are told no Origin.
    if (text.empty() || text == "*" || text == "http://*")
      return {};
    // Node.js clients of 0.9 name the host without a scheme, which no browser
    // does.
    if (same_token(text, x.header("host")))
      return {};
    // Its port is that of the listener the publisher came to.
    if (from.tunnelled())
      return {};
    auto own = from.owner().address();
    auto origin = codec::parse_origin(text);
    auto port = own.substr(own.rfind(':') + 1);
    if (!origin || !known(*origin) || std::to_string(origin->port) != port)
      return "this Origin is not the URL of the listener";
    return {};
  }

  void refuse(http_connection& from, std::string_view why) {
    if (auto turn = log_turn(log_cause::publisher))
      spdlog::warn("refused a publisher without a key: {}{}", why, *turn);
    http_response no;
    no.status = 403;
    no.content_type = "application/json";
    no.body = "{\"code\":4,\"message\":";
    codec::quote_json(why, no.body);
    no.body += '}';
    no.close = true;
    from.respond(std::move(no));
  }

  std::unique_ptr<http_service> service_;
  site_guard_options opts_;
  networks allow_;
};

} // namespace

std::unique_ptr<http_service>
make_site_guard(std::unique_ptr<http_service> service,
                site_guard_options opts) {
  return std::make_unique<site_guard>(std::move(service), std::move(opts));
}

} // namespace signalbox::net
