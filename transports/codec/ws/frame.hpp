#pragma once

#include "transports/codec/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

// RFC 6455 framing, both roles, without I/O.

namespace signalbox::ws {

/// Frame opcodes (RFC 6455 section 5.2).
enum class opcode : uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

/// Close codes the router sends (RFC 6455 section 7.4.1).
namespace close_code {
constexpr uint16_t normal = 1000;
constexpr uint16_t going_away = 1001;
constexpr uint16_t protocol_error = 1002;
constexpr uint16_t bad_data = 1007;
constexpr uint16_t policy = 1008;
constexpr uint16_t too_big = 1009;
/// Not on the wire: a close frame with an empty body.
constexpr uint16_t none = 1005;
} // namespace close_code

/// Most bytes a frame header can have (server to client, so without mask).
constexpr size_t max_header = 10;

/// Writes the header of an unmasked frame to `out`, which has room for
/// `max_header` bytes. Returns its length. `compressed` sets RSV1.
size_t encode_header(opcode op, size_t size, char* out, bool fin = true,
                     bool compressed = false) noexcept;

/// Appends an unmasked frame (server to client).
void encode_frame(opcode op, std::string_view payload, std::string& out);

/// Appends a masked frame (client to server). `mask` should be unpredictable.
void encode_masked_frame(opcode op, std::string_view payload, uint32_t mask,
                         std::string& out);

/// Returns the body of a close frame; empty for `close_code::none`. Cuts the
/// reason at a character boundary if it exceeds the 123 bytes that fit.
std::string close_body(uint16_t code, std::string_view reason);

/// What a reader hands out.
struct message {
  /// Text, binary, close, ping or pong; never continuation.
  opcode op = opcode::text;
  /// Whole unmasked message. Valid until the next call of the reader.
  std::string_view data;
  /// Whether the message was sent with RSV1 (permessage-deflate); then text
  /// has not been checked for UTF-8.
  bool compressed = false;
};

/// Bounds what a reader accepts.
struct limits {
  /// Largest message in bytes.
  size_t message = 1000000;
  /// Most fragments of one message.
  size_t fragments = 1024;
};

/// Turns bytes into messages. Holds no heap memory while nothing is unfinished.
class reader {
public:
  /// Role of the peer whose frames are read: a client's are masked.
  enum class peer : uint8_t { client, server };

  reader(peer who, limits bounds, bool allow_compressed = false) noexcept;

  reader(reader&&) noexcept;

  reader& operator=(reader&&) noexcept;

  ~reader();

  /// Takes bytes from the front of `input` (and removes them) until a message
  /// is complete. Returns true and fills `out` for a message, false if all
  /// input was consumed without completing one. An error is final: each later
  /// call returns it again; `close_code_for` tells what to send.
  ///
  /// The bytes are unmasked in place, so that a message that lies whole and
  /// unfragmented in `input` costs no copy. `out.data` then points into
  /// `input`, otherwise into the reader; it is valid until the next call and
  /// as long as the bytes of `input` are. Call until the result is false (the
  /// last call, on empty input, frees the message before), and not again after
  /// a close frame: what follows it has no meaning.
  codec::result<bool> next(std::span<char>& input, message& out);

  /// Returns whether a message or frame is unfinished.
  bool partial() const noexcept;

  /// Returns the bytes of heap memory held; 0 for an idle reader.
  size_t memory() const noexcept;

private:
  struct frame;
  struct state;

  codec::result<size_t> parse(std::string_view bytes, frame& out) const;

  codec::result<bool> read_header(std::span<char>& input, frame& out);

  codec::result<bool> deliver_in_place(std::span<char>& input,
                                       const frame& head, message& out);

  codec::result<bool> read_payload(std::span<char>& input, message& out);

  void open(const frame& head);

  codec::errc fail(codec::errc x);

  peer who_;
  bool allow_compressed_;
  codec::errc failed_ = codec::errc::none;
  limits limits_;
  std::unique_ptr<state> state_;
};

/// Returns the close code that answers an error of the reader:
/// bad_frame -> 1002, bad_utf8 -> 1007, too_large and too_many_pieces -> 1009.
uint16_t close_code_for(codec::errc x) noexcept;

} // namespace signalbox::ws
