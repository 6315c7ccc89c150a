#include "transports/codec/basp_guard.hpp"

#include <algorithm>
#include <cstring>

namespace signalbox::codec {

namespace {

/// Message types of BASP 3: two handshakes, then messages, the last of which
/// is the heartbeat.
constexpr unsigned last_handshake = 1;
constexpr unsigned last_type = 6;

} // namespace

bool basp_guard::take(std::string_view bytes) {
  while (!bytes.empty()) {
    if (left_ > 0) {
      auto n = std::min(left_, bytes.size());
      left_ -= n;
      greeted_ = greeted_ || left_ == 0;
      bytes.remove_prefix(n);
      continue;
    }
    auto n = std::min(header_size - filled_, bytes.size());
    std::memcpy(header_.data() + filled_, bytes.data(), n);
    filled_ += n;
    bytes.remove_prefix(n);
    if (filled_ < header_size)
      return true;
    if (!check())
      return false;
    filled_ = 0;
    first_ = false;
    greeted_ = greeted_ || left_ == 0;
  }
  return true;
}

bool basp_guard::check() {
  for (size_t i = 4; i < 8; ++i)
    left_ = left_ << 8 | header_[i];
  if (first_)
    return header_[0] <= last_handshake && left_ <= max_handshake_;
  return header_[0] <= last_type && left_ <= max_payload_;
}

} // namespace signalbox::codec
