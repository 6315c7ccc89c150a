#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// The PROXY protocol, versions 1 and 2, with which a proxy that passes on bytes
// says whose they are before the first of them.

namespace signalbox::codec {

/// What such a header says.
struct proxy_header {
  /// Address of the client, as text; IPv6 not shortened in version 2. Empty
  /// if the header names none: the proxy speaks for itself, for a client
  /// without an IP address, or for one that it does not know.
  std::string address;
  /// Whether the header says that the client speaks TLS to the proxy.
  bool secure = false;
};

/// What was read of a connection's first bytes.
struct proxy_reading {
  /// How far they go.
  enum class state : uint8_t {
    /// They are no such header, and no more bytes could make them one.
    absent,
    /// They may become one.
    incomplete,
    done,
    /// They began as one and broke its rules.
    bad,
  };

  state at = state::absent;
  /// Length of the header where it is `done`. Where it is `incomplete`: the
  /// length that it has at least, so that no byte behind it need be taken off a
  /// socket.
  size_t size = 0;
  /// Of a header that is `done`.
  proxy_header header;
};

/// Longest header of version 1 with its line end, and of version 2.
constexpr size_t longest_proxy_v1 = 107;
constexpr size_t longest_proxy_v2 = 4096;

/// Reads the header with which a connection begins. Type-length-values of
/// version 2 are checked for their form and passed over, but for the checksum,
/// which must be right if it is there, and the one about TLS.
proxy_reading read_proxy_header(std::string_view in);

} // namespace signalbox::codec
