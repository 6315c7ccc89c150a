#include "transports/codec/socket/v5.hpp"

#include "transports/codec/json_text.hpp"
#include "transports/codec/utf8.hpp"

#include <algorithm>

// The grammar is that of socket.io-parser 4.2, which reads numbers by the rules
// of JavaScript: ` 1-`, `1e1-` and `0x1-` announce attachments there, a blank
// is the ack id 0 and a long id becomes Infinity. Here a number is digits.

namespace signalbox::socket::v5 {

using codec::errc;
using codec::json_kind;

namespace {

constexpr size_t max_id_digits = 15;

constexpr std::string_view reserved[] = {
  "connect",       "connect_error", "disconnect",
  "disconnecting", "newListener",   "removeListener",
};

bool is_binary(packet_type type) {
  return type == packet_type::binary_event || type == packet_type::binary_ack;
}

std::string_view take_digits(std::string_view& text) {
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  auto digits = text.substr(0, static_cast<size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

errc take_attachments(std::string_view& text, size_t limit, size_t& out) {
  // Stops at the limit, so that no number of digits overflows.
  for (auto digit : take_digits(text)) {
    out = out * 10 + static_cast<size_t>(digit - '0');
    if (out > limit)
      return errc::bad_attachments;
  }
  if (out == 0 || !text.starts_with('-'))
    return errc::bad_attachments;
  text.remove_prefix(1);
  return errc::none;
}

// A name that is not configured is no error here: the answer to CONNECT says
// so. But the name goes back in that answer, and into logs, so it must be
// plain text.
errc take_namespace(std::string_view& text, size_t limit, std::string& out) {
  if (!text.starts_with('/'))
    return errc::none;
  auto end = text.find(',');
  auto name = text.substr(0, end);
  if (name.size() > limit)
    return errc::bad_namespace;
  auto is_control = [](char c) {
    auto x = static_cast<unsigned char>(c);
    return x < 0x20 || x == 0x7F;
  };
  if (std::any_of(name.begin(), name.end(), is_control))
    return errc::bad_namespace;
  if (!codec::valid_utf8(name))
    return errc::bad_utf8;
  out = name;
  text.remove_prefix(end == std::string_view::npos ? name.size() : end + 1);
  return errc::none;
}

errc take_id(std::string_view& text, std::optional<uint64_t>& out) {
  auto digits = take_digits(text);
  if (digits.size() > max_id_digits)
    return errc::bad_ack_id;
  if (digits.empty())
    return errc::none;
  uint64_t id = 0;
  for (auto digit : digits)
    id = id * 10 + static_cast<uint64_t>(digit - '0');
  out = id;
  return errc::none;
}

errc check_event_name(std::string_view name) {
  switch (codec::kind_of(name)) {
  case json_kind::number:
    return errc::none;
  case json_kind::string:
    break;
  default:
    return errc::bad_payload;
  }
  // The escaped form of a reserved name is as reserved as the plain one.
  auto is_reserved = name.find('\\') == std::string_view::npos
                       ? reserved_event(name.substr(1, name.size() - 2))
                       : reserved_event(codec::unquote_json(name));
  return is_reserved ? errc::reserved_event : errc::none;
}

errc check_shape(packet_type type, const codec::json_view& json) {
  auto ok = false;
  switch (type) {
  case packet_type::connect:
    ok = json.kind == json_kind::object;
    break;
  case packet_type::disconnect:
    break;
  case packet_type::connect_error:
    ok = json.kind == json_kind::object || json.kind == json_kind::string;
    break;
  case packet_type::event:
  case packet_type::binary_event:
    if (!json.elements.empty())
      return check_event_name(json.elements.front());
    break;
  case packet_type::ack:
  case packet_type::binary_ack:
    ok = json.kind == json_kind::array;
    break;
  }
  return ok ? errc::none : errc::bad_payload;
}

errc check_data(const packet& x, const codec::json_limits& bounds) {
  auto json = codec::scan_json(x.data, bounds);
  if (!json)
    return json.error();
  if (auto code = check_shape(x.type, *json); code != errc::none)
    return code;
  if (!is_binary(x.type))
    return errc::none;
  auto limit = static_cast<int64_t>(x.expected_attachments);
  auto names_one = [limit](const codec::json_placeholder& placeholder) {
    return placeholder.num >= 0 && placeholder.num < limit;
  };
  const auto& found = json->placeholders;
  return std::all_of(found.begin(), found.end(), names_one)
           ? errc::none
           : errc::bad_placeholder;
}

// A blank before the JSON would be ack id 0 to an official peer, should the
// data be relayed to it.
std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\r";
  auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos)
    return text;
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

} // namespace

codec::result<packet> decode(std::string_view text, const limits& bounds) {
  if (text.empty())
    return errc::truncated;
  if (text.front() < '0' || text.front() > '6')
    return errc::unknown_packet_type;
  packet x;
  x.type = static_cast<packet_type>(text.front() - '0');
  text.remove_prefix(1);
  auto code = errc::none;
  if (is_binary(x.type))
    code = take_attachments(text, bounds.attachments, x.expected_attachments);
  if (code == errc::none)
    code = take_namespace(text, bounds.nsp_bytes, x.nsp);
  if (code == errc::none)
    code = take_id(text, x.id);
  if (code == errc::none && !text.empty()) {
    x.data = trim(text);
    code = check_data(x, bounds.json);
  }
  if (code != errc::none)
    return code;
  return x;
}

void encode(const packet& x, std::string& out) {
  auto attachments =
    x.attachments.empty() ? x.expected_attachments : x.attachments.size();
  encode_header(x.type, attachments, x.nsp, x.id, out);
  out += x.data;
}

void encode_header(packet_type type, size_t attachments, std::string_view nsp,
                   std::optional<uint64_t> id, std::string& out) {
  out += static_cast<char>('0' + static_cast<int>(type));
  if (is_binary(type)) {
    out += std::to_string(attachments);
    out += '-';
  }
  if (nsp != "/") {
    out += nsp;
    out += ',';
  }
  if (id)
    out += std::to_string(*id);
}

bool reserved_event(std::string_view name) noexcept {
  return std::find(std::begin(reserved), std::end(reserved), name)
         != std::end(reserved);
}

} // namespace signalbox::socket::v5
