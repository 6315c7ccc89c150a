#include "actors/metrics/operations_service.hpp"

#include "transports/net/http_connection.hpp"

#include <chrono>

namespace signalbox {

namespace {

class operations_service : public net::http_service {
public:
  operations_service(std::function<all_counters()> read, std::string version)
    : read_(std::move(read)), version_(std::move(version)) {
    // nop
  }

  size_t on_header(const std::shared_ptr<net::http_connection>&) override {
    return 0;
  }

  void on_request(const std::shared_ptr<net::http_connection>& from) override {
    const auto& x = from->request();
    net::http_response out;
    out.headers = "Cache-Control: no-store\r\n";
    if (x.method != "GET" && x.method != "HEAD") {
      out.status = 405;
      out.body = "only GET\n";
    } else if (x.path == "/healthz") {
      out.body = "ok\n";
    } else if (x.path == "/readyz") {
      auto all = read_();
      out.status = all.ready ? 200 : 503;
      out.body = all.ready      ? "ready\n"
                 : all.draining ? "draining\n"
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
    } else if (x.path == "/api/v1/cluster") {
      auto all = read_();
      out.content_type = "application/json";
      if (all.cluster) {
        out.body = render_cluster(*all.cluster);
      } else {
        out.status = 404;
        out.body = "{\"ok\":false,\"error\":{\"code\":\"not_found\",\"message\":"
                   "\"this router is by itself; give it a cluster.name\"}}";
      }
    } else {
      out.status = 404;
      out.body = "known paths are /healthz, /readyz, /metrics, /api/v1/status, "
                 "/api/v1/clients and /api/v1/cluster\n";
    }
    from->respond(std::move(out));
  }

private:
  std::function<all_counters()> read_;
  std::string version_;
  std::chrono::steady_clock::time_point started_ =
    std::chrono::steady_clock::now();
};

} // namespace

std::unique_ptr<net::http_service>
make_operations_service(std::function<all_counters()> read,
                        std::string version) {
  return std::make_unique<operations_service>(std::move(read),
                                              std::move(version));
}

} // namespace signalbox
