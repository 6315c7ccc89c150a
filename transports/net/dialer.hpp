#pragma once

#include "transports/codec/uri.hpp"
#include "transports/net/loop.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace signalbox::net {

/// Opens connections to hosts by name or address, and to Unix sockets. All
/// addresses of a name are tried, of both families in turn, each a moment after
/// the one before, and the first that answers is taken (RFC 8305); it comes
/// first the next time. Names are asked again as they age, and at once when no
/// address of theirs answered. Lives on one loop.
class dialer {
public:
  /// How long after an address the next one is tried as well.
  static constexpr session::time_point stagger_ms = 100;

  /// How long the addresses of a name are used without asking again.
  static constexpr session::time_point fresh_ms = 30000;

  /// Most addresses of a name that are tried.
  static constexpr size_t most_addresses = 16;

  /// Gets the connected socket, whose owner it becomes, or why there is none.
  using callback = std::function<void(int fd, const std::string& error)>;

  /// One connection on its way; ends without a call when it is destroyed.
  class attempt {
  public:
    virtual ~attempt() = default;
  };

  explicit dialer(loop& home);
  ~dialer();

  dialer(const dialer&) = delete;
  dialer& operator=(const dialer&) = delete;

  /// Starts to connect; `done` is called once, never from within. There is no
  /// deadline but the caller's. Before the dialer ends, its attempts have.
  std::unique_ptr<attempt> dial(const codec::url& to, callback done);

private:
  class names;
  class race;

  loop& home_;
  std::shared_ptr<names> names_;
};

} // namespace signalbox::net
