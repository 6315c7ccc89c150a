#pragma once

#include <string>
#include <string_view>

namespace signalbox::net {

/// Returns the 32 bytes of the SHA-256 of `text`. Throws `std::runtime_error`
/// where OpenSSL has none.
std::string sha256(std::string_view text);

} // namespace signalbox::net
