#include "apps/load/report.hpp"

#include "transports/codec/json_text.hpp"

#include <cstdio>

namespace signalbox::load {

namespace {

double ratio(double x, double y) noexcept {
  return y > 0 ? x / y : 0;
}

double resident_per_connection(const report& x) noexcept {
  return ratio((double(x.resident_after) - double(x.resident_before)) / 1024,
               x.connected);
}

// Builds one flat JSON object.
class json_object {
public:
  void add(const char* name, const std::string& value) {
    key(name);
    codec::quote_json(value, text_);
  }

  void add(const char* name, const char* value) {
    add(name, std::string{value});
  }

  void add(const char* name, double value) {
    char digits[32];
    std::snprintf(digits, sizeof(digits), "%.4f", value);
    key(name);
    text_ += digits;
  }

  void add(const char* name, uint64_t value) {
    key(name);
    text_ += std::to_string(value);
  }

  void add(const char* name, const std::vector<uint64_t>& values) {
    key(name);
    text_ += '[';
    for (auto x : values)
      text_ += (text_.back() == '[' ? "" : ",") + std::to_string(x);
    text_ += ']';
  }

  std::string finish() {
    return text_ + "}";
  }

private:
  void key(const char* name) {
    text_ += text_.size() > 1 ? ",\"" : "\"";
    text_ += name;
    text_ += "\":";
  }

  std::string text_ = "{";
};

} // namespace

bool report::clean() const noexcept {
  return error.empty() && lost == 0 && duplicated == 0 && reordered == 0
         && misrouted == 0 && damaged == 0 && foreign == 0;
}

std::string to_json(const options& x, const report& y) {
  json_object out;
  out.add("mode", to_string(x.mode));
  out.add("transport", x.polling ? "polling" : "websocket");
  out.add("protocol", to_string(x.speaks));
  out.add("namespace", x.nsp);
  out.add("n", uint64_t{x.clients});
  out.add("bystanders", uint64_t{x.bystanders});
  out.add("m", uint64_t{x.messages});
  out.add("size", uint64_t{x.size});
  out.add("window", uint64_t{x.window});
  out.add("batch", uint64_t{x.batch});
  out.add("connected", uint64_t{y.connected});
  out.add("connect_wall", y.connect_wall);
  out.add("connects_per_second", ratio(y.connected, y.connect_wall));
  out.add("server_cpu_us_per_connect", ratio(y.connect_cpu * 1e6, y.connected));
  out.add("server_rss_kib", uint64_t{y.resident_after / 1024});
  out.add("rss_kib_per_connection", resident_per_connection(y));
  out.add("rss_kib_samples", y.resident_samples);
  out.add("deliveries", y.deliveries);
  out.add("lost", y.lost);
  out.add("duplicated", y.duplicated);
  out.add("reordered", y.reordered);
  out.add("misrouted", y.misrouted);
  out.add("damaged", y.damaged);
  out.add("foreign", y.foreign);
  out.add("wall", y.wall);
  out.add("deliveries_per_second", ratio(double(y.deliveries), y.wall));
  out.add("server_cpu_seconds", y.server_cpu);
  out.add("server_cpu_us_per_delivery",
          ratio(y.server_cpu * 1e6, double(y.deliveries)));
  out.add("softirq_cpu_us_per_delivery",
          ratio(y.softirq_cpu * 1e6, double(y.deliveries)));
  out.add("p50_ms", y.latency.quantile(0.5));
  out.add("p99_ms", y.latency.quantile(0.99));
  out.add("p999_ms", y.latency.quantile(0.999));
  out.add("max_ms", y.latency.max());
  out.add("server_cpu_share", ratio(y.server_cpu, y.wall));
  out.add("client_cpu_share", ratio(y.client_cpu, y.wall));
  out.add("other_cpus", ratio(y.other_cpu, y.wall));
  out.add("error", y.error);
  return out.finish();
}

std::string to_line(const options& x, const report& y) {
  char text[512];
  if (x.mode == run_mode::idle || x.mode == run_mode::connect)
    std::snprintf(text, sizeof(text),
                  "%s %s: %u of %u connected in %.2f s, %.1f us CPU a connect, "
                  "%.2f KiB a connection",
                  to_string(x.mode), x.polling ? "polling" : "websocket",
                  y.connected, x.clients + x.bystanders, y.connect_wall,
                  ratio(y.connect_cpu * 1e6, y.connected),
                  resident_per_connection(y));
  else
    std::snprintf(
      text, sizeof(text),
      "%s %s n=%u: %llu deliveries in %.2f s, %.2f us server CPU each, "
      "p50 %.2f p99 %.2f p99.9 %.2f ms, lost %llu, duplicated %llu, "
      "reordered %llu, misrouted %llu, client %.0f %% busy",
      to_string(x.mode), x.polling ? "polling" : "websocket", x.clients,
      static_cast<unsigned long long>(y.deliveries), y.wall,
      ratio(y.server_cpu * 1e6, double(y.deliveries)), y.latency.quantile(0.5),
      y.latency.quantile(0.99), y.latency.quantile(0.999),
      static_cast<unsigned long long>(y.lost),
      static_cast<unsigned long long>(y.duplicated),
      static_cast<unsigned long long>(y.reordered),
      static_cast<unsigned long long>(y.misrouted),
      100 * ratio(y.client_cpu, y.wall));
  std::string result = text;
  if (!y.error.empty())
    result += "; ended early: " + y.error;
  return result;
}

} // namespace signalbox::load
