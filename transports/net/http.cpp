#include "transports/net/http.hpp"

#include <algorithm>
#include <ctime>

namespace signalbox::net {

namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
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

void append_head(const http_response& x, bool close, bool old,
                 std::string& out) {
  // What is shared is not copied.
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
    out += std::to_string(x.content().size());
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

} // namespace signalbox::net
