#pragma once

#include "apps/load/histogram.hpp"
#include "apps/load/options.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace signalbox::load {

/// What a run found. CPU figures are 0 without `--server-pid`.
struct report {
  /// Why the run ended early, and what to do; empty if it did not.
  std::string error;
  /// Clients that connected, and how long all of them took, in seconds.
  uint32_t connected = 0;
  double connect_wall = 0;
  /// Server CPU during that, in seconds.
  double connect_cpu = 0;
  /// Resident memory of the server before and after, in bytes.
  uint64_t resident_before = 0;
  uint64_t resident_after = 0;
  /// Resident memory during churn, once a second, in KiB.
  std::vector<uint64_t> resident_samples;
  /// Receipts asked for and never seen, warm-up included.
  uint64_t lost = 0;
  /// Receipts that came again.
  uint64_t duplicated = 0;
  /// Receipts behind a later message of the same publishing connection.
  uint64_t reordered = 0;
  /// Messages for another user or another namespace.
  uint64_t misrouted = 0;
  /// Messages with another length than they were sent with.
  uint64_t damaged = 0;
  /// Events that carry no message of this run.
  uint64_t foreign = 0;
  /// Different receipts of the measured phase.
  uint64_t deliveries = 0;
  /// Length of the measured phase in seconds.
  double wall = 0;
  /// CPU of the server, of softirq threads, of this client and of everything
  /// else on the machine during it, in seconds.
  double server_cpu = 0;
  double softirq_cpu = 0;
  double client_cpu = 0;
  double other_cpu = 0;
  /// Time from publishing to each receipt of the measured phase.
  histogram latency;

  /// Returns whether everything arrived once and where it should.
  bool clean() const noexcept;
};

/// Returns the one line of JSON.
std::string to_json(const options& x, const report& y);

/// Returns the one line for people.
std::string to_line(const options& x, const report& y);

} // namespace signalbox::load
