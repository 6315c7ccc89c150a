#include "transports/codec/legacy/v0_9.hpp"

#include "transports/codec/json_split.hpp"
#include "transports/codec/json_text.hpp"
#include "transports/codec/socket/v5.hpp"
#include "transports/codec/utf8.hpp"

#include <algorithm>

namespace signalbox::legacy::v0_9 {

using codec::errc;
using codec::json_kind;

namespace {

constexpr std::string_view mark = "\xEF\xBF\xBD";

/// A body of more digits than this would be too long anyway.
constexpr size_t max_length_digits = 9;

constexpr size_t max_id_digits = 15;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

std::string_view take_digits(std::string_view& text) noexcept {
  auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  auto digits = text.substr(0, static_cast<size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

uint64_t number(std::string_view digits) noexcept {
  uint64_t n = 0;
  for (auto c : digits)
    n = n * 10 + static_cast<uint64_t>(c - '0');
  return n;
}

/// Takes `id[+]:` off the text. Returns whether it was there.
bool take_id(std::string_view& text, packet& x) noexcept {
  auto digits = take_digits(text);
  if (digits.size() > max_id_digits)
    return false;
  if (!digits.empty())
    x.id = number(digits);
  if (text.starts_with('+')) {
    x.with_answer = true;
    text.remove_prefix(1);
  }
  if (!text.starts_with(':'))
    return false;
  text.remove_prefix(1);
  return true;
}

/// An ack names what it answers in its data: `id[+args]`.
bool take_answered(packet& x) noexcept {
  auto digits = take_digits(x.data);
  if (digits.empty() || digits.size() > max_id_digits
      || (!x.data.empty() && x.data.front() != '+'))
    return false;
  x.id = number(digits);
  x.with_answer = !x.data.empty();
  x.data.remove_prefix(x.with_answer ? 1 : 0);
  return true;
}

std::string named(std::string_view name, std::string_view args) {
  std::string out{'['};
  out += name;
  if (!args.empty())
    out.append(",").append(args);
  out += ']';
  return out;
}

/// What stands between the brackets of an array.
std::string_view inside(std::string_view array) noexcept {
  auto begin = array.find('[') + 1;
  auto text = array.substr(begin, array.rfind(']') - begin);
  auto first = text.find_first_not_of(" \t\n\r");
  return first == text.npos ? std::string_view{} : text.substr(first);
}

} // namespace

codec::result<std::vector<std::string_view>>
split_payload(std::string_view payload, size_t max_packets) {
  std::vector<std::string_view> out;
  if (!payload.starts_with(mark)) {
    if (!codec::valid_utf8(payload))
      return errc::bad_utf8;
    out.push_back(payload);
    return out;
  }
  while (!payload.empty()) {
    if (out.size() == max_packets)
      return errc::too_many_pieces;
    if (!payload.starts_with(mark))
      return errc::bad_payload;
    payload.remove_prefix(mark.size());
    auto digits = take_digits(payload);
    if (digits.empty() || digits.size() > max_length_digits
        || !payload.starts_with(mark))
      return errc::bad_payload;
    payload.remove_prefix(mark.size());
    auto bytes = codec::utf16_prefix(payload, number(digits));
    if (!bytes)
      return bytes.error();
    out.push_back(payload.substr(0, *bytes));
    payload.remove_prefix(*bytes);
  }
  return out;
}

codec::result<packet> decode_packet(std::string_view text) {
  if (text.empty())
    return errc::truncated;
  if (text.front() < '0' || text.front() > '8')
    return errc::unknown_packet_type;
  packet x;
  x.type = static_cast<packet_type>(text.front() - '0');
  text.remove_prefix(1);
  // Some clients leave out everything behind the type of a disconnect.
  if (text.empty() && x.type == packet_type::disconnect)
    return x;
  if (!text.starts_with(':'))
    return errc::unknown_packet_type;
  text.remove_prefix(1);
  if (!take_id(text, x))
    return errc::bad_ack_id;
  auto end = std::min(text.find(':'), text.size());
  x.endpoint = text.substr(0, end);
  x.data = text.substr(std::min(end + 1, text.size()));
  if (x.type == packet_type::ack && !take_answered(x))
    return errc::bad_ack_id;
  return x;
}

codec::result<std::string> decode_event(const packet& x,
                                        const codec::json_limits& limits) {
  if (x.type == packet_type::message) {
    std::string text;
    codec::quote_json(x.data, text);
    return named("\"message\"", text);
  }
  auto json = codec::scan_json(x.data, limits);
  if (!json)
    return json.error();
  if (x.type == packet_type::json)
    return named("\"message\"", x.data);
  if (json->kind != json_kind::object)
    return errc::bad_payload;
  auto members = codec::split_object(x.data);
  auto name = codec::find_member(members, "name");
  if (!name || codec::kind_of(*name) != json_kind::string)
    return errc::bad_payload;
  if (socket::v5::reserved_event(codec::unquote_json(*name)))
    return errc::reserved_event;
  auto args = codec::find_member(members, "args");
  if (!args)
    return named(*name, {});
  return named(*name, codec::kind_of(*args) == json_kind::array ? inside(*args)
                                                                : *args);
}

codec::result<std::string> decode_ack(const packet& x,
                                      const codec::json_limits& limits) {
  if (x.data.empty())
    return std::string{"[]"};
  auto json = codec::scan_json(x.data, limits);
  if (!json)
    return json.error();
  return json->kind == json_kind::array ? std::string{x.data}
                                        : '[' + std::string{x.data} + ']';
}

void encode_header(packet_type type, std::optional<uint64_t> id,
                   std::string_view nsp, std::string& out) {
  out += static_cast<char>('0' + static_cast<int>(type));
  out += ':';
  if (id)
    out += std::to_string(*id) + '+';
  out += ':';
  if (nsp != "/")
    out += nsp;
}

void encode_event(std::string_view args, std::string& out) {
  auto elements = codec::split_array(args);
  if (elements.empty())
    return;
  out += "{\"name\":";
  out += elements.front();
  for (size_t i = 1; i < elements.size(); ++i) {
    out += i == 1 ? ",\"args\":[" : ",";
    out += elements[i];
  }
  out += elements.size() > 1 ? "]}" : "}";
}

void encode_ack(std::string_view nsp, uint64_t id, std::string_view args,
                std::string& out) {
  encode_header(packet_type::ack, {}, nsp, out);
  out += ':' + std::to_string(id);
  if (args == "[]")
    return;
  out += '+';
  for (; !args.empty(); args.remove_prefix(1)) {
    auto line_end = args.starts_with("\xE2\x80\xA8")   ? "\\u2028"
                    : args.starts_with("\xE2\x80\xA9") ? "\\u2029"
                                                       : nullptr;
    if (line_end == nullptr) {
      out += args.front();
    } else {
      out += line_end;
      args.remove_prefix(2);
    }
  }
}

void append_piece(std::string_view head, std::string_view body,
                  std::string& out) {
  out += mark;
  out += std::to_string(codec::utf16_length(head) + codec::utf16_length(body));
  out += mark;
  out += head;
  out += body;
}

} // namespace signalbox::legacy::v0_9
