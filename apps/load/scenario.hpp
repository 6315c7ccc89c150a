#pragma once

#include "apps/load/client.hpp"
#include "apps/load/http.hpp"
#include "apps/load/ledger.hpp"
#include "apps/load/loop.hpp"
#include "apps/load/marker.hpp"
#include "apps/load/options.hpp"
#include "apps/load/process_usage.hpp"
#include "apps/load/publisher.hpp"
#include "apps/load/report.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// One run: connect, warm up, measure, account.

namespace signalbox::load {

/// Runs what the options ask for. It ends by itself: when it is done, at the
/// first failure, when nothing moves for 10 s, or at the deadline.
class scenario : private client_observer {
public:
  explicit scenario(const options& x);

  ~scenario() override;

  /// Runs. Returns what was found; its `error` tells why it ended early.
  report run();

private:
  // -- client_observer --------------------------------------------------------

  void on_connected(client& who) override;

  void on_packet(client& who, std::string_view text) override;

  void on_body(client& who, std::string_view text) override;

  void on_left(client& who) override;

  void on_failed(client& who, const std::string& why) override;

  void post_aside(const std::string& target, std::string_view fields,
                  std::string_view body) override;

  // -- phases -----------------------------------------------------------------

  bool prepare();

  bool prepare_publisher();

  bool connect();

  void start_clients();

  void hold();

  bool measure();

  bool transfer(sequence end);

  // Runs the loop until `done`; false if the run failed meanwhile.
  bool run_until(const std::function<bool()>& done, const char* what);

  void linger(std::chrono::milliseconds time);

  void fail(const std::string& why);

  void account();

  // -- messages ---------------------------------------------------------------

  void publish(sequence end);

  void publish_batch(sequence end);

  void emit_echo(sequence s);

  void take_ack(client& who, std::string_view text);

  void take_marker(client& who, const std::optional<marker>& found);

  void receive(client& who, sequence s);

  bool publishes() const noexcept;

  // Returns when a message of a paced run is due.
  int64_t due(sequence s) const noexcept;

  // Returns how long the loop may sleep.
  std::chrono::nanoseconds patience() const;

  const options& options_;
  report report_;
  loop loop_;
  usage_reader usage_;
  // One for each address.
  std::vector<client_settings> common_;
  std::vector<client_settings> bystanding_;
  std::vector<std::unique_ptr<client>> clients_;
  std::unique_ptr<publisher> publisher_;
  std::unique_ptr<http_pool> aside_;
  ledger ledger_;
  // Identifies the messages of this run.
  uint16_t run_id_;
  // What stands between packet type and ack id or JSON.
  std::string nsp_prefix_;
  int64_t deadline_;
  int64_t last_progress_;
  int64_t pace_begin_ = 0;
  uint32_t started_ = 0;
  size_t next_aside_ = 0;
  sequence next_ = 0;
  uint32_t under_way_ = 0;
  std::vector<publication> batch_;
  bool measuring_ = false;
  bool ending_ = false;
};

} // namespace signalbox::load
