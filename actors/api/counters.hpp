#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace signalbox {

/// Kinds of actors, as `signalbox_actors{kind}` shows them.
enum class actor_kind : uint8_t {
  connection,
  presence,
  users,
  nsp,
  hub,
  ingest,
  site_auth,
  transport,
  membership,
  link,
  relay,
  tunnels,
  supervisor,
  count_,
};

/// What the rooms count; METRICS reads it. One per process part that is
/// counted together.
struct counters {
  using number = std::atomic<uint64_t>;

  std::array<std::atomic<int64_t>, static_cast<size_t>(actor_kind::count_)>
    actors{};

  /// Whether the process is short of memory; null for never.
  const std::atomic<bool>* memory_full = nullptr;

  // CONNECTION
  number connects_accepted{0};
  number connects_unauthorized{0};
  number connects_unavailable{0};
  /// CONNECTs that wait until the site is asked again.
  std::atomic<int64_t> connects_held{0};
  number connects_invalid{0};
  number connects_too_many{0};
  number client_events_refused{0};
  number client_events_forwarded{0};
  number client_events_queued{0};
  number client_events_dropped{0};
  number limit_namespaces{0};
  number limit_failed_connects{0};
  number limit_auth_payload{0};
  number limit_rooms{0};
  number limit_pending_acks{0};
  number connect_timeouts{0};
  number limit_inbox{0};
  /// Bytes of events whose clients have gone.
  std::atomic<int64_t> lingering_bytes{0};
  number limit_inbox_timeout{0};
  number deliveries{0};
  number deliveries_dropped{0};

  // SITE_AUTH
  number auth_calls{0};
  number auth_shared{0};
  number auth_cached{0};
  number auth_failures{0};
  number forward_failures{0};
  std::atomic<int64_t> site_calls_active{0};
  std::atomic<int64_t> site_calls_waiting{0};
  number site_calls_full{0};
  number site_calls_late{0};

  // INGEST
  number events_accepted{0};
  number events_refused{0};
  number events_duplicate{0};
  number events_offline{0};
  number bad_keys{0};
  number calls_unanswered{0};
  number limit_event_size{0};
  number limit_batch{0};
  number limit_idempotency{0};
  number limit_confirms{0};
  std::atomic<int64_t> confirms_pending{0};
  std::atomic<int64_t> idempotency_keys{0};

  // PRESENCE
  std::atomic<int64_t> users_online{0};
  number connections_displaced{0};

  // LINK
  number limit_cluster_queue{0};
};

/// Counts one actor as long as it lives.
class population {
public:
  population(counters& all, actor_kind kind) noexcept
    : number_(&all.actors[static_cast<size_t>(kind)]) {
    ++*number_;
  }

  ~population() {
    end();
  }

  population(const population&) = delete;
  population& operator=(const population&) = delete;

  /// The actor has ended, though its memory may stay for a while.
  void end() noexcept {
    if (number_ != nullptr)
      --*number_;
    number_ = nullptr;
  }

private:
  std::atomic<int64_t>* number_;
};

} // namespace signalbox
