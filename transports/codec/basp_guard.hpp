#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace signalbox::codec {

/// Watches what another node sends to CAF's broker (BASP version 3), which
/// believes every length it is told: 32 bytes of header, the length of the
/// payload in bytes 4 to 7, big-endian, then the payload. Keeps no payload.
class basp_guard {
public:
  /// `max_payload` bounds every payload, the first one, a handshake, is
  /// bounded by `max_handshake`.
  basp_guard(size_t max_handshake, size_t max_payload)
    : max_handshake_(max_handshake), max_payload_(max_payload) {
    // nop
  }

  /// Takes the next bytes of the stream. Returns false if they are not BASP or
  /// announce too much; the stream must not be passed on from then on.
  bool take(std::string_view bytes);

  /// Returns whether a whole handshake was there.
  bool greeted() const noexcept {
    return greeted_;
  }

private:
  static constexpr size_t header_size = 32;

  bool check();

  size_t max_handshake_;
  size_t max_payload_;
  std::array<unsigned char, header_size> header_{};
  size_t filled_ = 0;
  /// Bytes of the payload that are still to come.
  size_t left_ = 0;
  bool first_ = true;
  bool greeted_ = false;
};

} // namespace signalbox::codec
