#include "actors/api/ring.hpp"

namespace signalbox {

namespace {

/// FNV-1a; its last bytes hardly mix, `finish` sees to that.
uint64_t hash(std::string_view key) {
  uint64_t x = 0xcbf29ce484222325;
  for (unsigned char c : key)
    x = (x ^ c) * 0x100000001b3;
  return x;
}

/// The finalizer of MurmurHash3.
uint64_t finish(uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccd;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53;
  return x ^ (x >> 33);
}

void append_hex(uint64_t x, std::string& out) {
  static constexpr char digits[] = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4)
    out += digits[x >> shift & 15];
}

} // namespace

uint16_t ring_home(std::string_view key, const std::vector<uint16_t>& nodes) {
  auto x = hash(key);
  auto best = nodes.front();
  uint64_t highest = 0;
  for (auto node : nodes) {
    auto weight = finish(x ^ finish(node + 1));
    if (weight > highest) {
      highest = weight;
      best = node;
    }
  }
  return best;
}

std::string stable_id(std::string_view key) {
  auto x = finish(hash(key));
  std::string salted{key};
  salted += '#';
  std::string out;
  append_hex(x, out);
  append_hex(finish(hash(salted) ^ x), out);
  return out;
}

} // namespace signalbox
