#include "transports/codec/ws/frame.hpp"

#include "transports/codec/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstring>

// A frame (RFC 6455 section 5.2):
//
//   FIN RSV1-3 opcode | MASK length | length, 2 or 8 bytes | key, 4 | payload
//     1   3      4    |   1     7   |
//
// The reader checks each header byte as soon as it is there, in wire order, so
// that the outcome does not depend on how the bytes were cut on their way.

namespace signalbox::ws {

namespace {

using codec::errc;

using mask_key = std::array<char, 4>;

/// Most bytes of a header with a mask.
constexpr size_t max_masked_header = 14;

/// Most payload bytes of a control frame (section 5.5).
constexpr size_t max_control = 125;

bool is_control(opcode op) {
  return static_cast<uint8_t>(op) >= 8;
}

bool known(uint8_t code) {
  return code <= 2 || (code >= 8 && code <= 10);
}

bool valid_close_code(uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1011)
         || (code >= 3000 && code <= 4999);
}

errc check_close(std::string_view body) {
  if (body.empty())
    return errc::none;
  auto code = static_cast<uint16_t>(static_cast<uint8_t>(body[0]) << 8
                                    | static_cast<uint8_t>(body[1]));
  if (!valid_close_code(code))
    return errc::bad_frame;
  return codec::valid_utf8(body.substr(2)) ? errc::none : errc::bad_utf8;
}

// `offset` is the position of `data` in the payload of its frame.
void apply_mask(char* data, size_t size, const mask_key& mask, size_t offset) {
  std::array<char, 8> key;
  for (size_t i = 0; i < key.size(); ++i)
    key[i] = mask[(offset + i) % mask.size()];
  uint64_t wide_key;
  std::memcpy(&wide_key, key.data(), key.size());
  for (; size >= key.size(); data += key.size(), size -= key.size()) {
    uint64_t wide;
    std::memcpy(&wide, data, key.size());
    wide ^= wide_key;
    std::memcpy(data, &wide, key.size());
  }
  for (size_t i = 0; i < size; ++i)
    data[i] = static_cast<char>(data[i] ^ key[i]);
}

} // namespace

size_t encode_header(opcode op, size_t size, char* out, bool fin,
                     bool compressed) noexcept {
  out[0] = static_cast<char>((fin ? 0x80 : 0) | (compressed ? 0x40 : 0)
                             | static_cast<uint8_t>(op));
  if (size <= 125) {
    out[1] = static_cast<char>(size);
    return 2;
  }
  auto width = size <= 0xFFFF ? 2u : 8u;
  out[1] = static_cast<char>(width == 2 ? 126 : 127);
  for (auto i = 0u; i < width; ++i)
    out[2 + i] = static_cast<char>(uint64_t{size} >> (8 * (width - 1 - i)));
  return 2 + width;
}

void encode_frame(opcode op, std::string_view payload, std::string& out) {
  char header[max_header];
  out.append(header, encode_header(op, payload.size(), header));
  out.append(payload);
}

void encode_masked_frame(opcode op, std::string_view payload, uint32_t mask,
                         std::string& out) {
  char header[max_header];
  auto size = encode_header(op, payload.size(), header);
  header[1] = static_cast<char>(header[1] | 0x80);
  out.append(header, size);
  mask_key key;
  for (size_t i = 0; i < key.size(); ++i)
    key[i] = static_cast<char>(mask >> (8 * (key.size() - 1 - i)));
  out.append(key.data(), key.size());
  auto begin = out.size();
  out.append(payload);
  apply_mask(out.data() + begin, payload.size(), key, 0);
}

std::string close_body(uint16_t code, std::string_view reason) {
  std::string result;
  if (code == close_code::none)
    return result;
  result += static_cast<char>(code >> 8);
  result += static_cast<char>(code);
  auto size = std::min(reason.size(), max_control - 2);
  if (size < reason.size())
    while (size > 0 && (static_cast<uint8_t>(reason[size]) & 0xC0) == 0x80)
      --size;
  result.append(reason.substr(0, size));
  return result;
}

// -- reader -------------------------------------------------------------------

struct reader::frame {
  opcode op = opcode::text;
  bool fin = true;
  bool compressed = false;
  uint64_t size = 0;
  mask_key mask{};
};

// Exists only while something is unfinished, or handed out from here.
struct reader::state {
  // Header of which more bytes have to come.
  std::array<char, max_masked_header> header;
  size_t header_size = 0;
  // Frame of which more payload has to come, and how much came.
  bool in_frame = false;
  frame current;
  size_t received = 0;
  std::array<char, max_control> control;
  // Data message of which more has to come.
  bool in_message = false;
  opcode op = opcode::text;
  bool compressed = false;
  size_t fragments = 0;
  std::string data;
  codec::utf8_checker text;
};

reader::reader(peer who, limits bounds, bool allow_compressed) noexcept
  : who_(who), allow_compressed_(allow_compressed), limits_(bounds) {
  // nop
}

reader::reader(reader&&) noexcept = default;

reader& reader::operator=(reader&&) noexcept = default;

reader::~reader() = default;

codec::result<bool> reader::next(std::span<char>& input, message& out) {
  if (failed_ != errc::none)
    return failed_;
  // The message that the last call handed out from the state ends here.
  if (state_ && !partial())
    state_.reset();
  while (!input.empty()) {
    if (!state_ || !state_->in_frame) {
      frame head;
      auto complete = read_header(input, head);
      if (!complete || !*complete)
        return complete;
      auto whole =
        is_control(head.op) || (head.fin && head.op != opcode::continuation);
      if (whole && head.size <= input.size())
        return deliver_in_place(input, head, out);
      open(head);
    }
    auto done = read_payload(input, out);
    if (!done || *done)
      return done;
  }
  return false;
}

bool reader::partial() const noexcept {
  return state_
         && (state_->in_frame || state_->in_message || state_->header_size > 0);
}

size_t reader::memory() const noexcept {
  if (!state_)
    return 0;
  auto inner = std::string{}.capacity();
  auto capacity = state_->data.capacity();
  return sizeof(state) + (capacity > inner ? capacity + 1 : 0);
}

// Returns the length of the header that starts with `bytes`, as far as they
// tell; `out` is complete if they are that many.
codec::result<size_t> reader::parse(std::string_view bytes, frame& out) const {
  auto at = [bytes](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  if (bytes.empty())
    return 2;
  auto code = static_cast<uint8_t>(at(0) & 0x0F);
  if (!known(code) || (at(0) & 0x30) != 0)
    return errc::bad_frame;
  out.op = static_cast<opcode>(code);
  out.fin = (at(0) & 0x80) != 0;
  out.compressed = (at(0) & 0x40) != 0;
  auto control = is_control(out.op);
  auto continued = out.op == opcode::continuation;
  auto in_message = state_ && state_->in_message;
  // RFC 7692 section 6: RSV1 belongs to the message, not to its fragments.
  if (out.compressed && (!allow_compressed_ || control || continued))
    return errc::bad_frame;
  if (control ? !out.fin : continued != in_message)
    return errc::bad_frame;
  if (continued && state_->fragments >= limits_.fragments)
    return errc::too_many_pieces;
  if (bytes.size() < 2)
    return 2;
  auto masked = (at(1) & 0x80) != 0;
  if (masked != (who_ == peer::client))
    return errc::bad_frame;
  auto length = static_cast<uint8_t>(at(1) & 0x7F);
  if (control && length > max_control)
    return errc::bad_frame;
  if (out.op == opcode::close && length == 1)
    return errc::bad_frame;
  size_t mask_at = length < 126 ? 2 : length == 126 ? 4 : 10;
  auto header_size = mask_at + (masked ? out.mask.size() : 0);
  if (bytes.size() < mask_at)
    return header_size;
  out.size = length < 126 ? length : 0;
  for (size_t i = 2; i < mask_at; ++i)
    out.size = out.size << 8 | at(i);
  // Section 5.2: the minimal number of bytes, and the top bit is 0.
  if ((length == 126 && out.size < 126)
      || (length == 127 && (out.size <= 0xFFFF || out.size >> 63 != 0)))
    return errc::bad_frame;
  auto before = in_message ? state_->data.size() : 0;
  if (!control && out.size > limits_.message - before)
    return errc::too_large;
  if (masked && bytes.size() >= header_size)
    bytes.copy(out.mask.data(), out.mask.size(), mask_at);
  return header_size;
}

codec::result<bool> reader::read_header(std::span<char>& input, frame& out) {
  if (!state_ || state_->header_size == 0) {
    auto size = parse({input.data(), input.size()}, out);
    if (!size)
      return fail(size.error());
    if (*size <= input.size()) {
      input = input.subspan(*size);
      return true;
    }
    if (!state_)
      state_ = std::make_unique<state>();
  }
  auto& buffer = state_->header;
  auto& have = state_->header_size;
  for (;;) {
    auto size = parse({buffer.data(), have}, out);
    if (!size)
      return fail(size.error());
    if (have == *size) {
      have = 0;
      return true;
    }
    if (input.empty())
      return false;
    auto piece = input.first(std::min(*size - have, input.size()));
    std::copy(piece.begin(), piece.end(), buffer.begin() + have);
    have += piece.size();
    input = input.subspan(piece.size());
  }
}

codec::result<bool> reader::deliver_in_place(std::span<char>& input,
                                             const frame& head, message& out) {
  auto payload = input.first(head.size);
  input = input.subspan(head.size);
  if (who_ == peer::client)
    apply_mask(payload.data(), payload.size(), head.mask, 0);
  out.op = head.op;
  out.data = {payload.data(), payload.size()};
  out.compressed = head.compressed;
  if (head.op == opcode::close)
    if (auto code = check_close(out.data); code != errc::none)
      return fail(code);
  if (head.op == opcode::text && !head.compressed
      && !codec::valid_utf8(out.data))
    return fail(errc::bad_utf8);
  return true;
}

void reader::open(const frame& head) {
  if (!state_)
    state_ = std::make_unique<state>();
  state_->in_frame = true;
  state_->current = head;
  state_->received = 0;
  if (is_control(head.op))
    return;
  if (head.op != opcode::continuation) {
    state_->in_message = true;
    state_->op = head.op;
    state_->compressed = head.compressed;
  }
  ++state_->fragments;
}

codec::result<bool> reader::read_payload(std::span<char>& input, message& out) {
  auto& now = *state_;
  const auto& head = now.current;
  auto left = head.size - now.received;
  auto piece = input.first(std::min<uint64_t>(left, input.size()));
  input = input.subspan(piece.size());
  if (who_ == peer::client)
    apply_mask(piece.data(), piece.size(), head.mask, now.received);
  if (is_control(head.op)) {
    std::copy(piece.begin(), piece.end(), now.control.begin() + now.received);
  } else {
    std::string_view text{piece.data(), piece.size()};
    if (now.op == opcode::text && !now.compressed && !now.text.feed(text))
      return fail(errc::bad_utf8);
    // Grows with the bytes that came, not with the length announced.
    now.data.append(text);
  }
  now.received += piece.size();
  if (now.received < head.size)
    return false;
  now.in_frame = false;
  if (is_control(head.op)) {
    out = {head.op, {now.control.data(), now.received}, false};
    if (head.op == opcode::close)
      if (auto code = check_close(out.data); code != errc::none)
        return fail(code);
    return true;
  }
  if (!head.fin)
    return false;
  if (!now.text.complete())
    return fail(errc::bad_utf8);
  now.in_message = false;
  out = {now.op, now.data, now.compressed};
  return true;
}

codec::errc reader::fail(codec::errc x) {
  failed_ = x;
  state_.reset();
  return x;
}

uint16_t close_code_for(codec::errc x) noexcept {
  switch (x) {
  case errc::bad_utf8:
    return close_code::bad_data;
  case errc::too_large:
  case errc::too_many_pieces:
    return close_code::too_big;
  default:
    return close_code::protocol_error;
  }
}

} // namespace signalbox::ws
