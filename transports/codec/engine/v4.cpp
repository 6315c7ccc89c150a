#include "transports/codec/engine/v4.hpp"

#include "transports/codec/base64.hpp"

#include <utility>

namespace signalbox::engine::v4 {

using codec::errc;

codec::result<packet> decode_packet(std::string_view text,
                                    std::string& scratch) {
  if (text.empty())
    return errc::truncated;
  auto first = text.front();
  text.remove_prefix(1);
  if (first >= '0' && first <= '6')
    return packet{static_cast<packet_type>(first - '0'), false, text};
  if (first != 'b')
    return errc::unknown_packet_type;
  auto bytes = codec::decode_base64_lines(text);
  if (!bytes)
    return bytes.error();
  scratch = std::move(*bytes);
  return packet{packet_type::message, true, scratch};
}

codec::result<std::vector<piece>> split_payload(std::string_view payload,
                                                size_t max_packets) {
  std::vector<piece> packets;
  for (;;) {
    if (packets.size() == max_packets)
      return errc::too_many_pieces;
    auto end = payload.find(separator);
    packets.push_back({payload.substr(0, end)});
    if (end == std::string_view::npos)
      return packets;
    payload.remove_prefix(end + 1);
  }
}

void encode_packet(packet_type type, std::string_view data, std::string& out) {
  out += static_cast<char>('0' + static_cast<int>(type));
  out += data;
}

void encode_binary(std::string_view bytes, std::string& out) {
  out += 'b';
  codec::encode_base64(bytes, out);
}

} // namespace signalbox::engine::v4
