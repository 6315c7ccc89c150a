#include "transports/codec/basp_guard.hpp"

#include <algorithm>

// Formats as CAF 0.17.6 writes them: numbers big-endian, lengths of strings and
// lists in groups of seven bits with the lowest first, a value of a known type
// by its name.

namespace signalbox::codec {

namespace {

constexpr size_t header_size = 32;

/// More than a batch has before its bytes.
constexpr size_t batch_head = 96;

enum message_type : uint8_t {
  server_handshake = 0,
  client_handshake = 1,
  direct_message = 2,
  monitor_message = 4,
  down_message = 5,
  heartbeat = 6,
};

constexpr uint64_t version = 3;

/// Flags of a header.
constexpr uint8_t named_receiver = 1;
constexpr uint8_t select_connection = 2;

/// Message id of what is neither request nor response.
constexpr uint64_t asynchronous = 0x1000000000000000;

/// CAF's atoms.
constexpr std::string_view default_node{"\0\0\x3e\x9a\xab\x9b\xac\x79", 8};
constexpr uint64_t spawn_server = 0x3ddd66f3376adfb;

/// No forwarding stack, and the name of the value's type.
constexpr std::string_view open_start{"\0\0\0"
                                      "\x18@<>+signalbox::link_open",
                                      28};
constexpr std::string_view batch_start{"\0\0\0"
                                       "\x19@<>+signalbox::link_batch",
                                       29};

/// What every broker asks when it knows a node: ('sys', 'get', "info").
constexpr std::string_view spawn_question{"\0\0\0\x14@<>+@atom+@atom+@str"
                                          "\0\0\0\0\0\x3f\x8f\xb8"
                                          "\0\0\0\0\0\x3e\xca\xb9"
                                          "\x04info",
                                          45};

bool take_prefix(std::string_view& bytes, std::string_view what) {
  if (!bytes.starts_with(what))
    return false;
  bytes.remove_prefix(what.size());
  return true;
}

bool take_some(std::string_view& bytes, size_t size, std::string_view& out) {
  if (bytes.size() < size)
    return false;
  out = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

template <class T>
bool take_number(std::string_view& bytes, T& out) {
  std::string_view raw;
  if (!take_some(bytes, sizeof(T), raw))
    return false;
  out = 0;
  for (unsigned char c : raw)
    out = static_cast<T>(static_cast<uint64_t>(out) << 8 | c);
  return true;
}

bool take_length(std::string_view& bytes, size_t& out) {
  out = 0;
  for (auto shift = 0; shift < 32; shift += 7) {
    uint8_t next = 0;
    if (!take_number(bytes, next))
      return false;
    out |= static_cast<size_t>(next & 0x7f) << shift;
    if (next < 0x80)
      return out <= 0xffffffff;
  }
  return false;
}

bool take_text(std::string_view& bytes, std::string_view& out) {
  size_t size = 0;
  return take_length(bytes, size) && take_some(bytes, size, out);
}

bool take_texts(std::string_view& bytes) {
  size_t count = 0;
  if (!take_length(bytes, count))
    return false;
  std::string_view each;
  for (; count > 0; --count)
    if (!take_text(bytes, each))
      return false;
  return true;
}

/// A process on some machine; CAF knows of others too.
bool take_id(std::string_view& bytes, std::string_view& out) {
  if (!take_some(bytes, basp_guard::id_size, out)
      || !out.starts_with(default_node))
    return false;
  auto set = [](std::string_view x) {
    return x.find_first_not_of('\0') != std::string_view::npos;
  };
  return set(out.substr(8, 4)) && set(out.substr(12));
}

/// An error's context: nothing, or texts.
bool is_context(std::string_view bytes) {
  uint16_t number = 0;
  std::string_view types;
  if (!take_number(bytes, number) || number != 0 || !take_text(bytes, types)
      || !take_prefix(types, "@<>"))
    return false;
  std::string_view each;
  while (take_prefix(types, "+@str"))
    if (!take_text(bytes, each))
      return false;
  return types.empty() && bytes.empty();
}

} // namespace

bool basp_guard::take(std::string_view bytes) {
  while (!bytes.empty()) {
    if (skip_ > 0) {
      auto n = std::min(skip_, bytes.size());
      skip_ -= n;
      bytes.remove_prefix(n);
      continue;
    }
    auto n = std::min(wanted_ - kept_.size(), bytes.size());
    kept_.append(bytes.substr(0, n));
    bytes.remove_prefix(n);
    if (kept_.size() < wanted_)
      return true;
    if (!next())
      return false;
  }
  return true;
}

bool basp_guard::refuse(const char* why) noexcept {
  trouble_ = why;
  return false;
}

/// What was waited for is there.
bool basp_guard::next() {
  if (!in_payload_) {
    if (!read_header())
      return false;
    kept_.clear();
    if (header_.size > 0) {
      in_payload_ = true;
      // A batch is told from others by what it has first.
      wanted_ = header_.type == direct_message
                  ? std::min<size_t>(header_.size, batch_head)
                  : header_.size;
    }
    return true;
  }
  // One that is no batch is wanted whole.
  if (kept_.size() < header_.size && !kept_.starts_with(batch_start)) {
    if (header_.size > terms_.max_message)
      return refuse("a message is too large");
    wanted_ = header_.size;
    return true;
  }
  if (!read_payload())
    return false;
  skip_ = header_.size - kept_.size();
  in_payload_ = false;
  wanted_ = header_size;
  kept_.clear();
  if (kept_.capacity() > terms_.max_message / 4)
    kept_.shrink_to_fit();
  return true;
}

bool basp_guard::read_header() {
  std::string_view bytes{kept_};
  auto& x = header_;
  uint16_t padding = 0;
  // Of a header's size.
  take_number(bytes, x.type) && take_number(bytes, padding)
    && take_number(bytes, x.flags) && take_number(bytes, x.size)
    && take_number(bytes, x.data) && take_number(bytes, x.source)
    && take_number(bytes, x.target);
  auto shakes = x.type <= client_handshake;
  if (padding != 0)
    return refuse("what is no message of BASP");
  if (!shakes && !greeted_)
    return refuse("no handshake comes first");
  if (shakes && handshakes_ >= (terms_.dialer ? 2 : 1))
    return refuse("a handshake too many");
  if (x.size
      > (x.type == direct_message ? terms_.max_batch : terms_.max_message))
    return refuse("a message is too large");
  if ((x.size == 0) != (x.type == heartbeat))
    return refuse("a message of a wrong size");
  auto fits = false;
  switch (x.type) {
  case server_handshake:
    fits = !terms_.dialer && x.flags == 0 && x.data == version && x.source == 0
           && x.target == 0;
    break;
  case client_handshake:
    fits = terms_.dialer && x.flags == (greeted_ ? select_connection : 0)
           && x.data == 0 && x.source == 0 && x.target == 0;
    break;
  case direct_message:
    fits = x.data == asynchronous
           && (x.flags == 0 ? x.source == 0 && x.target != 0
                            : x.flags == named_receiver && x.source != 0
                                && x.target == spawn_server);
    break;
  case monitor_message:
    fits = x.flags == 0 && x.data == 0 && x.source == 0 && x.target != 0;
    break;
  case down_message:
    fits = x.flags == 0 && x.data == 0 && x.source != 0 && x.target == 0;
    break;
  case heartbeat:
    fits = x.flags == 0 && x.data == 0 && x.source == 0 && x.target == 0;
    break;
  default:
    break;
  }
  return fits || refuse("a message that no node sends");
}

bool basp_guard::read_payload() {
  switch (header_.type) {
  case direct_message:
    return on_direct() || refuse("a value that no node sends");
  case monitor_message:
  case down_message:
    return on_proxy() || refuse("a broken message about a proxy");
  default:
    return on_handshake() || refuse("a broken handshake");
  }
}

bool basp_guard::on_handshake() {
  std::string_view bytes{kept_};
  std::string_view id;
  if (!take_id(bytes, id) || (greeted_ && id != peer_))
    return false;
  uint64_t gate = 0;
  if (header_.type == server_handshake
      && !(take_texts(bytes) && take_number(bytes, gate) && take_texts(bytes)))
    return false;
  if (!bytes.empty())
    return false;
  peer_ = id;
  greeted_ = true;
  ++handshakes_;
  return true;
}

bool basp_guard::on_direct() {
  if (header_.flags == named_receiver)
    return kept_ == spawn_question;
  // A node that dials itself finds out by the handshake.
  std::string_view bytes{kept_};
  if (peer_ == terms_.self)
    return false;
  return take_prefix(bytes, batch_start)
           ? on_batch(bytes)
           : take_prefix(bytes, open_start) && on_open(bytes);
}

bool basp_guard::on_open(std::string_view bytes) {
  std::string_view hello;
  uint64_t actor = 0;
  opened_ = take_text(bytes, hello) && take_number(bytes, actor) && actor != 0
            && from_peer(bytes) && bytes.empty();
  return opened_;
}

bool basp_guard::on_batch(std::string_view bytes) {
  uint64_t number = 0;
  size_t size = 0;
  // A node that was dialed may refuse the link by a batch.
  if (terms_.dialer && !opened_)
    return false;
  for (auto i = 0; i < 3; ++i)
    if (!take_number(bytes, number))
      return false;
  return take_length(bytes, size)
         && size == bytes.size() + (header_.size - kept_.size());
}

bool basp_guard::on_proxy() {
  std::string_view bytes{kept_};
  if (peer_ == terms_.self || !from_peer(bytes)
      || !take_prefix(bytes, terms_.self))
    return false;
  if (header_.type == monitor_message)
    return bytes.empty();
  uint8_t code = 0;
  uint64_t category = 0;
  return take_number(bytes, code) && take_number(bytes, category)
         && is_context(bytes);
}

bool basp_guard::from_peer(std::string_view& bytes) const {
  return take_prefix(bytes, peer_);
}

} // namespace signalbox::codec
