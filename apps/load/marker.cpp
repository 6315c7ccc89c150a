#include "apps/load/marker.hpp"

#include <charconv>

namespace signalbox::load {

namespace {

constexpr std::string_view tag = "\"~sbl";

void append_hex(uint32_t value, std::string& out) {
  for (int shift = 28; shift >= 0; shift -= 4)
    out += "0123456789abcdef"[value >> shift & 15];
}

bool parse_hex(std::string_view text, uint32_t& out) {
  const auto* end = text.data() + text.size();
  auto [stop, ec] = std::from_chars(text.data(), end, out, 16);
  return ec == std::errc{} && stop == end;
}

} // namespace

std::string encode_marker(uint32_t run, sequence number, size_t size) {
  std::string result{tag.substr(1)};
  append_hex(run, result);
  append_hex(number, result);
  result.resize(size, 'x');
  return result;
}

std::optional<marker> find_marker(std::string_view packet, size_t size) {
  auto at = packet.find(tag);
  if (at == std::string_view::npos)
    return std::nullopt;
  packet.remove_prefix(at + 1);
  marker result;
  if (packet.size() < marker_size || !parse_hex(packet.substr(4, 8), result.run)
      || !parse_hex(packet.substr(12, 8), result.number))
    return std::nullopt;
  result.whole = packet.find('"') == size;
  return result;
}

} // namespace signalbox::load
