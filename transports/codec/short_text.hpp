#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace signalbox::codec {

/// A text of at most `Most` bytes that is held in place. For ids, of which
/// every session has some: a `std::string` would take an allocation each.
template <size_t Most>
class short_text {
public:
  short_text() = default;

  /// Throws `std::length_error` if the text is longer.
  template <std::convertible_to<std::string_view> T>
  short_text(const T& x) {
    std::string_view from = x;
    if (from.size() > Most)
      throw std::length_error("short_text");
    std::copy(from.begin(), from.end(), text_.begin());
    size_ = static_cast<uint8_t>(from.size());
  }

  operator std::string_view() const noexcept {
    return {text_.data(), size_};
  }

  bool empty() const noexcept {
    return size_ == 0;
  }

  template <std::convertible_to<std::string_view> T>
  friend bool operator==(const short_text& x, const T& y) noexcept {
    return std::string_view{x} == std::string_view{y};
  }

  /// For tables, which can be searched with any text.
  struct hash {
    using is_transparent = void;

    size_t operator()(std::string_view x) const noexcept {
      return std::hash<std::string_view>{}(x);
    }
  };

private:
  static_assert(Most < 256);
  uint8_t size_ = 0;
  std::array<char, Most> text_{};
};

/// A text that is mostly empty and takes a pointer then.
class rare_text {
public:
  rare_text& operator=(std::string_view x) {
    text_ = x.empty() ? nullptr : std::make_unique<const std::string>(x);
    return *this;
  }

  operator std::string_view() const noexcept {
    return text_ == nullptr ? std::string_view{} : *text_;
  }

private:
  std::unique_ptr<const std::string> text_;
};

/// Names a session; see `net::session_ids`.
using session_id = short_text<39>;

/// Names a connection in a namespace; see `net::random_id`.
using connection_id = short_text<23>;

} // namespace signalbox::codec
