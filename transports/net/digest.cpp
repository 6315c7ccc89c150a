#include "transports/net/digest.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdint>
#include <stdexcept>

namespace signalbox::net {

std::string sha256(std::string_view text) {
  // Looked up once: that costs more than a digest.
  static const auto* method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::array<unsigned char, 32> out{};
  if (EVP_Digest(text.data(), text.size(), out.data(), nullptr, method, nullptr)
      != 1)
    throw std::runtime_error("no SHA-256 to be had");
  return {reinterpret_cast<char*>(out.data()), out.size()};
}

std::string keyed_hash(std::string_view key, std::string_view text) {
  std::array<unsigned char, 32> out{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           out.data(), &size)
      == nullptr)
    throw std::runtime_error("no HMAC with SHA-256 to be had");
  return {reinterpret_cast<char*>(out.data()), out.size()};
}

std::string stretched(std::string_view secret, std::string_view salt) {
  constexpr uint64_t cost = 16384;
  constexpr uint64_t block = 8;
  constexpr uint64_t memory = 64 << 20;
  std::array<unsigned char, 32> out{};
  if (EVP_PBE_scrypt(secret.data(), secret.size(),
                     reinterpret_cast<const unsigned char*>(salt.data()),
                     salt.size(), cost, block, 1, memory, out.data(),
                     out.size())
      != 1)
    throw std::runtime_error("no scrypt to be had");
  return {reinterpret_cast<char*>(out.data()), out.size()};
}

} // namespace signalbox::net
