#include "transports/codec/socket/assembler.hpp"
#include "transports/codec/socket/v5.hpp"

#include <cstdint>
#include <cstdlib>

// Reads the input as messages separated by 0x1E, of which those that begin
// with `b` are binary. What decodes must encode to a text that decodes to the
// same packet; what the assembler hands out must be complete.

using namespace signalbox;

namespace {

constexpr size_t max_bytes = 64;

void require(bool condition) {
  if (!condition)
    std::abort();
}

bool equal(const socket::packet& a, const socket::packet& b) {
  return a.type == b.type && a.nsp == b.nsp && a.id == b.id && a.data == b.data
         && a.attachments == b.attachments
         && a.expected_attachments == b.expected_attachments;
}

void check_packet(const socket::packet& x, const socket::v5::limits& bounds) {
  require(x.nsp.starts_with('/') && x.nsp.size() <= bounds.nsp_bytes);
  require(x.expected_attachments <= bounds.attachments);
  std::string again;
  socket::v5::encode(x, again);
  auto y = socket::v5::decode(again, bounds);
  require(y && equal(x, *y));
}

void check_complete(const socket::packet& x) {
  require(x.attachments.size() == x.expected_attachments);
  size_t bytes = 0;
  for (const auto& attachment : x.attachments)
    bytes += attachment.size();
  require(bytes <= max_bytes);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const socket::v5::limits bounds;
  socket::assembler parts{max_bytes};
  std::string_view input{reinterpret_cast<const char*>(data), size};
  for (;;) {
    auto end = input.find('\x1e');
    auto message = input.substr(0, end);
    codec::result<std::optional<socket::packet>> out = codec::errc::none;
    if (message.starts_with('b')) {
      out = parts.add_binary(std::string{message.substr(1)});
    } else {
      auto x = socket::v5::decode(message, bounds);
      if (!x) {
        require(x.error() != codec::errc::none);
        return 0;
      }
      check_packet(*x, bounds);
      out = parts.add(std::move(*x));
    }
    require(out || !parts.waiting());
    if (out && *out)
      check_complete(**out);
    if (!out || end == std::string_view::npos)
      return 0;
    input.remove_prefix(end + 1);
  }
}
