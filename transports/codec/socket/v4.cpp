#include "transports/codec/socket/v4.hpp"

#include "transports/codec/json_split.hpp"

#include <algorithm>

namespace signalbox::socket::v4 {

codec::result<packet> decode(std::string_view text, const v5::limits& bounds) {
  if (!text.starts_with('0'))
    return v5::decode(text, bounds);
  auto end = std::min(text.find(','), text.size());
  auto place = text.substr(0, end);
  auto mark =
    std::min(place.starts_with("0/") ? place.find('?') : place.npos, end);
  // The rest is judged as if there were no query.
  std::string plain{place.substr(0, mark)};
  plain += text.substr(end);
  auto x = v5::decode(plain, bounds);
  if (x)
    x->data = place.substr(std::min(mark + 1, end));
  return x;
}

std::string_view payload_of(const packet& x) {
  if (x.type == packet_type::connect)
    return {};
  if (x.type != packet_type::connect_error)
    return x.data;
  auto members = codec::split_object(x.data);
  auto message = codec::find_member(members, "message");
  auto alone = message && !codec::find_member(members, "data");
  return alone ? *message : std::string_view{x.data};
}

void encode(const packet& x, std::string& out) {
  auto attachments =
    x.attachments.empty() ? x.expected_attachments : x.attachments.size();
  v5::encode_header(x.type, attachments, x.nsp, x.id, out);
  out += payload_of(x);
}

} // namespace signalbox::socket::v4
