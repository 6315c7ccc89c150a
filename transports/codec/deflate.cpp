#include "transports/codec/deflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <new>

namespace signalbox::codec {

namespace {

constexpr int window_bits = 15;
constexpr int with_gzip_header = 16;
/// That of gzip or that of zlib.
constexpr int with_any_header = 32;
constexpr int default_mem_level = 8;

/// What a sync flush ends with; RFC 7692 section 7.2.1 leaves it out.
constexpr std::string_view flush_tail{"\x00\x00\xFF\xFF", 4};

/// zlib counts input in 32 bits.
constexpr size_t max_input = size_t{1} << 30;

constexpr size_t chunk_size = 16384;

Bytef* bytes(const char* data) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(data));
}

// Level 1: the texts are short JSON that is sent once, where higher levels cost
// two to five times the time for a few percent.
class deflater {
public:
  explicit deflater(int bits) {
    // The only failure left is lack of memory.
    if (deflateInit2(&z_, Z_BEST_SPEED, Z_DEFLATED, bits, default_mem_level,
                     Z_DEFAULT_STRATEGY)
        != Z_OK)
      throw std::bad_alloc{};
  }

  deflater(const deflater&) = delete;

  deflater& operator=(const deflater&) = delete;

  ~deflater() {
    deflateEnd(&z_);
  }

  void run(std::string_view text, int flush, std::string& out) {
    char chunk[chunk_size];
    do {
      auto size = std::min(text.size(), max_input);
      z_.next_in = bytes(text.data());
      z_.avail_in = static_cast<uInt>(size);
      text.remove_prefix(size);
      do {
        z_.next_out = bytes(chunk);
        z_.avail_out = chunk_size;
        deflate(&z_, text.empty() ? flush : Z_NO_FLUSH);
        out.append(chunk, chunk_size - z_.avail_out);
      } while (z_.avail_out == 0);
    } while (!text.empty());
  }

private:
  z_stream z_{};
};

class inflater {
public:
  explicit inflater(int bits) {
    if (inflateInit2(&z_, bits) != Z_OK)
      throw std::bad_alloc{};
  }

  inflater(const inflater&) = delete;

  inflater& operator=(const inflater&) = delete;

  ~inflater() {
    inflateEnd(&z_);
  }

  errc run(std::string_view text, size_t max_bytes, std::string& out) {
    char chunk[chunk_size];
    do {
      auto size = std::min(text.size(), max_input);
      z_.next_in = bytes(text.data());
      z_.avail_in = static_cast<uInt>(size);
      text.remove_prefix(size);
      do {
        z_.next_out = bytes(chunk);
        z_.avail_out = chunk_size;
        auto code = inflate(&z_, Z_SYNC_FLUSH);
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
          return errc::bad_frame;
        auto got = chunk_size - z_.avail_out;
        if (got > max_bytes - out.size())
          return errc::too_large;
        out.append(chunk, got);
        // RFC 7692 section 7.2.3.4: a sender may flush with a final block.
        if (code == Z_STREAM_END)
          inflateReset(&z_);
      } while (z_.avail_in > 0 || z_.avail_out == 0);
    } while (!text.empty());
    return errc::none;
  }

  /// Inflates one stream, which is all of `text`.
  errc run_once(std::string_view text, size_t max_bytes, std::string& out) {
    char chunk[chunk_size];
    // No caller has as much as zlib cannot count.
    z_.next_in = bytes(text.data());
    z_.avail_in = static_cast<uInt>(text.size());
    for (;;) {
      z_.next_out = bytes(chunk);
      z_.avail_out = chunk_size;
      auto code = inflate(&z_, Z_NO_FLUSH);
      if (code != Z_OK && code != Z_STREAM_END)
        return errc::bad_frame;
      auto got = chunk_size - z_.avail_out;
      if (got > max_bytes - out.size())
        return errc::too_large;
      out.append(chunk, got);
      if (code == Z_STREAM_END)
        return z_.avail_in == 0 ? errc::none : errc::bad_frame;
    }
  }

  /// Returns whether nothing came since the start or since a final block.
  bool fresh() const {
    return z_.total_in == 0;
  }

  /// Returns whether the input so far ends with a block.
  bool complete() const {
    constexpr int behind_block = 128;
    return fresh() || (z_.data_type & behind_block) != 0;
  }

private:
  z_stream z_{};
};

} // namespace

void gzip(std::string_view text, std::string& out) {
  deflater{window_bits + with_gzip_header}.run(text, Z_FINISH, out);
}

void deflate_message(std::string_view message, std::string& out) {
  deflater{-window_bits}.run(message, Z_SYNC_FLUSH, out);
  out.resize(out.size() - flush_tail.size());
}

result<std::string> inflate_message(std::string_view message,
                                    size_t max_bytes) {
  inflater z{-window_bits};
  std::string out;
  if (auto code = z.run(message, max_bytes, out); code != errc::none)
    return code;
  // Behind a final block there is nothing that the tail could complete.
  if (z.fresh())
    return out;
  if (auto code = z.run(flush_tail, max_bytes, out); code != errc::none)
    return code;
  if (!z.complete())
    return errc::bad_frame;
  return out;
}

result<std::string> inflate_content(std::string_view content,
                                    size_t max_bytes) {
  if (content.size() > max_input)
    return errc::too_large;
  auto code = errc::none;
  for (auto bits : {window_bits + with_any_header, -window_bits}) {
    std::string out;
    code = inflater{bits}.run_once(content, max_bytes, out);
    if (code == errc::none)
      return out;
    if (code == errc::too_large)
      break;
  }
  return code;
}

} // namespace signalbox::codec
