// Reading the bytes of another node stays within the batch; an item that
// is read comes out the same when it is written and read again.

#include "actors/api/wire_format.hpp"
#include "tests/support/wire_types.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace wire = signalbox::wire;

namespace {

template <class T>
std::string encode(const T& x) {
  std::string out;
  wire::append(out, x);
  return out;
}

template <class T>
bool decode(std::string_view bytes, T& x) {
  wire::reader in{bytes};
  inspect(in, x);
  return in.ok();
}

template <class T>
void check(std::string_view item) {
  T x;
  if (!decode(item, x))
    return;
  auto bytes = encode(x);
  std::string_view batch{bytes};
  std::string_view again;
  uint8_t tag = 0;
  if (!wire::next(batch, tag, again) || tag != T::tag || !batch.empty())
    std::abort();
  T y;
  if (!decode(again, y) || encode(y) != bytes)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view batch{reinterpret_cast<const char*>(data), size};
  std::string_view item;
  uint8_t tag = 0;
  size_t taken = 0;
  while (wire::next(batch, tag, item)) {
    taken += 5 + item.size();
    // A copy of the exact size, so that the sanitizer sees every overrun.
    std::vector<char> copy{item.begin(), item.end()};
    signalbox::test::for_each_wire_type([&]<class T>(T) {
      if (T::tag == tag)
        check<T>({copy.data(), copy.size()});
    });
  }
  if (taken + batch.size() != size)
    std::abort();
  return 0;
}
