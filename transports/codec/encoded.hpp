#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What goes out to many browsers is encoded once and shared by all of them.

namespace signalbox::codec {

/// One encoded Engine.IO packet, immutable and shared by its receivers.
struct encoded {
  /// A complete unmasked WebSocket frame.
  std::string frame;
  /// Where the packet's own bytes begin in `frame`, behind the frame header.
  uint32_t text_at = 0;
  /// Where the JSON of an event begins; an ack id belongs right before it.
  uint32_t json_at = 0;
  /// Whether the packet is an attachment: raw bytes instead of text.
  bool binary = false;

  /// Returns the packet's own bytes.
  std::string_view text() const noexcept {
    return std::string_view{frame}.substr(text_at);
  }
};

using encoded_ptr = std::shared_ptr<const encoded>;

/// Encodes one attachment.
encoded_ptr encode_attachment(std::string_view bytes);

/// A Socket.IO event on its way to browsers, encoded for every dialect in use.
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

  /// Returns the packets for Engine.IO 4: the header packet, then one per
  /// attachment.
  const std::vector<encoded_ptr>& engine_v4() const noexcept {
    return v4_;
  }

  /// Returns everything of the header packet that stands before the JSON, for
  /// a receiver that is to acknowledge with `id`.
  std::string header_v4(uint64_t id) const;

private:
  std::string nsp_;
  std::vector<encoded_ptr> v4_;
};

using event_ptr = std::shared_ptr<const shared_event>;

} // namespace signalbox::codec
