// The least that a push to browsers can cost on a machine: one thread that does
// nothing but write frames that are ready. It speaks just enough HTTP,
// Engine.IO 4 and Socket.IO 5 for signalbox-load, takes every request to come
// in one piece, and forgets sockets that do not drain. The denominator of
// bench/run.
//
//   GET  /socket.io/?...   a WebSocket; `session=N` in its Cookie names the
//   user POST /publish          the body as the argument of an event for
//   everybody POST /user/N           the same for one user

#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

using std::string;
using std::string_view;

constexpr unsigned batch = 512;

string frame_of(string_view text) {
  string out{'\x81'};
  if (text.size() < 126) {
    out += static_cast<char>(text.size());
  } else {
    out += '\x7e';
    out += static_cast<char>(text.size() >> 8);
    out += static_cast<char>(text.size());
  }
  return out.append(text);
}

string accept_of(string_view key) {
  auto whole = string{key} + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[EVP_MAX_MD_SIZE];
  ::EVP_Digest(whole.data(), whole.size(), digest, nullptr, ::EVP_sha1(),
               nullptr);
  unsigned char out[64];
  ::EVP_EncodeBlock(out, digest, 20);
  return reinterpret_cast<char*>(out);
}

string_view header_of(string_view request, string_view name) {
  auto at = request.find(name);
  if (at == string_view::npos)
    return {};
  auto rest = request.substr(at + name.size());
  return rest.substr(0, rest.find("\r\n"));
}

class server {
public:
  server(bool ring, bool coalesce) : ring_(ring), coalesce_(coalesce) {
    if (ring_ && ::io_uring_queue_init(batch, &kernel_, 0) < 0) {
      std::fprintf(stderr, "no io_uring here\n");
      std::exit(3);
    }
  }

  void run() {
    auto listener = listen();
    poll_ = ::epoll_create1(EPOLL_CLOEXEC);
    watch(listener);
    std::array<epoll_event, batch> events;
    std::vector<char> bytes(65536);
    for (;;) {
      auto n = ::epoll_wait(poll_, events.data(), batch, -1);
      for (auto i = 0; i < n; ++i) {
        auto fd = events[static_cast<size_t>(i)].data.fd;
        if (fd == listener) {
          int client = 0;
          while ((client = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK))
                 >= 0)
            watch(client);
          continue;
        }
        auto size = ::recv(fd, bytes.data(), bytes.size(), 0);
        if (size > 0)
          take(fd, {bytes.data(), static_cast<size_t>(size)});
        else if (size == 0 || errno != EAGAIN)
          forget(fd);
      }
      if (!turn_.empty()) {
        to_all(turn_);
        turn_.clear();
      }
      submit();
    }
  }

private:
  int listen() {
    auto fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&at), size) != 0
        || ::listen(fd, 4096) != 0
        || ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
      std::perror("listen");
      std::exit(2);
    }
    std::printf("ready {\"public\":\"127.0.0.1:%d\"}\n", ntohs(at.sin_port));
    std::fflush(stdout);
    return fd;
  }

  void watch(int fd) {
    epoll_event x{};
    x.events = EPOLLIN;
    x.data.fd = fd;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &x);
  }

  void forget(int fd) {
    ::close(fd);
    for (auto& each : clients_)
      if (each == fd) {
        each = clients_.back();
        clients_.pop_back();
        break;
      }
  }

  void take(int fd, string_view x) {
    if (x.starts_with("GET "))
      upgrade(fd, x);
    else if (x.starts_with("POST "))
      post(fd, x);
    else
      frames(fd, x);
  }

  void upgrade(int fd, string_view x) {
    auto out =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Accept: "
      + accept_of(header_of(x, "Sec-WebSocket-Key: ")) + "\r\n\r\n"
      + frame_of("0{\"sid\":\"floor\",\"upgrades\":[],\"pingInterval\":"
                 "300000,\"pingTimeout\":20000,\"maxPayload\":1000000}");
    auto cookie = header_of(x, "Cookie: ");
    if (cookie.starts_with("session="))
      users_[std::atoi(string{cookie.substr(8)}.c_str())] = fd;
    clients_.push_back(fd);
    ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
  }

  void post(int fd, string_view x) {
    while (x.starts_with("POST ")) {
      auto at = x.find("\r\n\r\n") + 4;
      auto size = static_cast<size_t>(
        std::atoi(string{header_of(x, "Content-Length: ")}.c_str()));
      publish(x.substr(5, x.find(' ', 5) - 5), x.substr(at, size));
      x.remove_prefix(std::min(at + size, x.size()));
      static const string done =
        "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n";
      write(fd, done);
    }
  }

  void publish(string_view path, string_view body) {
    auto frame = frame_of("42[\"m\",\"" + string{body} + "\"]");
    if (path.starts_with("/user/"))
      write(users_[std::atoi(string{path.substr(6)}.c_str())], keep(frame));
    else if (coalesce_)
      turn_ += frame;
    else
      to_all(frame);
  }

  /// A client's events come back as their acks.
  void frames(int fd, string_view x) {
    while (x.size() >= 6) {
      size_t size = static_cast<unsigned char>(x[1]) & 0x7f;
      size_t at = 2;
      if (size == 126) {
        size = static_cast<unsigned char>(x[2]) << 8
               | static_cast<unsigned char>(x[3]);
        at = 4;
      }
      if (x.size() < at + 4 + size)
        return;
      string text{x.substr(at + 4, size)};
      for (size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>(text[i] ^ x[at + i % 4]);
      answer(fd, text);
      x.remove_prefix(at + 4 + size);
    }
  }

  void answer(int fd, string_view text) {
    if (text.starts_with("40"))
      write(fd, keep(frame_of("40{\"sid\":\"floor\"}")));
    auto from = text.find('[');
    auto comma = text.find(',');
    if (text.starts_with("42") && from > 2 && comma != string_view::npos)
      write(fd, keep(frame_of("43" + string{text.substr(2, from - 2)} + '['
                              + string{text.substr(comma + 1)})));
  }

  // -- writing ----------------------------------------------------------------

  void to_all(const string& frame) {
    const auto& kept = keep(frame);
    for (auto fd : clients_)
      write(fd, kept);
  }

  /// What is written in batches has to stay until then.
  const string& keep(string x) {
    auto& out = kept_[next_++ % kept_.size()];
    out = std::move(x);
    return out;
  }

  void write(int fd, const string& bytes) {
    if (!ring_) {
      ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      return;
    }
    auto* entry = ::io_uring_get_sqe(&kernel_);
    ::io_uring_prep_send(entry, fd, bytes.data(), bytes.size(),
                         MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL);
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    if (++waiting_ == batch)
      submit();
  }

  void submit() {
    if (waiting_ == 0)
      return;
    waiting_ = 0;
    ::io_uring_submit(&kernel_);
    ::io_uring_cq_advance(&kernel_, ::io_uring_cq_ready(&kernel_));
  }

  bool ring_;
  bool coalesce_;
  io_uring kernel_{};
  unsigned waiting_ = 0;
  int poll_ = -1;
  std::vector<int> clients_;
  std::unordered_map<int, int> users_;
  std::array<string, 2 * batch> kept_;
  size_t next_ = 0;
  string turn_;
};

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  auto ring = false;
  auto coalesce = false;
  for (auto i = 1; i < argc; ++i) {
    ring = ring || std::strcmp(argv[i], "--ring") == 0;
    coalesce = coalesce || std::strcmp(argv[i], "--coalesce") == 0;
  }
  server{ring, coalesce}.run();
}
