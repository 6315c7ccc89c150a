#include "transports/net/session_ids.hpp"

#include "transports/codec/base64.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace signalbox::net {

namespace {

constexpr size_t random_bytes = 16;
constexpr size_t body_bytes = random_bytes + 2;

/// Keeps these keys apart from whatever else is made of the same secret.
constexpr std::string_view purpose = "signalbox session ids: ";

void fill_random(unsigned char* out, size_t size) {
  if (RAND_bytes(out, static_cast<int>(size)) != 1)
    throw std::runtime_error("no random numbers to be had");
}

} // namespace

session_ids::session_ids(uint16_t node, size_t shards)
  : node_(node), shards_(shards) {
  fill_random(key_.data(), key_.size());
}

session_ids::session_ids(uint16_t node, size_t shards, std::string_view secret,
                         std::string_view label)
  : node_(node), shards_(shards) {
  auto text = std::string{purpose}.append(label);
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       key_.data(), &size);
}

std::string session_ids::make(size_t shard) const {
  unsigned char body[body_bytes];
  // Drawn until the first byte names the shard; 2 bits less on four shards.
  do
    fill_random(body, random_bytes);
  while (body[0] % shards_ != shard);
  body[random_bytes] = static_cast<unsigned char>(node_ >> 8);
  body[random_bytes + 1] = static_cast<unsigned char>(node_);
  std::string bytes{reinterpret_cast<char*>(body), body_bytes};
  auto tag = mac(bytes);
  bytes.append(reinterpret_cast<char*>(tag.data()), tag.size());
  std::string out;
  codec::encode_base64url(bytes, out);
  return out;
}

std::optional<session_ids::owner>
session_ids::parse(std::string_view sid) const {
  if (sid.size() != length)
    return {};
  auto bytes = codec::decode_base64url(sid);
  if (!bytes || bytes->size() != body_bytes + 8)
    return {};
  auto tag = mac(std::string_view{*bytes}.substr(0, body_bytes));
  if (CRYPTO_memcmp(tag.data(), bytes->data() + body_bytes, tag.size()) != 0)
    return {};
  auto at = [&bytes](size_t i) {
    return static_cast<unsigned char>((*bytes)[i]);
  };
  return owner{
    static_cast<uint16_t>(at(random_bytes) << 8 | at(random_bytes + 1)),
    at(0) % shards_};
}

std::array<unsigned char, 8> session_ids::mac(std::string_view bytes) const {
  unsigned char full[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), full,
       &size);
  std::array<unsigned char, 8> out{};
  std::copy_n(full, out.size(), out.begin());
  return out;
}

std::string random_id() {
  unsigned char body[15];
  fill_random(body, sizeof(body));
  std::string out;
  codec::encode_base64url({reinterpret_cast<char*>(body), sizeof(body)}, out);
  return out;
}

} // namespace signalbox::net
