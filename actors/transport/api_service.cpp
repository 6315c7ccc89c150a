#include "actors/transport/api_service.hpp"

#include "actors/api/type_ids.hpp"
#include "actors/ingest/post.hpp"
#include "transports/net/header_list.hpp"
#include "transports/net/http_connection.hpp"

#include <caf/send.hpp>

#include <string_view>

namespace signalbox {

namespace {

constexpr std::string_view api_prefix = "/api/";
constexpr std::string_view events_path = "/api/v1/events";
constexpr std::string_view json_type = "application/json";

class api_service : public net::http_service {
public:
  api_service(std::pair<transport_actor, transport_side*> to, size_t max_body,
              std::unique_ptr<net::http_service> rest)
    : transport_(std::move(to.first)), local_(to.second), max_body_(max_body),
      rest_(std::move(rest)) {
    // nop
  }

  ~api_service() override {
    caf::anon_send_exit(transport_, caf::exit_reason::user_shutdown);
  }

  size_t on_header(const std::shared_ptr<net::http_connection>& from) override {
    const auto& x = from->request();
    if (!x.path.starts_with(api_prefix))
      return rest_->on_header(from);
    auto encoding = net::joined(x, "content-encoding");
    // Commands still come through: they end connections, if anything.
    if (x.path == events_path && net::short_of_memory(from->owner().limits()))
      refuse(*from, 503, {ec::overloaded, "", ""});
    else if (!encoding.empty() && !net::same_token(encoding, "identity"))
      refuse(*from, 415, {ec::bad_request, "", "send the body uncompressed"});
    return max_body_;
  }

  bool answers_soon(const net::http_request& x) const override {
    return x.path.starts_with(api_prefix);
  }

  bool answers_ended(const net::http_request& x) const override {
    return x.path.starts_with(api_prefix);
  }

  void on_request(const std::shared_ptr<net::http_connection>& from) override {
    const auto& x = from->request();
    if (!x.path.starts_with(api_prefix)) {
      rest_->on_request(from);
      return;
    }
    api_call call;
    call.method = x.method;
    call.path = x.path;
    call.authorization = x.header("authorization");
    call.body = from->take_body();
    local_->call(from->id(), std::move(call),
                 [from](api_answer&& answer) { respond(*from, answer); });
  }

  void on_too_large(net::http_connection& from) override {
    if (from.request().path.starts_with(api_prefix))
      refuse(from, 413,
             {ec::too_large, "", "the body is larger than ingest.max-body"});
    else
      rest_->on_too_large(from);
  }

  void on_abort(net::http_connection& from) override {
    if (from.request().path.starts_with(api_prefix))
      local_->forget(from.id());
    else
      rest_->on_abort(from);
  }

  std::string error_headers(const net::http_request& x) override {
    return x.path.starts_with(api_prefix) ? std::string{}
                                          : rest_->error_headers(x);
  }

private:
  static void respond(net::http_connection& to, api_answer& x) {
    net::http_response out;
    out.status = x.status;
    out.content_type = json_type;
    out.body = std::move(x.json);
    if (x.status == 401)
      out.headers = "WWW-Authenticate: Bearer\r\n";
    to.respond(std::move(out));
  }

  static void refuse(net::http_connection& from, unsigned status,
                     const refusal& why) {
    net::http_response no;
    no.status = status;
    no.content_type = json_type;
    no.body = to_json(why);
    if (status == 503)
      no.headers = "Retry-After: 1\r\n";
    from.respond(std::move(no));
  }

  transport_actor transport_;
  transport_side* local_;
  size_t max_body_;
  std::unique_ptr<net::http_service> rest_;
};

} // namespace

std::unique_ptr<net::http_service>
make_api_service(std::pair<transport_actor, transport_side*> to,
                 size_t max_body, std::unique_ptr<net::http_service> rest) {
  return std::make_unique<api_service>(std::move(to), max_body,
                                       std::move(rest));
}

} // namespace signalbox
