#include "transports/codec/errc.hpp"

#include <cstddef>
#include <iterator>

namespace signalbox::codec {

namespace {

constexpr const char* names[] = {
  "none",
  "truncated",
  "unknown_packet_type",
  "bad_json",
  "json_too_deep",
  "json_too_wide",
  "bad_payload",
  "reserved_event",
  "bad_attachments",
  "bad_placeholder",
  "unexpected_attachment",
  "bad_namespace",
  "bad_ack_id",
  "bad_utf8",
  "bad_base64",
  "bad_frame",
  "too_large",
  "too_many_pieces",
  "bad_url",
};

static_assert(std::size(names) == static_cast<size_t>(errc::count_),
              "every code needs a name");

} // namespace

const char* to_string(errc x) noexcept {
  return names[static_cast<size_t>(x)];
}

} // namespace signalbox::codec
