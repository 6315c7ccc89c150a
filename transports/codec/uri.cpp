#include "transports/codec/uri.hpp"

#include "transports/codec/base64.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

namespace signalbox::codec {

namespace {

/// Longest host name in DNS, with its final dot.
constexpr size_t max_host = 254;

constexpr size_t groups_of_ipv6 = 8;

/// Longest path of a Unix socket on Linux.
constexpr size_t max_socket = 107;

/// What URLs of sockets begin with.
constexpr std::string_view local = "unix:";

/// What a page in a file calls itself, if not `null`.
constexpr std::string_view files = "file://";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    c = lower(c);
  return out;
}

std::optional<uint8_t> hex_value(char c) {
  if (is_digit(c))
    return static_cast<uint8_t>(c - '0');
  if (lower(c) >= 'a' && lower(c) <= 'f')
    return static_cast<uint8_t>(lower(c) - 'a' + 10);
  return std::nullopt;
}

// What is between two dots. Underscores are no host names, but in use.
bool valid_label(std::string_view label) {
  auto valid = [](char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-'
           || c == '_';
  };
  return !label.empty() && std::all_of(label.begin(), label.end(), valid);
}

// Only the last dot may have nothing behind it.
bool valid_name(std::string_view host) {
  if (host.empty() || host.size() > max_host)
    return false;
  while (!host.empty()) {
    auto label = host.substr(0, host.find('.'));
    if (!valid_label(label))
      return false;
    host.remove_prefix(std::min(label.size() + 1, host.size()));
  }
  return true;
}

// Browsers write the IPv4 tail of an address as two groups (WHATWG URL, host
// serialising), so dots are refused here.
bool valid_ipv6(std::string_view host) {
  auto gap = host.find("::");
  auto count = [](std::string_view part) -> std::optional<size_t> {
    size_t groups = 0;
    while (!part.empty()) {
      auto group = part.substr(0, part.find(':'));
      if (group.empty() || group.size() > 4
          || !std::all_of(group.begin(), group.end(), hex_value))
        return std::nullopt;
      ++groups;
      part.remove_prefix(group.size());
      if (part == ":")
        return std::nullopt;
      part.remove_prefix(std::min<size_t>(1, part.size()));
    }
    return groups;
  };
  if (gap == std::string_view::npos)
    return count(host) == groups_of_ipv6;
  auto left = count(host.substr(0, gap));
  auto right = count(host.substr(gap + 2));
  return left && right && *left + *right < groups_of_ipv6;
}

std::optional<uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || text[0] == '0'
      || !std::all_of(text.begin(), text.end(), is_digit))
    return std::nullopt;
  uint32_t port = 0;
  for (auto c : text)
    port = port * 10 + static_cast<uint32_t>(c - '0');
  if (port > 0xFFFF)
    return std::nullopt;
  return static_cast<uint16_t>(port);
}

/// What stands in front of the path.
struct front {
  origin where;
  std::string_view rest;
};

/// Schemes whose pages say `null`, or that are no pages at all.
constexpr std::string_view pageless[] = {"about", "blob",       "data", "file",
                                         "ftp",   "javascript", "ws",   "wss"};

bool is_web(std::string_view scheme) {
  return scheme == "http" || scheme == "https";
}

// RFC 3986, section 3.1.
bool is_app_scheme(std::string_view scheme) {
  auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  auto valid = [&](char c) {
    return letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  };
  return !scheme.empty() && letter(scheme.front())
         && std::all_of(scheme.begin(), scheme.end(), valid)
         && std::find(std::begin(pageless), std::end(pageless), scheme)
              == std::end(pageless);
}

// `prefix` is what may stand in front of the host, and is skipped. `apps`
// allows the schemes of apps, which have no port of their own.
std::optional<front> parse_front(std::string_view text,
                                 std::string_view prefix = {},
                                 bool apps = false) {
  front out;
  auto colon = text.find("://");
  if (colon == std::string_view::npos)
    return std::nullopt;
  out.where.scheme = lower(text.substr(0, colon));
  if (!is_web(out.where.scheme) && !(apps && is_app_scheme(out.where.scheme)))
    return std::nullopt;
  text.remove_prefix(colon + 3);
  if (!text.starts_with(prefix))
    return std::nullopt;
  text.remove_prefix(prefix.size());
  auto authority = text.substr(0, text.find_first_of("/?#"));
  out.rest = text.substr(authority.size());
  if (authority.starts_with('[')) {
    auto end = authority.find(']');
    if (end == std::string_view::npos || !prefix.empty())
      return std::nullopt;
    auto host = authority.substr(1, end - 1);
    if (!valid_ipv6(host))
      return std::nullopt;
    out.where.host = lower(host);
    authority.remove_prefix(end + 1);
  } else {
    auto host = authority.substr(0, authority.find(':'));
    if (!valid_name(host))
      return std::nullopt;
    out.where.host = lower(host);
    authority.remove_prefix(host.size());
  }
  if (authority.empty()) {
    if (is_web(out.where.scheme))
      out.where.port = out.where.scheme == "http" ? 80 : 443;
    return out;
  }
  auto port =
    authority[0] == ':' ? parse_port(authority.substr(1)) : std::nullopt;
  if (!port)
    return std::nullopt;
  out.where.port = *port;
  return out;
}

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > 0x20 && c < 0x7F; });
}

/// A URL in three pieces; the second ends with its `@` if there is one.
struct pieces {
  std::string_view scheme;
  std::string_view user_info;
  std::string_view rest;
};

std::optional<pieces> split_user_info(std::string_view text) {
  auto colon = text.find("://");
  if (colon == std::string_view::npos)
    return std::nullopt;
  auto start = colon + 3;
  auto authority = text.substr(start);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  auto at = authority.rfind('@');
  auto size = at == std::string_view::npos ? 0 : at + 1;
  return pieces{text.substr(0, start), text.substr(start, size),
                text.substr(start + size)};
}

// RFC 7617: the user must not have a colon, and neither has control characters.
result<std::string> basic_authorization(std::string_view user_info) {
  user_info.remove_suffix(1);
  auto colon = std::min(user_info.find(':'), user_info.size());
  auto user = percent_decode(user_info.substr(0, colon));
  auto both = user + ':';
  both +=
    percent_decode(user_info.substr(std::min(colon + 1, user_info.size())));
  auto control = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  };
  if (user_info.empty() || !printable(user_info)
      || user.find(':') != std::string::npos
      || std::any_of(both.begin(), both.end(), control))
    return errc::bad_url;
  std::string out{"Basic "};
  encode_base64(both, out);
  return out;
}

// What is behind `unix:`.
result<url> parse_socket(std::string_view text) {
  auto path = text.substr(0, text.find(':'));
  auto target = text.substr(std::min(path.size() + 1, text.size()));
  if (path.size() < 2 || path.size() > max_socket || !path.starts_with('/')
      || !printable(text) || target.find('#') != std::string_view::npos
      || (!target.empty() && !target.starts_with('/')))
    return errc::bad_url;
  url out;
  out.scheme = "http";
  out.host = "localhost";
  out.port = 80;
  out.target = target.empty() ? "/" : target;
  out.socket = path;
  return out;
}

std::string decode_field(std::string_view field) {
  std::string text{field};
  std::replace(text.begin(), text.end(), '+', ' ');
  return percent_decode(text);
}

} // namespace

result<url> parse_url(std::string_view text) {
  auto front = parse_front(text);
  if (!front || front->rest.find('#') != std::string_view::npos
      || !printable(front->rest))
    return errc::bad_url;
  url out;
  out.scheme = std::move(front->where.scheme);
  out.host = std::move(front->where.host);
  out.port = front->where.port;
  if (!front->rest.starts_with('/'))
    out.target = '/';
  out.target += front->rest;
  return out;
}

result<url> parse_site_url(std::string_view text) {
  if (text.starts_with(local))
    return parse_socket(text.substr(local.size()));
  auto parts = split_user_info(text);
  if (!parts)
    return errc::bad_url;
  auto rest = parts->rest;
  // A host of that name would have a port behind its colon.
  auto socket = rest.starts_with("unix:/");
  if (socket && lower(parts->scheme) != "http://")
    return errc::bad_url;
  auto out = socket ? parse_socket(rest.substr(local.size()))
                    : parse_url(std::string{parts->scheme} += rest);
  if (!out || parts->user_info.empty())
    return out;
  auto authorization = basic_authorization(parts->user_info);
  if (!authorization)
    return errc::bad_url;
  out->authorization = std::move(*authorization);
  return out;
}

std::string hide_user_info(std::string_view text) {
  constexpr std::string_view hidden = "***@";
  std::string out;
  if (parse_site_url(text)) {
    // The path of a socket may look like anything.
    auto parts = text.starts_with(local) ? std::nullopt : split_user_info(text);
    if (!parts || parts->user_info.empty())
      return std::string{text};
    return out.append(parts->scheme).append(hidden).append(parts->rest);
  }
  auto at = text.rfind('@');
  if (at == std::string_view::npos)
    return std::string{text};
  if (auto colon = text.find("://"); colon < at)
    out = text.substr(0, colon + 3);
  return out.append(hidden).append(text.substr(at + 1));
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      auto high = hex_value(text[i + 1]);
      auto low = hex_value(text[i + 2]);
      if (high && low) {
        out += static_cast<char>(*high << 4 | *low);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

std::vector<std::pair<std::string, std::string>>
parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!query.empty()) {
    auto field = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(field.size() + 1, query.size()));
    if (field.empty())
      continue;
    auto name = field.substr(0, field.find('='));
    auto value = field.substr(std::min(name.size() + 1, field.size()));
    out.emplace_back(decode_field(name), decode_field(value));
  }
  return out;
}

result<origin> parse_origin(std::string_view text) {
  if (text == "null")
    return origin{"null", {}, 0};
  if (lower(text) == files)
    return origin{"file", {}, 0};
  auto front = parse_front(text, {}, true);
  if (!front || !front->rest.empty())
    return errc::bad_url;
  return std::move(front->where);
}

result<origin_pattern> origin_pattern::parse(std::string_view entry) {
  origin_pattern out;
  auto colon = entry.find("://");
  if (colon != entry.npos && entry.substr(colon + 3) == "*") {
    out.base_.scheme = lower(entry.substr(0, colon));
    out.below_ = true;
    if (!is_app_scheme(out.base_.scheme) || is_web(out.base_.scheme))
      return errc::bad_url;
    return out;
  }
  if (auto front = parse_front(entry, "*.", true)) {
    if (!front->rest.empty())
      return errc::bad_url;
    out.base_ = std::move(front->where);
    out.below_ = true;
    return out;
  }
  auto one = parse_origin(entry);
  if (!one)
    return errc::bad_url;
  out.base_ = std::move(*one);
  return out;
}

bool origin_pattern::matches(const origin& x) const noexcept {
  if (!below_)
    return x == base_ || (base_.scheme == "file" && x.scheme == "null");
  if (base_.host.empty())
    return x.scheme == base_.scheme;
  std::string_view host{x.host};
  if (x.scheme != base_.scheme || x.port != base_.port
      || host.size() < base_.host.size() + 2 || !host.ends_with(base_.host))
    return false;
  return host[host.size() - base_.host.size() - 1] == '.';
}

} // namespace signalbox::codec
