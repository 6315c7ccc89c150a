#include "actors/transport/api_service.hpp"

#include "actors/api/type_ids.hpp"
#include "actors/ingest/post.hpp"
#include "actors/shard/light_actor.hpp"
#include "transports/net/header_list.hpp"
#include "transports/net/http_connection.hpp"

#include <caf/send.hpp>

#include <unordered_map>

namespace signalbox {

namespace {

constexpr std::string_view api_prefix = "/api/";
constexpr std::string_view events_path = "/api/v1/events";
constexpr std::string_view json_type = "application/json";

class transport_impl : public light_actor {
public:
  transport_impl(caf::actor_config& cfg, shard& at, counters& count)
    : light_actor(cfg, at), population_(count, actor_kind::transport) {
    // nop
  }

  const char* name() const override {
    return "signalbox.transport";
  }

  /// Remembers who waits. Returns the ticket of the wait.
  uint64_t wait(std::shared_ptr<net::http_connection> who) {
    waiting_[++last_] = std::move(who);
    return last_;
  }

  /// Forgets who waits no more.
  void forget(const net::http_connection& who) {
    std::erase_if(waiting_,
                  [&who](const auto& x) { return x.second.get() == &who; });
  }

protected:
  void receive(caf::mailbox_element& x) override {
    auto known = dispatch<api_answer>(x, [this](api_answer& msg) { on(msg); });
    if (!known)
      unexpected(x);
  }

  void on_end(const caf::error&) override {
    population_.end();
    waiting_.clear();
  }

private:
  void on(api_answer& x) {
    auto node = waiting_.extract(x.ticket);
    if (node.empty())
      return;
    net::http_response out;
    out.status = x.status;
    out.content_type = json_type;
    out.body = std::move(x.json);
    if (x.status == 401)
      out.headers = "WWW-Authenticate: Bearer\r\n";
    node.mapped()->respond(std::move(out));
  }

  population population_;
  uint64_t last_ = 0;
  std::unordered_map<uint64_t, std::shared_ptr<net::http_connection>> waiting_;
};

class api_service : public net::http_service {
public:
  api_service(shard& home, ingest_actor ingest, size_t max_body,
              std::unique_ptr<net::http_service> rest, counters& count)
    : ingest_(std::move(ingest)), max_body_(max_body), rest_(std::move(rest)) {
    std::tie(transport_, local_) =
      spawn_light<transport_impl, transport_actor>(home, count);
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
    call.asker = transport_;
    call.ticket = local_->wait(from);
    call.method = x.method;
    call.path = x.path;
    call.authorization = x.header("authorization");
    call.body = from->take_body();
    caf::anon_send(ingest_, std::move(call));
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
      local_->forget(from);
    else
      rest_->on_abort(from);
  }

  std::string error_headers(const net::http_request& x) override {
    return x.path.starts_with(api_prefix) ? std::string{}
                                          : rest_->error_headers(x);
  }

private:
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

  ingest_actor ingest_;
  size_t max_body_;
  std::unique_ptr<net::http_service> rest_;
  transport_actor transport_;
  transport_impl* local_ = nullptr;
};

} // namespace

std::unique_ptr<net::http_service>
make_api_service(shard& home, ingest_actor ingest, size_t max_body,
                 std::unique_ptr<net::http_service> rest, counters& count) {
  return std::make_unique<api_service>(home, std::move(ingest), max_body,
                                       std::move(rest), count);
}

} // namespace signalbox
