#pragma once

#include "transports/codec/encoded.hpp"
#include "transports/net/worker.hpp"
#include "transports/session/parcel.hpp"
#include "transports/session/timer_wheel.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace signalbox::net {

class loop;

/// Makes the large bodies of one loop's connections. What several of them get
/// alike is made once and shared, and what takes long is made by a thread of
/// its own; the connections then take it one by one, so that others have their
/// turns between. On the loop's thread.
class press {
public:
  /// What becomes of the bytes.
  enum class coding : uint8_t {
    /// They stay as they are.
    plain,
    /// A gzip stream.
    gzip,
    /// A message of permessage-deflate, without context.
    deflate,
  };

  /// Bodies from this many bytes on are not made within the call.
  static constexpr size_t large = session::parcel::least_bytes;

  struct order {
    /// A text of its own, a payload that others may get, or one packet.
    std::variant<std::string, session::parcel, codec::encoded_ptr> of;
    /// Makes a script of it that calls so, if it is not empty.
    std::string call;
    coding as = coding::plain;

    /// Returns how many bytes are to be taken.
    size_t bytes() const noexcept;

    bool operator==(const order&) const = default;
  };

  using body = std::shared_ptr<const std::string>;

  /// Takes a body; null if there was no memory for it.
  using taker = std::function<void(const body&)>;

  explicit press(loop& home);
  ~press();

  /// Makes a body and hands it to `then`: within the call if it is small, else
  /// in a later turn. Throws `std::bad_alloc`, and `then` is not called.
  void make(order x, taker then);

private:
  /// A body that was made of late, or is being made.
  struct entry {
    /// Returns how many bytes it keeps.
    size_t bytes() const noexcept {
      return from.bytes() + (made == nullptr ? 0 : made->size());
    }

    order from;
    body made;
    bool done = false;
    /// When it was done.
    session::time_point since = 0;
    std::vector<taker> waiting;
  };

  using entries = std::list<std::shared_ptr<entry>>;

  entry* find(const order& x);
  entry& add(order x);
  void begin(std::shared_ptr<entry> x);
  void finish(entry& x, body made);
  void line_up(taker then, const body& x);
  void next();
  void trim();
  void forget();
  entries::iterator drop(entries::iterator x);

  loop& home_;
  /// The newest first.
  entries recent_;
  size_t recent_bytes_ = 0;
  std::deque<std::pair<taker, body>> line_;
  bool moving_ = false;
  session::rare_timer expiry_;
  // Ends first: its job may be about an entry.
  worker worker_;
};

} // namespace signalbox::net
