#include "transports/codec/header_lines.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

// What is mended has proper line ends up to its empty line and says the same;
// mending it again changes nothing.

using namespace signalbox;

namespace {

constexpr size_t most = 4096;

void require(bool condition) {
  if (!condition)
    std::abort();
}

/// The text without any CR before an LF.
std::string bare(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n')
      out += text[i];
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string before{reinterpret_cast<const char*>(data), size};
  auto after = before;
  codec::mend_header(after, most);
  require(bare(after) == bare(before));
  if (after == before)
    return 0;
  require(after.starts_with("GET "));
  auto end = after.find("\r\n\r\n");
  require(end != std::string::npos);
  for (auto at = after.find('\n'); at < end; at = after.find('\n', at + 1))
    require(after[at - 1] == '\r');
  auto twice = after;
  codec::mend_header(twice, 2 * most);
  require(twice == after);
  return 0;
}
