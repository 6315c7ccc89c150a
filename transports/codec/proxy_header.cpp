#include "transports/codec/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace signalbox::codec {

namespace {

using state = proxy_reading::state;

constexpr std::string_view v1_start = "PROXY ";
constexpr std::string_view v2_start{"\r\n\r\n\0\r\nQUIT\n", 12};

/// Shortest header of version 1: `PROXY UNKNOWN` and its line end.
constexpr size_t shortest_v1 = 15;

/// Header of version 2 up to its length.
constexpr size_t v2_fixed = 16;

/// Type, and two bytes of length.
constexpr size_t tlv_fixed = 3;

enum tlv : uint8_t { tlv_crc32c = 0x03, tlv_ssl = 0x20 };

/// The first byte of `tlv_ssl` has this bit if the client spoke TLS; a
/// verification result of four bytes follows.
constexpr uint8_t client_ssl = 1;
constexpr size_t ssl_fixed = 5;

proxy_reading result(state at, size_t size = 0) {
  return {at, size, {}};
}

uint8_t byte(std::string_view x, size_t at) {
  return static_cast<uint8_t>(x[at]);
}

size_t word(std::string_view x, size_t at) {
  return static_cast<size_t>(byte(x, at)) << 8 | byte(x, at + 1);
}

// -- version 1 ----------------------------------------------------------------

std::string_view take_field(std::string_view& rest) {
  auto end = std::min(rest.find(' '), rest.size());
  auto out = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return out;
}

bool is_port(std::string_view x) {
  unsigned value = 0;
  auto [end, ec] = std::from_chars(x.data(), x.data() + x.size(), value);
  return ec == std::errc{} && end == x.data() + x.size() && value <= 65535
         && (x.size() == 1 || x.front() != '0');
}

bool is_address(std::string_view x, std::string_view alphabet) {
  return !x.empty() && x.find_first_not_of(alphabet) == x.npos;
}

proxy_reading read_v1(std::string_view in) {
  auto end = in.substr(0, longest_proxy_v1).find('\n');
  if (end == in.npos) {
    if (in.size() >= longest_proxy_v1)
      return result(state::bad);
    return result(state::incomplete, std::max(shortest_v1, in.size() + 1));
  }
  if (end + 1 < shortest_v1 || in[end - 1] != '\r')
    return result(state::bad);
  auto line = in.substr(v1_start.size(), end - 1 - v1_start.size());
  auto out = result(state::done, end + 1);
  // Bytes that follow the word say nothing.
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN "))
    return out;
  auto blanks = std::count(line.begin(), line.end(), ' ');
  auto family = take_field(line);
  auto from = take_field(line);
  auto to = take_field(line);
  auto from_port = take_field(line);
  auto to_port = take_field(line);
  auto alphabet = family == "TCP4" ? std::string_view{"0123456789."}
                                   : "0123456789abcdefABCDEF:.";
  if ((family != "TCP4" && family != "TCP6") || blanks != 4
      || !is_address(from, alphabet) || !is_address(to, alphabet)
      || !is_port(from_port) || !is_port(to_port))
    return result(state::bad);
  out.header.address = from;
  return out;
}

// -- version 2 ----------------------------------------------------------------

constexpr std::array<uint32_t, 256> make_crc32c_table() {
  std::array<uint32_t, 256> out{};
  for (uint32_t i = 0; i < out.size(); ++i) {
    auto x = i;
    for (auto bit = 0; bit < 8; ++bit)
      x = (x & 1) != 0 ? x >> 1 ^ 0x82F63B78u : x >> 1;
    out[i] = x;
  }
  return out;
}

constexpr auto crc32c_table = make_crc32c_table();

/// Returns the checksum of a header whose own four bytes at `field` count as
/// zeros.
uint32_t crc32c(std::string_view x, size_t field) {
  auto sum = ~0u;
  for (size_t i = 0; i < x.size(); ++i) {
    auto value = i >= field && i < field + 4 ? uint8_t{0} : byte(x, i);
    sum = sum >> 8 ^ crc32c_table[(sum ^ value) & 0xFF];
  }
  return ~sum;
}

/// Reads what stands behind the addresses, from `at` on.
bool read_tlvs(std::string_view whole, size_t at, proxy_header& out) {
  while (at < whole.size()) {
    if (whole.size() - at < tlv_fixed)
      return false;
    auto type = byte(whole, at);
    auto size = word(whole, at + 1);
    at += tlv_fixed;
    if (whole.size() - at < size)
      return false;
    if (type == tlv_ssl) {
      if (size < ssl_fixed)
        return false;
      out.secure = (byte(whole, at) & client_ssl) != 0;
    } else if (type == tlv_crc32c) {
      if (size != 4
          || crc32c(whole, at) != (word(whole, at) << 16 | word(whole, at + 2)))
        return false;
    }
    at += size;
  }
  return true;
}

std::string v4_text(std::string_view x) {
  std::string out;
  for (size_t i = 0; i < 4; ++i)
    out.append(i > 0 ? "." : "").append(std::to_string(byte(x, i)));
  return out;
}

std::string v6_text(std::string_view x) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < 16; ++i) {
    if (i > 0 && i % 2 == 0)
      out += ':';
    out += digits[byte(x, i) >> 4];
    out += digits[byte(x, i) & 15];
  }
  return out;
}

/// Returns how many bytes the addresses of a family take, nothing for one that
/// there is not.
std::optional<size_t> address_bytes(uint8_t family_and_kind) {
  if (family_and_kind == 0)
    return 0;
  // A kind that is neither a stream nor datagrams is unknown.
  auto kind = family_and_kind & 15;
  if (kind != 1 && kind != 2)
    return {};
  switch (family_and_kind >> 4) {
  case 1:
    return 12;
  case 2:
    return 36;
  case 3:
    return 216;
  default:
    return {};
  }
}

proxy_reading read_v2(std::string_view in) {
  if (in.size() < v2_fixed)
    return result(state::incomplete, v2_fixed);
  auto command = byte(in, 12);
  auto family = byte(in, 13);
  auto size = v2_fixed + word(in, 14);
  if ((command != 0x20 && command != 0x21) || size > longest_proxy_v2)
    return result(state::bad);
  if (in.size() < size)
    return result(state::incomplete, size);
  auto out = result(state::done, size);
  // The proxy speaks for itself, such as to look whether this one lives.
  if (command == 0x20)
    return out;
  auto whole = in.substr(0, size);
  auto taken = address_bytes(family);
  if (!taken || v2_fixed + *taken > size
      || !read_tlvs(whole, v2_fixed + *taken, out.header))
    return result(state::bad);
  if (family >> 4 == 1)
    out.header.address = v4_text(whole.substr(v2_fixed));
  else if (family >> 4 == 2)
    out.header.address = v6_text(whole.substr(v2_fixed));
  return out;
}

} // namespace

proxy_reading read_proxy_header(std::string_view in) {
  auto begins = [in](std::string_view start) {
    return in.substr(0, start.size()) == start.substr(0, in.size());
  };
  if (begins(v1_start))
    return in.size() < v1_start.size()
             ? result(state::incomplete, v1_start.size())
             : read_v1(in);
  if (begins(v2_start))
    return in.size() < v2_start.size()
             ? result(state::incomplete, v2_start.size())
             : read_v2(in);
  return {};
}

} // namespace signalbox::codec
