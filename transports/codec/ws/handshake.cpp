#include "transports/codec/ws/handshake.hpp"

#include "transports/codec/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace signalbox::ws {

namespace {

constexpr size_t digits_of_key = 22;
constexpr size_t digits_of_old_key = 27;

constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

bool in_alphabet(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
         || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

bool all_digits(std::string_view x) noexcept {
  return std::all_of(x.begin(), x.end(), in_alphabet);
}

} // namespace

bool valid_key(std::string_view key) noexcept {
  return key.size() == digits_of_key + 2 && key.ends_with("==")
         && all_digits(key.substr(0, digits_of_key));
}

bool valid_old_key(std::string_view key) noexcept {
  return key.size() == digits_of_old_key + 1 && key.ends_with('=')
         && all_digits(key.substr(0, digits_of_old_key));
}

std::string accept_key(std::string_view key) {
  std::string text{key};
  text += guid;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  std::string result;
  // Looked up once: that costs more than a digest. Fails only if SHA-1 is
  // switched off by policy; no client takes the empty answer then.
  static const auto* method = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  if (method != nullptr
      && EVP_Digest(text.data(), text.size(), digest, &size, method, nullptr)
           == 1)
    codec::encode_base64({reinterpret_cast<const char*>(digest), size}, result);
  return result;
}

namespace {

std::string_view trim(std::string_view x) noexcept {
  while (!x.empty() && (x.front() == ' ' || x.front() == '\t'))
    x.remove_prefix(1);
  while (!x.empty() && (x.back() == ' ' || x.back() == '\t'))
    x.remove_suffix(1);
  return x;
}

/// Takes what stands before the separator off the front of `rest`.
std::string_view next(std::string_view& rest, char separator) noexcept {
  auto end = std::min(rest.find(separator), rest.size());
  auto out = trim(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return out;
}

bool fits(std::string_view offer) noexcept {
  if (next(offer, ';') != "permessage-deflate")
    return false;
  while (!offer.empty()) {
    auto parameter = next(offer, ';');
    auto name = next(parameter, '=');
    auto full_window = name == "server_max_window_bits"
                       && (parameter == "15" || parameter == "\"15\"");
    if (name != "server_no_context_takeover"
        && name != "client_no_context_takeover"
        && name != "client_max_window_bits" && !full_window)
      return false;
  }
  return true;
}

} // namespace

bool offers_deflate(std::string_view extensions) {
  while (!extensions.empty())
    if (fits(next(extensions, ',')))
      return true;
  return false;
}

} // namespace signalbox::ws
