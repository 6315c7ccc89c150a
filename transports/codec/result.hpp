#pragma once

#include "transports/codec/errc.hpp"

#include <utility>
#include <variant>

namespace signalbox::codec {

/// Holds a decoded value or the reason for refusing the input.
template <class T>
class result {
public:
  result(T value) : data_(std::move(value)) {
    // nop
  }

  result(errc code) : data_(code) {
    // nop
  }

  explicit operator bool() const noexcept {
    return data_.index() == 0;
  }

  T& operator*() & {
    return std::get<0>(data_);
  }

  const T& operator*() const& {
    return std::get<0>(data_);
  }

  /// A value, not a reference: `auto&& x = *decode(y)` must not dangle.
  T operator*() && {
    return std::get<0>(std::move(data_));
  }

  T* operator->() {
    return &std::get<0>(data_);
  }

  const T* operator->() const {
    return &std::get<0>(data_);
  }

  /// Returns why there is no value, `errc::none` if there is one.
  errc error() const noexcept {
    return *this ? errc::none : std::get<1>(data_);
  }

private:
  std::variant<T, errc> data_;
};

} // namespace signalbox::codec
