#pragma once

#include "transports/codec/engine/revision.hpp"
#include "transports/session/outbox.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace signalbox::session {

/// The payload of a poll's answer before it is made: packets that other
/// sessions send too, so that it can be made once for all of them.
class parcel {
public:
  /// Payloads of fewer bytes are made at once.
  static constexpr size_t least_bytes = 16384;

  /// Takes all packets out of `from`, for a client that speaks so, or 0.9 if
  /// `speaks` is null; `binary` says that the payload is bytes, not text.
  /// Returns nothing, and takes nothing, if there are fewer bytes or a packet
  /// is for this client alone.
  static std::optional<parcel>
  take(outbox& from, const engine::revision* speaks, bool binary);

  bool binary() const noexcept {
    return binary_;
  }

  /// Returns the bytes of its packets.
  size_t bytes() const noexcept;

  /// Makes the payload. From any thread.
  std::string payload() const;

  /// Returns whether both make the same payload of the same packets.
  bool operator==(const parcel&) const = default;

private:
  parcel(const engine::revision* speaks, bool binary)
    : speaks_(speaks), binary_(binary) {
    // nop
  }

  std::vector<codec::encoded_ptr> packets_;
  const engine::revision* speaks_;
  bool binary_;
};

} // namespace signalbox::session
