#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace signalbox::codec {

/// Watches what another node sends to CAF's broker (BASP version 3). The broker
/// trusts its peers: it dereferences payloads that are not there, allocates
/// what a length announces and builds values of any type. So only those
/// messages pass that two nodes of this router exchange, each whole and to the
/// last byte:
///
/// - the handshakes, each once and in their order;
/// - the broker's question for a spawn server, heartbeats, and the news that a
///   proxy of an actor begins or ends;
/// - `signalbox::link_open` and `signalbox::link_batch`, without a sender, from
///   the node of the handshake.
///
/// Routed messages, requests and every other type of value are refused. Keeps
/// what a message has before its bulk: of a batch less than 100 bytes, of
/// others everything.
class basp_guard {
public:
  /// Length of a node's id as CAF writes it.
  static constexpr size_t id_size = 32;

  struct terms {
    /// Whether the other node dialed: it says who it is, and once more when it
    /// has chosen this connection. One that was dialed says it once.
    bool dialer = true;
    /// Id of this process as CAF writes it.
    std::string self;
    /// Bounds every payload that is no batch.
    size_t max_message = 65536;
    /// Bounds the payload of a batch.
    size_t max_batch = 67108864;
  };

  explicit basp_guard(terms x) : terms_(std::move(x)) {
    // nop
  }

  /// Takes the next bytes of the stream. Returns false if a message is none of
  /// the above; the stream must not be passed on from then on.
  bool take(std::string_view bytes);

  /// Returns whether a whole handshake was there.
  bool greeted() const noexcept {
    return greeted_;
  }

  /// Returns whether the peer has asked for a link, before which one that
  /// dialed may send no batch.
  bool opened() const noexcept {
    return opened_;
  }

  /// Returns what was wrong, for a log; once `take` has returned false.
  const char* trouble() const noexcept {
    return trouble_;
  }

private:
  struct header {
    uint8_t type = 0;
    uint8_t flags = 0;
    uint32_t size = 0;
    uint64_t data = 0;
    uint64_t source = 0;
    uint64_t target = 0;
  };

  bool refuse(const char* why) noexcept;
  bool next();
  bool read_header();
  bool read_payload();
  bool on_handshake();
  bool on_direct();
  bool on_open(std::string_view bytes);
  bool on_batch(std::string_view bytes);
  bool on_proxy();
  bool from_peer(std::string_view& bytes) const;

  terms terms_;
  /// The part of the message under way that is looked at.
  std::string kept_;
  /// How much of it that is: a header, then what comes first in the payload.
  size_t wanted_ = 32;
  bool in_payload_ = false;
  header header_;
  /// Bytes of a batch that are still to come.
  size_t skip_ = 0;
  /// Id of the other node, from its handshake.
  std::string peer_;
  int handshakes_ = 0;
  bool greeted_ = false;
  bool opened_ = false;
  const char* trouble_ = "";
};

} // namespace signalbox::codec
