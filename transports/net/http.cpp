#include "transports/net/http.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <ctime>

namespace signalbox::net {

namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string_view trim(std::string_view x) noexcept {
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!x.empty() && blank(x.front()))
    x.remove_prefix(1);
  while (!x.empty() && blank(x.back()))
    x.remove_suffix(1);
  return x;
}

std::string_view date_line() {
  thread_local time_t last = 0;
  thread_local char text[64];
  auto now = std::time(nullptr);
  if (now != last) {
    last = now;
    tm parts{};
    gmtime_r(&now, &parts);
    std::strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n",
                  &parts);
  }
  return text;
}

/// Longest text of an address.
constexpr size_t address_bytes = 45;

bool in_network(const boost::asio::ip::address& address,
                const std::string& network) {
  auto slash = network.find('/');
  boost::system::error_code ec;
  auto base = boost::asio::ip::make_address(network.substr(0, slash), ec);
  if (ec || base.is_v4() != address.is_v4())
    return false;
  size_t bits = base.is_v4() ? 32 : 128;
  if (slash != std::string::npos)
    std::from_chars(network.data() + slash + 1, network.data() + network.size(),
                    bits);
  auto same = [bits](const auto& x, const auto& y) {
    for (size_t i = 0; i < bits && i < x.size() * 8; ++i)
      if (((x[i / 8] ^ y[i / 8]) >> (7 - i % 8) & 1) != 0)
        return false;
    return true;
  };
  return base.is_v4()
           ? same(base.to_v4().to_bytes(), address.to_v4().to_bytes())
           : same(base.to_v6().to_bytes(), address.to_v6().to_bytes());
}

/// Returns the standard text of a status code.
std::string_view reason_phrase(unsigned status) noexcept {
  switch (status) {
  case 200:
    return "OK";
  case 202:
    return "Accepted";
  case 204:
    return "No Content";
  case 304:
    return "Not Modified";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 408:
    return "Request Timeout";
  case 413:
    return "Payload Too Large";
  case 415:
    return "Unsupported Media Type";
  case 422:
    return "Unprocessable Entity";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 500:
    return "Internal Server Error";
  case 501:
    return "Not Implemented";
  case 503:
    return "Service Unavailable";
  default:
    return "Status";
  }
}

} // namespace

std::string_view http_request::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers)
    if (key.size() == name.size() && same_token(key, name))
      return value;
  return {};
}

bool same_token(std::string_view x, std::string_view y) noexcept {
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

bool has_token(std::string_view list, std::string_view token) noexcept {
  while (!list.empty()) {
    auto comma = std::min(list.find(','), list.size());
    auto item = list.substr(0, comma);
    // A parameter such as `gzip;q=0` is no token of its own, but what follows
    // the semicolon may turn it off.
    auto semicolon = item.find(';');
    auto off = semicolon != std::string_view::npos
               && trim(item.substr(semicolon + 1)) == "q=0";
    if (!off && same_token(trim(item.substr(0, semicolon)), token))
      return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

void append_head(const http_response& x, bool close, bool old,
                 std::string& out) {
  out.reserve(out.size() + 256 + x.headers.size() + x.body.size());
  out += "HTTP/1.1 ";
  out += std::to_string(x.status);
  out += ' ';
  out += reason_phrase(x.status);
  out += "\r\n";
  if (x.status != 204 && x.status != 304) {
    out += "Content-Type: ";
    out += x.content_type;
    out += "\r\n";
  }
  if (x.status != 304) {
    out += "Content-Length: ";
    out += std::to_string(x.body.size());
    out += "\r\n";
  }
  out += date_line();
  out += x.headers;
  if (close)
    out += "Connection: close\r\n";
  else if (old)
    out += "Connection: keep-alive\r\n";
  out += "\r\n";
}

void apply_forwarded(http_request& x, const std::vector<std::string>& trusted) {
  // The right-most address that is no proxy of ours is the client.
  auto chain = x.header("x-forwarded-for");
  while (!chain.empty()) {
    auto comma = chain.rfind(',');
    auto last = trim(chain.substr(comma == chain.npos ? 0 : comma + 1));
    chain = comma == chain.npos ? std::string_view{} : chain.substr(0, comma);
    if (last.empty() || last.size() > address_bytes)
      break;
    x.address = last;
    if (!in_networks(x.address, trusted))
      break;
  }
  if (auto host = x.header("x-forwarded-host"); !host.empty())
    x.host = host;
  if (auto proto = x.header("x-forwarded-proto"); !proto.empty())
    x.secure = same_token(proto, "https");
}

bool in_networks(const std::string& address,
                 const std::vector<std::string>& networks) {
  boost::system::error_code ec;
  auto x = boost::asio::ip::make_address(address, ec);
  if (ec)
    return false;
  for (const auto& each : networks)
    if (in_network(x, each))
      return true;
  return false;
}

} // namespace signalbox::net
