#include "transports/codec/ws/handshake.hpp"

#include "transports/codec/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace signalbox::ws {

namespace {

constexpr size_t digits_of_key = 22;

constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

bool in_alphabet(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
         || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

} // namespace

bool valid_key(std::string_view key) noexcept {
  if (key.size() != digits_of_key + 2 || !key.ends_with("=="))
    return false;
  auto digits = key.substr(0, digits_of_key);
  return std::all_of(digits.begin(), digits.end(), in_alphabet);
}

std::string accept_key(std::string_view key) {
  std::string text{key};
  text += guid;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  std::string result;
  // Fails only if SHA-1 is switched off by policy; no client takes the empty
  // answer then.
  if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr)
      == 1)
    codec::encode_base64({reinterpret_cast<const char*>(digest), size}, result);
  return result;
}

} // namespace signalbox::ws
