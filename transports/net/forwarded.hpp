#pragma once

#include "transports/net/http.hpp"
#include "transports/net/ip_address.hpp"

#include <optional>
#include <string_view>

// What trusted proxies say of the clients behind them.

namespace signalbox::net {

/// Which headers are believed of a trusted proxy.
enum class forwarded_headers : uint8_t {
  /// X-Forwarded-For and its kin, and Forwarded if none of them came.
  any,
  /// Only X-Forwarded-For and its kin.
  x_forwarded,
  /// Only Forwarded (RFC 7239).
  forwarded,
};

/// Parses how proxies write an address: plain, with a port, in brackets, in
/// quotes. Returns nothing for anything else, such as `unknown`.
std::optional<ip_address> parse_node(std::string_view text);

/// Lets the address, host and scheme of a request that came from a trusted
/// proxy
/// (`x.address` is its own) become the client's, as far as the headers tell:
///
/// - The addresses, over all lines of the header, are walked from the right as
///   long as they are trusted; the first that is not is the client. A text
///   that is no address ends the walk, and the address before it stays. So does
///   a proxy that names its own address: its client is on its machine.
/// - Of several hosts the one counts that the same proxy wrote; of several
///   schemes too if there is one for each address, otherwise the first.
/// - A text that is no host, or no known scheme, is passed over.
void apply_forwarded(http_request& x, const networks& trusted,
                     forwarded_headers which);

} // namespace signalbox::net
