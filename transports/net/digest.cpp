#include "transports/net/digest.hpp"

#include <openssl/evp.h>

#include <array>
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

} // namespace signalbox::net
