#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::codec {

/// Reads the reply to one HTTP/1.1 request, from its bytes in pieces of any
/// size. Takes the forms that most HTTP clients take of real servers, and says
/// of odd ones that no further reply may follow on their connection. Interim
/// answers (1xx) are passed over.
class reply_reader {
public:
  /// How far the reply has come.
  enum class state : uint8_t {
    /// The header of the final answer is not complete.
    head,
    /// The header is complete, the body is not.
    body,
    /// The reply is complete.
    complete,
    /// This is no reply; see `fault`.
    bad,
  };

  /// Most bytes of a reply.
  struct limits {
    /// All headers, those of interim answers and trailers included.
    size_t head = 16384;
    /// The body, without the framing of its chunks.
    size_t body = 65536;
  };

  explicit reply_reader(const limits& bounds);

  /// Takes the next bytes. Returns how many of them belong to the reply; all of
  /// them unless it is complete or bad.
  size_t take(std::string_view bytes);

  /// The connection has ended: completes a body whose length was not told, and
  /// makes every other reply that is not complete bad.
  void end();

  state at() const noexcept {
    return state_;
  }

  /// Returns whether anything has come.
  bool begun() const noexcept {
    return begun_;
  }

  /// Returns what makes the reply bad, in words; empty otherwise.
  std::string_view fault() const noexcept {
    return fault_;
  }

  /// Returns whether the reply is bad because it is over a limit.
  bool too_large() const noexcept {
    return too_large_;
  }

  /// Returns whether another reply may follow on the connection: the version,
  /// the framing and every line are as the standard has them, and neither side
  /// said `close`. Valid once the reply is complete.
  bool keeps() const noexcept;

  /// Returns whether the status is of those that have no body (204, 304).
  bool bodyless() const noexcept {
    return status_ == 204 || status_ == 304;
  }

  unsigned status() const noexcept {
    return status_;
  }

  /// Returns the type as it came, with its parameters.
  std::string_view content_type() const noexcept {
    return content_type_;
  }

  /// Returns the codings of the body as they came, separated by commas.
  std::string_view content_encoding() const noexcept {
    return content_encoding_;
  }

  /// Returns the body as it came; the reader's until it is moved from.
  std::string& body() noexcept {
    return body_;
  }

private:
  enum class step : uint8_t {
    status,
    header,
    sized,
    until_end,
    chunk_size,
    chunk,
    chunk_end,
    trailer,
  };

  size_t take_line(std::string_view bytes);
  size_t take_body(std::string_view bytes);
  void on_line(std::string_view line, bool plain_end);
  void on_status(std::string_view line);
  void on_header(std::string_view line);
  void on_field();
  void on_length(std::string_view value);
  void on_head_end();
  void on_chunk_size(std::string_view line);
  void append(std::string_view bytes);
  void fail(std::string_view why);

  limits bounds_;
  state state_ = state::head;
  step step_ = step::status;
  std::string_view fault_;
  bool begun_ = false;
  bool too_large_ = false;
  /// Whether the server said that the connection ends, or stays.
  bool close_ = false;
  bool keep_alive_ = false;
  /// Whether something was not as the standard has it.
  bool odd_ = false;
  bool old_ = false;
  unsigned status_ = 0;
  /// Bytes of headers and of chunk framing so far.
  size_t head_bytes_ = 0;
  size_t frame_bytes_ = 0;
  /// A line as far as it came.
  std::string line_;
  /// The last header; folded lines go on with it.
  std::string name_;
  std::string value_;
  std::optional<uint64_t> length_;
  std::string transfer_coding_;
  /// Bytes of the body, or of its chunk, that are to come.
  uint64_t left_ = 0;
  std::string content_type_;
  std::string content_encoding_;
  std::string body_;
};

} // namespace signalbox::codec
