#pragma once

#include "transports/codec/engine/revision.hpp"
#include "transports/session/carrier.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace signalbox::session {

/// The packets of one POST that a session has not taken yet.
class payload {
public:
  /// Packets taken before others get their turn.
  static constexpr size_t turn = 64;

  payload(std::string bytes, bool binary, std::shared_ptr<post> from)
    : bytes_(std::move(bytes)), binary_(binary), from_(std::move(from)) {
    // nop
  }

  payload(const payload&) = delete;
  payload& operator=(const payload&) = delete;

  const std::string& bytes() const noexcept {
    return bytes_;
  }

  bool binary() const noexcept {
    return binary_;
  }

  /// Sets the packets, which are views into the bytes.
  void pieces(std::vector<engine::piece> xs) {
    pieces_ = std::move(xs);
  }

  bool empty() const noexcept {
    return next_ == pieces_.size();
  }

  const engine::piece& take() {
    return pieces_[next_++];
  }

  post& from() noexcept {
    return *from_;
  }

  /// Whether the client has gone meanwhile; the session ends after the last
  /// packet.
  bool lost = false;

  /// A POST that came meanwhile, from a client of 0.9.
  std::unique_ptr<payload> next;

private:
  std::string bytes_;
  bool binary_;
  std::shared_ptr<post> from_;
  std::vector<engine::piece> pieces_;
  size_t next_ = 0;
};

} // namespace signalbox::session
