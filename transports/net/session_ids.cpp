#include "transports/net/session_ids.hpp"

#include "transports/codec/base64.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace signalbox::net {

namespace {

constexpr size_t random_bytes = 16;
constexpr size_t body_bytes = random_bytes + 2;

/// Keeps these keys apart from others that are made of the same secret.
constexpr std::string_view purpose = "signalbox session ids: ";

/// Random bytes of one thread: a few cost as much to make as many.
class random_pool {
public:
  void take(unsigned char* out, size_t size) {
    if (size > left_) {
      if (RAND_bytes(bytes_.data(), static_cast<int>(bytes_.size())) != 1)
        throw std::runtime_error("no random numbers to be had");
      left_ = bytes_.size();
    }
    auto* from = bytes_.data() + bytes_.size() - left_;
    std::copy_n(from, size, out);
    // A later reader of this memory learns no id that was given out.
    OPENSSL_cleanse(from, size);
    left_ -= size;
  }

private:
  std::array<unsigned char, 1024> bytes_{};
  size_t left_ = 0;
};

void fill_random(unsigned char* out, size_t size) {
  thread_local random_pool pool;
  pool.take(out, size);
}

} // namespace

session_ids::session_ids(uint16_t node, size_t shards)
  : node_(node), shards_(shards) {
  unsigned char key[32];
  fill_random(key, sizeof(key));
  set_key(key, sizeof(key));
}

session_ids::session_ids(uint16_t node, size_t shards, std::string_view secret,
                         std::string_view label)
  : node_(node), shards_(shards) {
  auto text = std::string{purpose}.append(label);
  unsigned char key[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), key,
       &size);
  set_key(key, sizeof(key));
}

void session_ids::set_key(const unsigned char* key, size_t size) {
  auto* method = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  mac_.reset(EVP_MAC_CTX_new(method), EVP_MAC_CTX_free);
  EVP_MAC_free(method);
  char digest[] = "SHA256";
  OSSL_PARAM with[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                       OSSL_PARAM_construct_end()};
  if (EVP_MAC_init(mac_.get(), key, size, with) != 1)
    throw std::runtime_error("no HMAC with SHA-256 to be had");
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
  std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> one{
    EVP_MAC_CTX_dup(mac_.get()), EVP_MAC_CTX_free};
  unsigned char full[EVP_MAX_MD_SIZE];
  size_t size = 0;
  if (one == nullptr
      || EVP_MAC_update(one.get(),
                        reinterpret_cast<const unsigned char*>(bytes.data()),
                        bytes.size())
           != 1
      || EVP_MAC_final(one.get(), full, &size, sizeof(full)) != 1)
    throw std::runtime_error("HMAC failed");
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
