#include "transports/codec/engine/v3.hpp"

#include "transports/codec/base64.hpp"
#include "transports/codec/utf8.hpp"

#include <utility>

namespace signalbox::engine::v3 {

using codec::errc;

namespace {

/// A payload of more digits than this would be too long anyway.
constexpr size_t max_length_digits = 9;

constexpr char message_type = 4;
constexpr char length_end = static_cast<char>(0xFF);

/// Takes a length in front of `end` off the text; `zero` is its digit 0.
/// Returns nothing if it is malformed.
codec::result<size_t> take_length(std::string_view& rest, char zero, char end) {
  auto stop = rest.substr(0, max_length_digits + 1).find(end);
  if (stop == std::string_view::npos || stop == 0)
    return errc::bad_payload;
  size_t n = 0;
  for (auto c : rest.substr(0, stop)) {
    auto digit = static_cast<unsigned char>(c - zero);
    if (digit > 9)
      return errc::bad_payload;
    n = n * 10 + digit;
  }
  if (n == 0)
    return errc::bad_payload;
  rest.remove_prefix(stop + 1);
  return n;
}

/// Returns whether every character stands for a byte, and all of them together
/// for UTF-8 that is more than ASCII.
bool looks_doubled(std::string_view text) noexcept {
  codec::utf8_checker inner;
  auto beyond_ascii = false;
  while (!text.empty()) {
    auto n = codec::utf8_length(text);
    auto c = codec::decode_utf8(text.substr(0, n));
    auto byte = static_cast<char>(c);
    if (c > 0xFF || !inner.feed({&byte, 1}))
      return false;
    beyond_ascii = beyond_ascii || c > 0x7F;
    text.remove_prefix(n);
  }
  return beyond_ascii && inner.complete();
}

std::string undouble(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    auto n = codec::utf8_length(text);
    out += static_cast<char>(codec::decode_utf8(text.substr(0, n)));
    text.remove_prefix(n);
  }
  return out;
}

} // namespace

codec::result<std::vector<piece>> split_text(std::string_view payload,
                                             size_t max_packets) {
  std::vector<piece> out;
  do {
    if (out.size() == max_packets)
      return errc::too_many_pieces;
    auto units = take_length(payload, '0', ':');
    if (!units)
      return units.error();
    auto bytes = codec::utf16_prefix(payload, *units);
    if (!bytes)
      return bytes.error();
    piece x;
    x.bytes = payload.substr(0, *bytes);
    x.doubled = looks_doubled(x.bytes);
    payload.remove_prefix(*bytes);
    out.push_back(x);
  } while (!payload.empty());
  return out;
}

codec::result<std::vector<piece>> split_binary(std::string_view payload,
                                               size_t max_packets) {
  std::vector<piece> out;
  do {
    if (out.size() == max_packets)
      return errc::too_many_pieces;
    if (payload.empty() || static_cast<unsigned char>(payload.front()) > 1)
      return errc::bad_payload;
    piece x;
    x.binary = payload.front() == 1;
    payload.remove_prefix(1);
    auto bytes = take_length(payload, 0, length_end);
    if (!bytes)
      return bytes.error();
    if (*bytes > payload.size())
      return errc::bad_payload;
    x.bytes = payload.substr(0, *bytes);
    if (!x.binary && !codec::valid_utf8(x.bytes))
      return errc::bad_utf8;
    payload.remove_prefix(*bytes);
    out.push_back(x);
  } while (!payload.empty());
  return out;
}

codec::result<packet> decode_packet(const piece& x, std::string& scratch) {
  auto text = x.bytes;
  if (x.doubled) {
    scratch = undouble(text);
    text = scratch;
  }
  if (text.empty())
    return errc::truncated;
  auto first = text.front();
  text.remove_prefix(1);
  if (x.binary) {
    if (first != message_type)
      return errc::unknown_packet_type;
    return packet{packet_type::message, true, text};
  }
  if (first >= '0' && first <= '6')
    return packet{static_cast<packet_type>(first - '0'), false, text};
  if (first != 'b' || !text.starts_with('4'))
    return errc::unknown_packet_type;
  auto bytes = codec::decode_base64_lines(text.substr(1));
  if (!bytes)
    return bytes.error();
  scratch = std::move(*bytes);
  return packet{packet_type::message, true, scratch};
}

void append_text(std::string_view head, std::string_view body,
                 std::string& out) {
  out += std::to_string(codec::utf16_length(head) + codec::utf16_length(body));
  out += ':';
  out += head;
  out += body;
}

void append_binary(std::string_view head, std::string_view body, bool binary,
                   std::string& out) {
  out += binary ? '\x01' : '\0';
  for (auto digit : std::to_string(head.size() + body.size()))
    out += static_cast<char>(digit - '0');
  out += length_end;
  out += head;
  out += body;
}

void encode_binary(std::string_view bytes, std::string& out) {
  out += "b4";
  codec::encode_base64(bytes, out);
}

} // namespace signalbox::engine::v3
