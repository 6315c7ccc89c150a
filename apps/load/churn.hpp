#pragma once

#include "apps/load/client.hpp"
#include "apps/load/loop.hpp"
#include "apps/load/options.hpp"
#include "apps/load/process_usage.hpp"
#include "apps/load/publisher.hpp"
#include "apps/load/report.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace signalbox::load {

/// Clients that come, take their private messages and leave, as fast as the
/// server lets them. Each visit is that of a new user; every
/// second one ends without a farewell. The memory of the server is read once a
/// second.
class churn : private client_observer {
public:
  explicit churn(const options& x);

  ~churn() override;

  /// Runs for `hold`, or until the first failure. Returns what was found.
  report run();

private:
  // A client that is there.
  struct visit {
    std::unique_ptr<client> who;
    int64_t posted_at = 0;
    uint32_t received = 0;
  };

  // -- client_observer --------------------------------------------------------

  void on_connected(client& who) override;

  void on_packet(client& who, std::string_view text) override;

  void on_body(client& who, std::string_view text) override;

  void on_left(client& who) override;

  void on_failed(client& who, const std::string& why) override;

  void post_aside(const std::string& target, std::string_view fields,
                  std::string_view body) override;

  // -- visits -----------------------------------------------------------------

  bool prepare();

  void come();

  void sample(int64_t now);

  void fail(const std::string& why);

  const options& options_;
  report report_;
  loop loop_;
  usage_reader usage_;
  uint16_t run_id_;
  client_settings common_;
  std::unique_ptr<publisher> publisher_;
  std::unordered_map<uint32_t, visit> visits_;
  // Clients that ended in this turn of the loop.
  std::vector<std::unique_ptr<client>> ended_;
  std::vector<publication> messages_;
  uint32_t next_ = 0;
  int64_t last_progress_ = 0;
  int64_t next_sample_ = 0;
  bool closing_ = false;
};

} // namespace signalbox::load
