#include "apps/load/marker.hpp"

#include <charconv>

namespace signalbox::load {

namespace {

constexpr std::string_view tag = "~sbl";
constexpr std::string_view quoted_tag = "\"~sbl";

constexpr size_t run_digits = 4;
constexpr size_t number_digits = 8;

void append_hex(uint32_t value, size_t digits, std::string& out) {
  while (digits-- > 0)
    out += "0123456789abcdef"[value >> 4 * digits & 15];
}

template <class T>
bool parse_hex(std::string_view text, T& out) {
  const auto* end = text.data() + text.size();
  auto [stop, ec] = std::from_chars(text.data(), end, out, 16);
  return ec == std::errc{} && stop == end;
}

} // namespace

std::string encode_marker(uint16_t run, sequence number, size_t size) {
  std::string result{tag};
  append_hex(run, run_digits, result);
  append_hex(number, number_digits, result);
  result.resize(size, 'x');
  return result;
}

std::optional<marker> read_marker(std::string_view text, size_t size) {
  marker result;
  if (text.size() < marker_size || !text.starts_with(tag)
      || !parse_hex(text.substr(tag.size(), run_digits), result.run)
      || !parse_hex(text.substr(tag.size() + run_digits, number_digits),
                    result.number))
    return std::nullopt;
  result.whole = text.size() == size;
  return result;
}

std::optional<marker> find_marker(std::string_view packet, size_t size) {
  auto at = packet.find(quoted_tag);
  if (at == std::string_view::npos)
    return std::nullopt;
  packet.remove_prefix(at + 1);
  return read_marker(packet.substr(0, packet.find('"')), size);
}

} // namespace signalbox::load
