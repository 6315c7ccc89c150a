#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// An event for many browsers is encoded once, and all of them share the bytes.

namespace signalbox::codec {

/// One encoded packet, immutable and shared by its receivers.
struct encoded {
  /// A complete unmasked WebSocket frame.
  std::string frame;
  /// Where the packet's own bytes begin in `frame`, behind the frame header.
  uint32_t text_at = 0;
  /// Where the JSON of an event begins; an ack id belongs before it.
  uint32_t json_at = 0;
  /// Whether the packet is an attachment: raw bytes instead of text.
  bool binary = false;

  /// Returns the packet's own bytes.
  std::string_view text() const noexcept {
    return std::string_view{frame}.substr(text_at);
  }
};

using encoded_ptr = std::shared_ptr<const encoded>;

/// The ways in which an event is put on the wire.
enum class wire_form : uint8_t {
  /// Engine.IO 4.
  v4,
  /// The same, attachments as base64 text also over WebSocket (`b64=1`).
  v4_base64,
  /// Engine.IO 3.
  v3,
  /// The same, attachments as base64 text also over WebSocket, JSON in ASCII:
  /// text payloads mean the same then, whether a client decodes UTF-8 once or,
  /// as 1.x does, twice.
  v3_base64,
  /// Socket.IO 0.9, which has no attachments: `{"$base64":"..."}` instead.
  v09,
  /// Number of forms.
  count_,
};

/// Encodes one attachment. Not for `v09`.
encoded_ptr encode_attachment(wire_form form, std::string_view bytes);

/// A Socket.IO event on its way to browsers, encoded for every dialect in use.
/// From any thread.
class shared_event {
public:
  /// `args` is the JSON text of the event array (`["name",...]`), with
  /// placeholders for the attachments.
  shared_event(std::string nsp, std::string args,
               std::vector<std::string> attachments);

  const std::string& nsp() const noexcept {
    return nsp_;
  }

  /// Returns the JSON text of the event array.
  std::string_view args() const noexcept;

  /// Returns the packets of a form: the event, then one per attachment. Made
  /// when the first receiver of that form asks.
  std::span<const encoded_ptr> packets(wire_form form) const {
    return form == wire_form::v4 ? v4() : others(form);
  }

  /// Returns everything of the event that stands before its JSON, for a
  /// receiver that is to acknowledge with `id`.
  std::string header(wire_form form, uint64_t id) const;

private:
  std::span<const encoded_ptr> v4() const noexcept {
    return attached_.empty() ? std::span{&event_, 1} : std::span{attached_};
  }

  std::span<const encoded_ptr> others(wire_form form) const;
  encoded_ptr legacy_packet() const;
  encoded_ptr ascii_packet() const;

  struct lazy {
    std::once_flag once;
    std::vector<encoded_ptr> packets;
  };

  std::string nsp_;
  /// The event for Engine.IO 4.
  encoded_ptr event_;
  /// The same with its attachments, if it has any.
  std::vector<encoded_ptr> attached_;
  mutable std::array<lazy, static_cast<size_t>(wire_form::count_) - 1> others_;
};

using event_ptr = std::shared_ptr<const shared_event>;

} // namespace signalbox::codec
