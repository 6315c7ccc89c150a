#include "transports/codec/socket/v4.hpp"

#include <cstdint>
#include <cstdlib>

// What decodes must be within its bounds, and but for a CONNECT, whose answer
// differs from its question, encode to a text that decodes to the same.

using namespace signalbox;
using socket::packet_type;

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const socket::v5::limits bounds;
  auto x =
    socket::v4::decode({reinterpret_cast<const char*>(data), size}, bounds);
  if (!x)
    return 0;
  require(x->nsp.starts_with('/') && x->nsp.size() <= bounds.nsp_bytes);
  require(x->expected_attachments <= bounds.attachments);
  std::string again;
  socket::v4::encode(*x, again);
  if (x->type == packet_type::connect_error)
    return 0;
  auto y = socket::v4::decode(again, bounds);
  require(y && y->type == x->type && y->nsp == x->nsp && y->id == x->id);
  require(x->type == packet_type::connect || y->data == x->data);
  return 0;
}
