#pragma once

#include <caf/meta/annotation.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// How messages to other nodes are put into bytes: CAF's `inspect` functions
// with inspectors of our own, so that a batch is one string to CAF. Integers
// are little-endian and fixed in size, strings and lists begin with their
// length in 4 bytes, and so does a struct within another one. An item is its
// tag (1 byte), its length (4 bytes) and its fields. A node that knows fewer
// fields of a struct skips the rest, one that knows more leaves them at their
// defaults.

namespace signalbox::wire {

/// Leaves room for a length. Returns what `end` takes.
inline size_t begin(std::string& out) {
  out.append(sizeof(uint32_t), '\0');
  return out.size();
}

/// Fills in the length of the bytes appended since `begin`.
inline void end(std::string& out, size_t from) {
  auto size = static_cast<uint32_t>(out.size() - from);
  std::memcpy(out.data() + from - sizeof(size), &size, sizeof(size));
}

/// Appends the fields of a message to a string.
class writer {
public:
  using result_type = void;

  static constexpr bool reads_state = true;
  static constexpr bool writes_state = false;

  explicit writer(std::string& out) : out_(out) {
    // nop
  }

  template <class... Ts>
  void operator()(Ts&&... xs) {
    (put(xs), ...);
  }

private:
  template <class T>
  void put(const T& x) {
    if constexpr (std::is_base_of_v<caf::meta::annotation, T>) {
      // nop
    } else if constexpr (std::is_enum_v<T>) {
      put(static_cast<std::underlying_type_t<T>>(x));
    } else if constexpr (std::is_arithmetic_v<T>) {
      out_.append(reinterpret_cast<const char*>(&x), sizeof(x));
    } else {
      auto at = begin(out_);
      inspect(*this, const_cast<T&>(x));
      end(out_, at);
    }
  }

  void put(const std::string& x) {
    put(static_cast<uint32_t>(x.size()));
    out_ += x;
  }

  template <class T>
  void put(const std::vector<T>& xs) {
    put(static_cast<uint32_t>(xs.size()));
    for (const auto& each : xs)
      put(static_cast<const T&>(each));
  }

  std::string& out_;
};

/// Reads the fields of a message. Fields missing at the end keep their values.
class reader {
public:
  using result_type = void;

  static constexpr bool reads_state = false;
  static constexpr bool writes_state = true;

  explicit reader(std::string_view bytes) : in_(bytes) {
    // nop
  }

  template <class... Ts>
  void operator()(Ts&&... xs) {
    (field(xs), ...);
  }

  /// Returns whether nothing was broken so far.
  bool ok() const noexcept {
    return ok_;
  }

private:
  template <class T>
  void field(T& x) {
    if (ok_ && !in_.empty())
      get(x);
  }

  template <class T>
  void get(T& x) {
    if constexpr (std::is_base_of_v<caf::meta::annotation,
                                    std::remove_const_t<T>>) {
      // nop
    } else if constexpr (std::is_same_v<T, bool>) {
      uint8_t byte = 0;
      get(byte);
      x = byte != 0;
    } else if constexpr (std::is_enum_v<T>) {
      std::underlying_type_t<T> value{};
      get(value);
      x = static_cast<T>(value);
    } else if constexpr (std::is_arithmetic_v<T>) {
      if (take(sizeof(x)))
        std::memcpy(&x, taken_, sizeof(x));
    } else {
      uint32_t size = 0;
      get(size);
      if (!take(size))
        return;
      auto rest = std::exchange(in_, {taken_, size});
      inspect(*this, x);
      in_ = rest;
    }
  }

  void get(std::string& x) {
    uint32_t size = 0;
    get(size);
    if (take(size))
      x.assign(taken_, size);
  }

  template <class T>
  void get(std::vector<T>& xs) {
    uint32_t size = 0;
    get(size);
    // Every element takes a byte at least.
    if (size > in_.size())
      ok_ = false;
    xs.clear();
    for (uint32_t i = 0; ok_ && i < size; ++i) {
      T x{};
      get(x);
      xs.push_back(std::move(x));
    }
  }

  bool take(size_t n) {
    if (!ok_ || n > in_.size()) {
      ok_ = false;
      return false;
    }
    taken_ = in_.data();
    in_.remove_prefix(n);
    return true;
  }

  std::string_view in_;
  const char* taken_ = nullptr;
  bool ok_ = true;
};

/// Appends an item.
template <class T>
void append(std::string& out, const T& x) {
  out += static_cast<char>(T::tag);
  auto at = begin(out);
  writer sink{out};
  inspect(sink, const_cast<T&>(x));
  end(out, at);
}

/// Takes the first item off a batch. Returns false if there is none or it is
/// cut short, which `batch` then still shows.
inline bool next(std::string_view& batch, uint8_t& tag,
                 std::string_view& item) {
  constexpr size_t head = 1 + sizeof(uint32_t);
  uint32_t size = 0;
  if (batch.size() < head)
    return false;
  std::memcpy(&size, batch.data() + 1, sizeof(size));
  if (size > batch.size() - head)
    return false;
  tag = static_cast<uint8_t>(batch.front());
  item = batch.substr(head, size);
  batch.remove_prefix(head + size);
  return true;
}

} // namespace signalbox::wire
