#pragma once

#include "apps/load/client.hpp"
#include "apps/load/http.hpp"
#include "apps/load/ledger.hpp"
#include "apps/load/options.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace signalbox::load {

/// A message and its receivers.
struct publication {
  sequence number = 0;
  /// The user, unless it is for all.
  uint32_t user = 0;
};

/// Publishes messages: by the router's ingest API, at a URL that takes the bare
/// text, or over a connection of NATS.
class publisher : private client_observer {
public:
  /// Learns that the server took something.
  using progress_handler = std::function<void()>;

  /// Learns what went wrong and what to do.
  using failure_handler = std::function<void(const std::string& why)>;

  /// `run` marks the messages.
  publisher(loop& parent, const options& x, uint16_t run,
            progress_handler on_progress, failure_handler on_failure);

  ~publisher() override;

  /// Finds the server. Returns what is wrong, empty if nothing is.
  std::string prepare();

  /// Returns whether messages can be published.
  bool ready() const noexcept;

  /// Publishes messages in one request over one of the connections.
  void publish(uint32_t lane, std::span<const publication> messages);

  /// Returns how many requests have no answer yet.
  size_t pending() const noexcept;

private:
  // -- client_observer, for NATS ----------------------------------------------

  void on_connected(client& who) override;

  void on_packet(client& who, std::string_view text) override;

  void on_body(client& who, std::string_view text) override;

  void on_left(client& who) override;

  void on_failed(client& who, const std::string& why) override;

  void post_aside(const std::string& target, std::string_view fields,
                  std::string_view body) override;

  // -- requests ---------------------------------------------------------------

  std::string text_of(sequence s) const;

  void append_event(const publication& x, std::string& out) const;

  void on_answer(uint32_t posted, const http_answer& answer);

  loop& loop_;
  const options& options_;
  uint16_t run_;
  progress_handler on_progress_;
  failure_handler on_failure_;
  std::unique_ptr<http_pool> pool_;
  std::string target_;
  std::string fields_;
  client_settings nats_settings_;
  std::unique_ptr<client> nats_;
  bool ready_ = false;
};

} // namespace signalbox::load
