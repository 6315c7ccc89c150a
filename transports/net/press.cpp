#include "transports/net/press.hpp"

#include "transports/codec/deflate.hpp"
#include "transports/codec/jsonp.hpp"
#include "transports/net/loop.hpp"

#include <chrono>
#include <new>
#include <thread>
#include <utility>

namespace signalbox::net {

namespace {

/// Bodies that are kept for others who come at the same time.
constexpr size_t most_recent = 16;
constexpr size_t most_bytes = 4194304;

/// How long, in milliseconds: as long as the slower of many polls are on their
/// way.
constexpr session::time_point keep_for = 1000;

std::string make_body(const press::order& x) {
  std::string made;
  std::string_view text;
  if (const auto* own = std::get_if<std::string>(&x.of))
    text = *own;
  else if (const auto* packet = std::get_if<codec::encoded_ptr>(&x.of))
    text = (*packet)->text();
  else
    text = made = std::get<session::parcel>(x.of).payload();
  std::string script;
  if (!x.call.empty()) {
    codec::append_script(x.call, text, script);
    text = script;
  }
  std::string out;
  if (x.as == press::coding::gzip)
    codec::gzip(text, out);
  else if (x.as == press::coding::deflate)
    codec::deflate_message(text, out);
  else
    out = text;
  return out;
}

} // namespace

size_t press::order::bytes() const noexcept {
  if (const auto* own = std::get_if<std::string>(&of))
    return own->size();
  if (const auto* packet = std::get_if<codec::encoded_ptr>(&of))
    return (*packet)->text().size();
  return std::get_if<session::parcel>(&of)->bytes();
}

press::press(loop& home) : home_(home) {
  // nop
}

press::~press() = default;

void press::make(order x, taker then) {
  auto* own = std::get_if<std::string>(&x.of);
  if (own != nullptr && x.as == coding::plain && x.call.empty()) {
    // There is nothing to make.
    line_up(std::move(then),
            std::make_shared<const std::string>(std::move(*own)));
    return;
  }
  auto small = x.bytes() < large;
  auto* same = find(x);
  if (small) {
    if (same == nullptr) {
      auto made = std::make_shared<const std::string>(make_body(x));
      same = &add(std::move(x));
      finish(*same, std::move(made));
    }
    auto out = same->made;
    trim();
    then(out);
  } else if (same == nullptr) {
    add(std::move(x)).waiting.push_back(std::move(then));
    try {
      begin(recent_.front());
    } catch (...) {
      drop(recent_.begin());
      throw;
    }
  } else if (same->done) {
    line_up(std::move(then), same->made);
  } else {
    same->waiting.push_back(std::move(then));
  }
}

press::entry* press::find(const order& x) {
  for (auto& each : recent_)
    if (each->from == x)
      return each.get();
  return nullptr;
}

press::entry& press::add(order x) {
  recent_bytes_ += x.bytes();
  recent_.push_front(std::make_shared<entry>());
  recent_.front()->from = std::move(x);
  return *recent_.front();
}

/// The order itself is not changed any more, so both threads may read it.
void press::begin(std::shared_ptr<entry> x) {
  worker_.run([this, x = std::move(x)] {
    body made;
    try {
      made = std::make_shared<const std::string>(make_body(x->from));
    } catch (const std::exception&) {
      // No memory; its takers are told.
    }
    for (;;) {
      try {
        home_.post([this, x, made] {
          finish(*x, made);
          for (auto& each : std::exchange(x->waiting, {}))
            line_up(std::move(each), made);
          trim();
        });
        return;
      } catch (const std::bad_alloc&) {
        // They wait until there is memory to tell them.
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
      }
    }
  });
}

void press::finish(entry& x, body made) {
  x.made = std::move(made);
  x.done = true;
  x.since = home_.wheel().now();
  recent_bytes_ += x.made == nullptr ? 0 : x.made->size();
  if (!expiry_.armed())
    expiry_.arm<&press::forget>(home_.wheel(), this, keep_for);
}

/// Large bodies are taken one in a turn.
void press::line_up(taker then, const body& x) {
  line_.emplace_back(std::move(then), x);
  if (!std::exchange(moving_, true))
    home_.post([this] { next(); });
}

void press::next() {
  auto [then, x] = std::move(line_.front());
  line_.pop_front();
  if (line_.empty())
    moving_ = false;
  else
    home_.post([this] { next(); });
  then(x);
}

/// Drops the oldest, and what could not be made; those that are being made
/// stay.
void press::trim() {
  auto over = [this] {
    return recent_.size() > most_recent || recent_bytes_ > most_bytes;
  };
  for (auto i = recent_.end(); i != recent_.begin();) {
    --i;
    if ((*i)->done && (over() || (*i)->made == nullptr))
      i = drop(i);
  }
}

/// Drops what is too old.
void press::forget() {
  auto now = home_.wheel().now();
  auto waits = false;
  for (auto i = recent_.begin(); i != recent_.end();) {
    if (!(*i)->done) {
      ++i;
    } else if ((*i)->since + keep_for <= now) {
      i = drop(i);
    } else {
      waits = true;
      ++i;
    }
  }
  if (waits)
    expiry_.arm<&press::forget>(home_.wheel(), this, keep_for);
}

press::entries::iterator press::drop(entries::iterator x) {
  recent_bytes_ -= (*x)->bytes();
  return recent_.erase(x);
}

} // namespace signalbox::net
