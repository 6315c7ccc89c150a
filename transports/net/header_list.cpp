#include "transports/net/header_list.hpp"

#include <algorithm>
#include <iterator>

namespace signalbox::net {

namespace {

/// Headers that a request has once, of those that anything here passes on.
constexpr std::string_view singletons[] = {
  "age",
  "authorization",
  "content-length",
  "content-type",
  "date",
  "from",
  "host",
  "if-modified-since",
  "if-unmodified-since",
  "max-forwards",
  "origin",
  "proxy-authorization",
  "referer",
  "user-agent",
};

/// Calls `fun` with each element of a value until it returns false.
template <class F>
bool each_element(std::string_view value, char separator, F fun) {
  auto quoted = false;
  size_t from = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    auto c = value[i];
    if (quoted && c == '\\')
      ++i;
    else if (c == '"')
      quoted = !quoted;
    else if (c == separator && !quoted) {
      if (!fun(trim(value.substr(from, i - from))))
        return false;
      from = i + 1;
    }
  }
  return fun(trim(value.substr(from)));
}

/// Calls `fun` with each element of all lines until it returns false.
template <class F>
bool each_element(const http_request& x, std::string_view name, F fun) {
  for (const auto& [key, value] : x.headers)
    if (key.size() == name.size() && same_token(key, name)
        && !each_element(value, ',', fun))
      return false;
  return true;
}

/// Returns whether the parameters of an element have `q=0`, in any precision.
bool turned_off(std::string_view parameters) {
  auto on = each_element(parameters, ';', [](std::string_view x) {
    if (x.size() < 3 || !same_token(x.substr(0, 2), "q="))
      return true;
    auto value = x.substr(2);
    return !value.starts_with('0')
           || value.find_first_not_of("0.") != value.npos;
  });
  return !on;
}

/// What an element says of a token.
enum class word : uint8_t { other, on, off };

word about(std::string_view element, std::string_view token) {
  auto end = std::min(element.find(';'), element.size());
  if (!same_token(trim(element.substr(0, end)), token))
    return word::other;
  return turned_off(element.substr(end)) ? word::off : word::on;
}

} // namespace

std::string_view trim(std::string_view x) noexcept {
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!x.empty() && blank(x.front()))
    x.remove_prefix(1);
  while (!x.empty() && blank(x.back()))
    x.remove_suffix(1);
  return x;
}

std::vector<std::string_view> split_list(std::string_view value,
                                         char separator) {
  std::vector<std::string_view> out;
  each_element(value, separator, [&out](std::string_view element) {
    out.push_back(element);
    return true;
  });
  return out;
}

std::vector<std::string_view> list_elements(const http_request& x,
                                            std::string_view name) {
  std::vector<std::string_view> out;
  each_element(x, name, [&out](std::string_view element) {
    out.push_back(element);
    return true;
  });
  return out;
}

bool lists(const http_request& x, std::string_view name,
           std::string_view token) noexcept {
  auto missing = each_element(x, name, [token](std::string_view element) {
    return about(element, token) != word::on;
  });
  return !missing;
}

bool takes_coding(const http_request& x, std::string_view coding) noexcept {
  auto named = word::other;
  auto any = word::other;
  each_element(x, "accept-encoding", [&](std::string_view element) {
    if (auto said = about(element, coding); said != word::other)
      named = said;
    else if (said = about(element, "*"); said != word::other)
      any = said;
    return true;
  });
  return (named == word::other ? any : named) == word::on;
}

std::string joined(const http_request& x, std::string_view name) {
  std::string out;
  auto once = std::find(std::begin(singletons), std::end(singletons), name)
              != std::end(singletons);
  auto between = same_token(name, "cookie") ? "; " : ", ";
  auto found = false;
  for (const auto& [key, value] : x.headers) {
    if (!same_token(key, name))
      continue;
    if (std::exchange(found, true))
      out += between;
    out += value;
    if (once)
      break;
  }
  return out;
}

std::string_view single(const http_request& x, std::string_view name) noexcept {
  std::string_view out;
  auto found = false;
  for (const auto& [key, value] : x.headers) {
    if (!same_token(key, name))
      continue;
    if (std::exchange(found, true))
      return {};
    out = value;
  }
  return out;
}

} // namespace signalbox::net
