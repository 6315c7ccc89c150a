#pragma once

#include <string>
#include <string_view>

namespace signalbox::net {

/// Returns the 32 bytes of the SHA-256 of `text`. Throws `std::runtime_error`
/// where OpenSSL has none.
std::string sha256(std::string_view text);

/// Returns the 32 bytes of the HMAC-SHA-256 of `text`.
std::string keyed_hash(std::string_view key, std::string_view text);

/// Returns a key of 32 bytes that takes 16 MiB and tens of milliseconds to
/// derive from a secret (scrypt), so that guesses are dear.
std::string stretched(std::string_view secret, std::string_view salt);

} // namespace signalbox::net
