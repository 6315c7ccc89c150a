#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace signalbox::net {

/// A client's connection.
class client {
public:
  explicit client(uint16_t port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    // What is sent must be there, not wait for the answer to what was.
    int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    // Little room, so that a slow one is felt soon.
    int size = 32768;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof(at)) != 0)
      std::abort();
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  }

  ~client() {
    hang_up();
  }

  client(const client&) = delete;
  client& operator=(const client&) = delete;

  void send(std::string_view bytes) {
    auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n != static_cast<ssize_t>(bytes.size()))
      std::abort();
  }

  /// Sends as much as the network takes. Returns how much.
  size_t send_some(std::string_view bytes) {
    auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return n < 0 ? 0 : static_cast<size_t>(n);
  }

  void get(const std::string& target, const std::string& headers = {}) {
    send("GET " + target + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
  }

  void post(const std::string& target, const std::string& body) {
    send("POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: "
         + std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  void upgrade(const std::string& target) {
    get(target, "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
  }

  /// Reads what is there. Returns whether there was anything.
  bool read() {
    char buffer[16384];
    auto n = fd_ < 0 ? -1 : ::recv(fd_, buffer, sizeof(buffer), 0);
    if (n == 0 || (n < 0 && fd_ >= 0 && errno != EAGAIN))
      ended = true;
    if (n <= 0)
      return false;
    in.append(buffer, static_cast<size_t>(n));
    return true;
  }

  void hang_up() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }

  /// Takes a complete answer out of what came, empty if there is none.
  std::string answer() {
    auto end = in.find("\r\n\r\n");
    auto length = in.find("Content-Length: ");
    if (end == std::string::npos || length > end)
      return {};
    auto size =
      end + 4 + static_cast<size_t>(std::atoi(in.c_str() + length + 16));
    if (in.size() < size)
      return {};
    auto out = in.substr(0, size);
    in.erase(0, size);
    return out;
  }

  std::string in;
  bool ended = false;

private:
  int fd_ = -1;
};

/// Returns the body of an answer.
inline std::string body_of(const std::string& answer) {
  auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? answer : answer.substr(end + 4);
}

/// Returns a client's frame; its mask is zero.
inline std::string masked(std::string_view text) {
  std::string out = "\x81";
  if (text.size() < 126) {
    out += static_cast<char>(0x80 | text.size());
  } else if (text.size() < 65536) {
    out += '\xFE';
    out += static_cast<char>(text.size() >> 8);
    out += static_cast<char>(text.size());
  } else {
    out += '\xFF';
    for (auto shift = 56; shift >= 0; shift -= 8)
      out += static_cast<char>(text.size() >> shift);
  }
  return out.append(4, '\0').append(text);
}

} // namespace signalbox::net
