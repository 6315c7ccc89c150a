#include "transports/net/dialer.hpp"

#include "transports/net/addresses.hpp"
#include "transports/net/poller.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <list>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace signalbox::net {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// How soon a name is asked again that could not be asked.
constexpr session::time_point again_ms = 1000;

int open_socket(int family) {
  auto fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;
  if (fd >= 0 && family != AF_UNIX)
    ::setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on));
  return fd;
}

} // namespace

/// The addresses of names, as far as they are known.
class dialer::names : public std::enable_shared_from_this<dialer::names> {
public:
  using callback =
    std::function<void(const address_list& all, const std::string& error)>;

  explicit names(loop& home) : home_(home), resolver_(home.context()) {
    // nop
  }

  /// Returns what need not be asked; null if it must.
  const address_list* find(const codec::url& x) {
    auto i = known_.find({x.host, x.port});
    return i != known_.end() && i->second.until > home_.wheel().now()
             ? &i->second.all
             : nullptr;
  }

  /// Asks; several who ask at a time share one question.
  void ask(const codec::url& x, callback done) {
    auto& asked = known_[{x.host, x.port}];
    asked.waiting.push_back(std::move(done));
    if (asked.waiting.size() > 1)
      return;
    resolver_.async_resolve(
      x.host, std::to_string(x.port),
      [weak = weak_from_this(), key = std::pair{x.host, x.port}](auto ec,
                                                                 auto found) {
        if (auto self = weak.lock())
          self->on_resolved(self->known_[key], key.first, ec, found);
      });
  }

  void answered(const codec::url& x, const tcp::endpoint& at) {
    auto i = known_.find({x.host, x.port});
    if (i == known_.end())
      return;
    i->second.good = at;
    prefer(i->second.all, at);
  }

  /// None of the addresses answered.
  void failed(const codec::url& x) {
    auto i = known_.find({x.host, x.port});
    if (i == known_.end())
      return;
    i->second.good.reset();
    i->second.until = 0;
  }

private:
  struct entry {
    address_list all;
    session::time_point until = 0;
    /// The one that answered last.
    std::optional<tcp::endpoint> good;
    std::vector<callback> waiting;
  };

  void on_resolved(entry& x, const std::string& host,
                   boost::system::error_code ec,
                   const tcp::resolver::results_type& found) {
    address_list all;
    for (const auto& each : found)
      all.push_back(each.endpoint());
    std::string error;
    auto now = home_.wheel().now();
    if (!ec && !all.empty()) {
      x.all = take_turns(all, most_addresses);
      x.until = now + fresh_ms;
      if (x.good)
        prefer(x.all, *x.good);
    } else if (!x.all.empty()) {
      // The last addresses are better than none.
      x.until = now + again_ms;
    } else {
      error = "cannot resolve " + host + ": " + ec.message();
    }
    // They may ask for other names.
    auto copy = x.all;
    for (auto& each : std::exchange(x.waiting, {}))
      each(copy, error);
  }

  loop& home_;
  tcp::resolver resolver_;
  /// A client calls few hosts: those of its URLs.
  std::map<std::pair<std::string, uint16_t>, entry> known_;
};

/// One connection on its way: some sockets, of which one wins.
class dialer::race : public dialer::attempt {
public:
  race(loop& home, std::shared_ptr<names> known, const codec::url& to,
       callback done)
    : home_(home), names_(std::move(known)), to_(to), done_(std::move(done)) {
    start();
  }

private:
  /// One socket that connects.
  struct runner final : poller::watched {
    runner(race& x, int socket, tcp::endpoint to)
      : owner(x), fd(socket), at(std::move(to)) {
      owner.home_.sockets().add(fd, *this);
      owner.home_.sockets().watch(fd, poller::writable);
    }

    ~runner() {
      if (fd < 0)
        return;
      owner.home_.sockets().remove(fd);
      ::close(fd);
    }

    bool on_ready(uint8_t) override {
      owner.on_connected(*this);
      return true;
    }

    void abandon() override {
      ::close(std::exchange(fd, -1));
    }

    race& owner;
    int fd;
    tcp::endpoint at;
  };

  void start() {
    if (!to_.socket.empty())
      return start_local();
    boost::system::error_code ec;
    auto literal = asio::ip::make_address(to_.host, ec);
    if (!ec)
      run({{literal, to_.port}});
    else if (const auto* known = names_->find(to_))
      run(*known);
    else
      ask();
  }

  void ask() {
    asked_ = true;
    names_->ask(to_, [this, alive = std::weak_ptr{alive_}](
                       const address_list& all, const std::string& error) {
      if (alive.expired())
        return;
      if (!error.empty() || (!all_.empty() && all == all_))
        return end(-1, error.empty() ? error_ : error);
      run(all);
    });
  }

  void run(address_list all) {
    all_ = std::move(all);
    next_ = 0;
    go_on();
  }

  /// Tries the next address, and the one after it a moment later.
  void go_on() {
    timer_.cancel();
    while (next_ < all_.size()) {
      const auto& at = all_[next_++];
      auto fd = open_socket(at.protocol().family());
      auto begun =
        fd >= 0
        && (::connect(fd, at.data(), static_cast<socklen_t>(at.size())) == 0
            || errno == EINPROGRESS);
      if (begun) {
        runners_.push_back(std::make_unique<runner>(*this, fd, at));
        if (next_ < all_.size())
          home_.wheel().arm(timer_, stagger_ms);
        return;
      }
      error_ = std::strerror(errno);
      if (fd >= 0)
        ::close(fd);
    }
    if (runners_.empty())
      on_all_failed();
  }

  void on_connected(runner& x) {
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(x.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) {
      home_.sockets().remove(x.fd);
      names_->answered(to_, x.at);
      auto fd = std::exchange(x.fd, -1);
      runners_.clear();
      return end(fd, {});
    }
    error_ = std::strerror(error);
    std::erase_if(runners_, [&x](auto& each) { return each.get() == &x; });
    go_on();
  }

  void on_all_failed() {
    names_->failed(to_);
    if (all_.size() > 1)
      error_ += " (at each of " + std::to_string(all_.size()) + " addresses)";
    // The known addresses may have aged: the name is asked once more.
    boost::system::error_code ec;
    asio::ip::make_address(to_.host, ec);
    if (ec && !asked_)
      return ask();
    end(-1, error_);
  }

  void start_local() {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    to_.socket.copy(at.sun_path, sizeof(at.sun_path) - 1);
    auto fd = open_socket(AF_UNIX);
    if (fd >= 0
        && ::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) == 0)
      return end(fd, {});
    auto why = errno;
    if (fd >= 0)
      ::close(fd);
    // Its queue is full, of which the system tells no end.
    if (why == EAGAIN)
      home_.wheel().arm(timer_, stagger_ms);
    else
      end(-1, to_.socket + ": " + std::strerror(why));
  }

  void on_timer() {
    if (to_.socket.empty())
      go_on();
    else
      start_local();
  }

  /// Later, because callers do not expect to be called from within `dial`.
  void end(int fd, const std::string& error) {
    timer_.cancel();
    result_ = std::make_unique<socket_owner>(fd);
    home_.post([this, error, alive = std::weak_ptr{alive_}] {
      if (alive.expired())
        return;
      auto done = std::move(done_);
      done(std::exchange(result_->fd, -1), error);
    });
  }

  struct socket_owner {
    explicit socket_owner(int x) : fd(x) {
      // nop
    }

    ~socket_owner() {
      if (fd >= 0)
        ::close(fd);
    }

    int fd;
  };

  loop& home_;
  std::shared_ptr<names> names_;
  codec::url to_;
  callback done_;
  address_list all_;
  size_t next_ = 0;
  /// Whether the name has been asked for this attempt.
  bool asked_ = false;
  std::string error_;
  std::list<std::unique_ptr<runner>> runners_;
  session::timer timer_{session::make_timer<&race::on_timer>(this)};
  std::unique_ptr<socket_owner> result_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>();
};

dialer::dialer(loop& home)
  : home_(home), names_(std::make_shared<names>(home)) {
  // nop
}

dialer::~dialer() = default;

std::unique_ptr<dialer::attempt> dialer::dial(const codec::url& to,
                                              callback done) {
  return std::make_unique<race>(home_, names_, to, std::move(done));
}

} // namespace signalbox::net
