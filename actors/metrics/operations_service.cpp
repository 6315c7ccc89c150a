#include "actors/metrics/operations_service.hpp"

#include "transports/net/http_connection.hpp"

#include <charconv>
#include <chrono>

namespace signalbox {

namespace {

constexpr std::string_view api_path = "/api/";
constexpr std::string_view cluster_path = "/api/v1/cluster";

class operations_service : public net::http_service {
public:
  operations_service(std::function<all_counters()> read, std::string version,
                     std::function<std::string()> ingest,
                     cluster_actions actions)
    : read_(std::move(read)), version_(std::move(version)),
      ingest_(std::move(ingest)), actions_(std::move(actions)) {
    // nop
  }

  size_t on_header(const std::shared_ptr<net::http_connection>&) override {
    return 0;
  }

  void on_request(const std::shared_ptr<net::http_connection>& from) override {
    const auto& x = from->request();
    net::http_response out;
    out.headers = "Cache-Control: no-store\r\n";
    if (x.method == "POST" && x.path.starts_with(cluster_path)) {
      act(x, out);
    } else if (x.path.starts_with(api_path) && x.method != "GET"
               && x.method != "HEAD") {
      refuse(out, 404, wrong_listener());
    } else if (x.method != "GET" && x.method != "HEAD") {
      out.status = 405;
      out.body = "only GET\n";
    } else if (x.path == "/healthz") {
      out.body = "ok\n";
    } else if (x.path == "/readyz") {
      auto all = read_();
      // By 404 HAProxy knows a node that gets nothing new and keeps what it
      // has.
      out.status = all.ready ? 200 : x.query == "not-ready=404" ? 404 : 503;
      out.body = all.ready              ? "ready\n"
                 : !all.trouble.empty() ? "not ready: " + all.trouble + "\n"
                 : all.draining         ? "draining\n"
                                        : "starting\n";
    } else if (x.path == "/metrics") {
      out.content_type = "text/plain; version=0.0.4; charset=utf-8";
      out.body = render_metrics(read_());
    } else if (x.path == "/api/v1/status") {
      using namespace std::chrono;
      out.content_type = "application/json";
      auto up = duration<double>(steady_clock::now() - started_).count();
      out.body = render_status(read_(), up, version_);
    } else if (x.path == "/api/v1/clients") {
      out.content_type = "application/json";
      out.body = render_clients(read_().clients);
    } else if (x.path == cluster_path) {
      auto all = read_();
      out.content_type = "application/json";
      if (all.cluster)
        out.body = render_cluster(*all.cluster);
      else
        refuse(out, 404, "this router is by itself; give it a cluster.name");
    } else {
      out.status = 404;
      if (x.path.starts_with(api_path))
        refuse(out, 404, wrong_listener());
      else
        out.body =
          "known paths are /healthz, /readyz, /metrics, /api/v1/status, "
          "/api/v1/clients and /api/v1/cluster\n";
    }
    from->respond(std::move(out));
  }

  // No path here takes a body: a request with one is for another listener.
  void on_too_large(net::http_connection& from) override {
    const auto& x = from.request();
    net::http_response out;
    refuse(out, 413,
           x.path.starts_with(cluster_path)
             ? "these calls have no body; send it empty"
             : wrong_listener());
    from.respond(std::move(out));
  }

private:
  std::string wrong_listener() const {
    return "this is listen.operations; the API that takes events is at "
           "listen.ingest, http://"
           + ingest_() + "/api/v1/events";
  }

  static void refuse(net::http_response& out, unsigned status,
                     std::string_view why) {
    out.status = status;
    out.content_type = "application/json";
    out.body = "{\"ok\":false,\"error\":{\"message\":\"";
    out.body.append(why).append("\"}}");
  }

  void act(const net::http_request& x, net::http_response& out) const {
    out.content_type = "application/json";
    out.body = "{\"ok\":true}";
    auto what = x.path.substr(cluster_path.size());
    uint16_t node = 0;
    // A page on an operator's machine could send this too.
    if (!x.header("origin").empty())
      refuse(out, 403, "not from a browser");
    else if (!actions_.leave)
      refuse(out, 404, "this router is by itself; give it a cluster.name");
    else if (what == "/leave")
      actions_.leave();
    else if (!read_number(what, "/drain/", node))
      refuse(out, 404, "there are /leave and /drain/NODE");
    else if (!actions_.drain(node))
      refuse(out, 404, "no such node is linked; see /api/v1/cluster");
  }

  static bool read_number(std::string_view text, std::string_view prefix,
                          uint16_t& out) {
    if (!text.starts_with(prefix))
      return false;
    text.remove_prefix(prefix.size());
    auto [end, ec] =
      std::from_chars(text.data(), text.data() + text.size(), out);
    return ec == std::errc{} && end == text.data() + text.size();
  }

  std::function<all_counters()> read_;
  std::string version_;
  std::function<std::string()> ingest_;
  cluster_actions actions_;
  std::chrono::steady_clock::time_point started_ =
    std::chrono::steady_clock::now();
};

} // namespace

std::unique_ptr<net::http_service>
make_operations_service(std::function<all_counters()> read, std::string version,
                        std::function<std::string()> ingest,
                        cluster_actions actions) {
  return std::make_unique<operations_service>(
    std::move(read), std::move(version), std::move(ingest), std::move(actions));
}

} // namespace signalbox
