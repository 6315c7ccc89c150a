// A header asks for no byte behind its end, however it is cut, and says the
// same before any bytes.

#include "transports/codec/proxy_header.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace signalbox;

namespace {

using state = codec::proxy_reading::state;

void require(bool condition) {
  if (!condition)
    std::abort();
}

codec::proxy_reading read(std::string_view x) {
  // A copy of the exact size, so that the sanitizer sees every overrun.
  std::vector<char> piece{x.begin(), x.end()};
  return codec::read_proxy_header({piece.data(), piece.size()});
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view in{reinterpret_cast<const char*>(data), size};
  auto whole = read(in);
  require(whole.at != state::incomplete || whole.size > size);
  // As it is taken off a socket: never more than is sure to belong to it.
  std::string taken;
  auto out = read(taken);
  while (out.at == state::incomplete && out.size <= size) {
    require(out.size > taken.size());
    taken = in.substr(0, out.size);
    out = read(taken);
  }
  // Too short to tell for a reader that takes no more than that.
  if (out.at == state::incomplete && whole.at == state::absent)
    return 0;
  require(out.at == whole.at);
  if (whole.at == state::bad)
    require(whole.header.address.empty());
  if (whole.at != state::done)
    return 0;
  require(whole.size == taken.size() && whole.size <= codec::longest_proxy_v2);
  require(out.header.address == whole.header.address
          && out.header.secure == whole.header.secure);
  return 0;
}
