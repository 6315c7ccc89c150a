#include "transports/net/digest.hpp"

#include <openssl/sha.h>

namespace signalbox::net {

std::string sha256(std::string_view text) {
  unsigned char out[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), out);
  return {reinterpret_cast<char*>(out), sizeof(out)};
}

} // namespace signalbox::net
