#include "transports/codec/response_meter.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace signalbox::codec {

namespace {

constexpr std::string_view head_end = "\r\n\r\n";

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool same(std::string_view x, std::string_view y) noexcept {
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trim(std::string_view x) noexcept {
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!x.empty() && blank(x.front()))
    x.remove_prefix(1);
  while (!x.empty() && blank(x.back()))
    x.remove_suffix(1);
  return x;
}

template <class T>
std::optional<T> number(std::string_view digits) noexcept {
  T out = 0;
  auto* end = digits.data() + digits.size();
  auto [at, ec] = std::from_chars(digits.data(), end, out);
  if (ec != std::errc{} || at != end)
    return {};
  return out;
}

/// Cuts the first line off; the last one has no end.
std::string_view next_line(std::string_view& rest) noexcept {
  auto end = std::min(rest.find("\r\n"), rest.size());
  auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 2, rest.size()));
  return line;
}

/// Returns the status of an answer's first line.
std::optional<unsigned> status_of(std::string_view line) noexcept {
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' '
      || (line.size() > 12 && line[12] != ' '))
    return {};
  auto out = number<unsigned>(line.substr(9, 3));
  return out && *out >= 100 ? out : std::nullopt;
}

} // namespace

size_t response_meter::take(std::string_view bytes) {
  begun_ = begun_ || !bytes.empty();
  size_t used = 0;
  // More than once after an interim answer.
  while (state_ == state::head && used < bytes.size())
    used += take_head(bytes.substr(used));
  auto rest = bytes.size() - used;
  if (state_ == state::endless)
    return bytes.size();
  if (state_ != state::body)
    return used;
  auto n = static_cast<size_t>(std::min<uint64_t>(left_, rest));
  left_ -= n;
  if (left_ == 0)
    state_ = state::complete;
  return used + n;
}

size_t response_meter::take_head(std::string_view bytes) {
  auto before = partial_.size();
  size_t end = 0;
  std::string_view head;
  if (before == 0) {
    end = bytes.find(head_end);
    head = bytes.substr(0, end);
  } else {
    partial_ += bytes;
    end = partial_.find(head_end, before - std::min<size_t>(before, 3));
    head = std::string_view{partial_}.substr(0, end);
  }
  if (head.size() > head_limit) {
    state_ = state::bad;
    partial_.clear();
    return 0;
  }
  if (end == std::string_view::npos) {
    if (before == 0)
      partial_ = bytes;
    return bytes.size();
  }
  state_ = judge(head);
  partial_.clear();
  partial_.shrink_to_fit();
  return state_ == state::bad ? 0 : end + head_end.size() - before;
}

response_meter::state response_meter::judge(std::string_view head) {
  auto rest = head;
  auto status = status_of(next_line(rest));
  if (!status)
    return state::bad;
  std::optional<uint64_t> length;
  auto coded = false;
  while (!rest.empty()) {
    auto line = next_line(rest);
    auto colon = line.find(':');
    if (colon == line.npos || colon == 0)
      return state::bad;
    auto name = line.substr(0, colon);
    auto value = trim(line.substr(colon + 1));
    if (same(name, "content-length")) {
      auto told = number<uint64_t>(value);
      if (!told || length)
        return state::bad;
      length = told;
    } else if (same(name, "transfer-encoding")) {
      coded = true;
    } else if (same(name, "connection") && same(value, "close")) {
      keep_alive_ = false;
    }
  }
  if (*status == 101)
    return state::endless;
  if (*status < 200)
    return state::head;
  if (*status == 204 || *status == 304 || head_only_)
    return state::complete;
  if (coded || !length)
    return state::endless;
  left_ = *length;
  return left_ == 0 ? state::complete : state::body;
}

} // namespace signalbox::codec
