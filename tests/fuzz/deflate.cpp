// Inflating any bytes stays within the limit, and what was inflated or given
// comes back after deflating.

#include "transports/codec/deflate.hpp"

#include <cstdint>
#include <cstdlib>

using namespace signalbox;

namespace {

void check_round_trip(std::string_view text) {
  std::string message;
  codec::deflate_message(text, message);
  auto again = codec::inflate_message(message, text.size());
  if (!again || *again != text)
    std::abort();
  if (!text.empty()
      && codec::inflate_message(message, text.size() - 1).error()
           != codec::errc::too_large)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t limit = 20000;
  std::string_view input{reinterpret_cast<const char*>(data), size};
  check_round_trip(input);
  if (auto text = codec::inflate_message(input, limit)) {
    if (text->size() > limit)
      std::abort();
    check_round_trip(*text);
  }
  std::string out;
  codec::gzip(input, out);
  return out.size() < 18 ? std::abort(), 0 : 0; // header and trailer
}
