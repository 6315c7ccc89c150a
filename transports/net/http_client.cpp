#include "transports/net/http_client.hpp"

#include "transports/net/stream.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

namespace signalbox::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

/// How long a kept connection may idle; well below what servers allow.
constexpr session::time_point keep_ms = 4000;

/// How long a resolved address is used without asking again.
constexpr session::time_point resolved_ms = 30000;

/// Largest header of a reply, and most bytes kept of an unfinished piece.
constexpr size_t header_limit = 16384;
constexpr size_t piece_limit = 65536;

bool clean(std::string_view x) {
  return std::all_of(x.begin(), x.end(),
                     [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
}

} // namespace

struct http_client::kept {
  std::unique_ptr<stream> io;
  codec::url to;
  session::time_point until = 0;
};

struct http_client::resolver {
  explicit resolver(asio::io_context& context) : asio(context) {
    // nop
  }

  struct known {
    tcp::endpoint at;
    session::time_point until = 0;
  };

  tcp::resolver asio;
  std::map<std::pair<std::string, uint16_t>, known> cache;
};

class http_client::exchange
  : public std::enable_shared_from_this<http_client::exchange> {
public:
  exchange(http_client& owner, client_request x, callback done)
    : owner_(&owner), request_(std::move(x)), done_(std::move(done)),
      timer_(session::make_timer<&exchange::on_timeout>(this)),
      deadline_(owner.home_.wheel().now() + owner.opts_.timeout.count()) {
    owner.home_.wheel().arm(timer_, owner.opts_.timeout.count());
  }

  void start() {
    if ((link_ = owner_->take(request_.url))) {
      reused_ = true;
      send();
      return;
    }
    resolve();
  }

  /// Ends without a word.
  void drop() {
    owner_ = nullptr;
    timer_.cancel();
    link_.reset();
  }

  void fail(std::string why) {
    client_reply x;
    x.error = std::move(why);
    end(std::move(x));
  }

private:
  struct parser {
    http::response_parser<http::string_body> beast;
  };

  void on_timeout() {
    fail(connecting_ ? "connect timeout" : "timeout");
  }

  void end(client_reply x) {
    if (owner_ == nullptr)
      return;
    auto self = shared_from_this();
    auto& owner = *std::exchange(owner_, nullptr);
    timer_.cancel();
    link_.reset();
    owner.finish(*this);
    done_(std::move(x));
  }

  void resolve() {
    auto& url = request_.url;
    auto& cache = owner_->resolver_->cache;
    auto now = owner_->home_.wheel().now();
    boost::system::error_code ec;
    auto literal = asio::ip::make_address(url.host, ec);
    if (!ec) {
      connect({literal, url.port});
      return;
    }
    auto i = cache.find({url.host, url.port});
    if (i != cache.end() && i->second.until > now) {
      connect(i->second.at);
      return;
    }
    connecting_ = true;
    arm_connect();
    owner_->resolver_->asio.async_resolve(
      url.host, std::to_string(url.port),
      [self = shared_from_this()](auto failed, auto results) {
        if (self->owner_ == nullptr)
          return;
        self->on_resolved(failed, results);
      });
  }

  void on_resolved(boost::system::error_code ec,
                   const tcp::resolver::results_type& results) {
    auto& url = request_.url;
    auto& known = owner_->resolver_->cache[{url.host, url.port}];
    if (ec || results.empty()) {
      // The last address that worked is better than none.
      if (known.until != 0)
        connect(known.at);
      else
        fail("cannot resolve " + url.host + ": " + ec.message());
      return;
    }
    known.at = results.begin()->endpoint();
    for (const auto& each : results)
      if (each.endpoint().address().is_v4()) {
        known.at = each.endpoint();
        break;
      }
    known.until = owner_->home_.wheel().now() + resolved_ms;
    connect(known.at);
  }

  void connect(const tcp::endpoint& at) {
    connecting_ = true;
    arm_connect();
    auto fd = ::socket(at.protocol().family(),
                       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      fail(std::strerror(errno));
      return;
    }
    int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on));
    if (::connect(fd, at.data(), static_cast<socklen_t>(at.size())) != 0
        && errno != EINPROGRESS) {
      auto why = errno;
      ::close(fd);
      fail(std::strerror(why));
      return;
    }
    fd_ = fd;
    auto secure = request_.url.scheme == "https";
    link_ = std::make_unique<kept>();
    link_->to = request_.url;
    link_->io = std::make_unique<stream>(
      owner_->home_, fd, secure ? owner_->tls_ : nullptr,
      secure ? request_.url.host : std::string{});
    link_->io->wait_connected([self = shared_from_this()] {
      if (self->owner_ == nullptr)
        return;
      int error = 0;
      socklen_t size = sizeof(error);
      ::getsockopt(self->fd_, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) {
        self->fail(std::strerror(error));
        return;
      }
      self->connecting_ = false;
      auto& wheel = self->owner_->home_.wheel();
      wheel.arm(self->timer_, self->deadline_ - wheel.now());
      self->send();
    });
  }

  void arm_connect() {
    auto& wheel = owner_->home_.wheel();
    auto left = deadline_ - wheel.now();
    wheel.arm(timer_, std::min(left, owner_->opts_.connect_timeout.count()));
  }

  void send() {
    const auto& url = request_.url;
    out_ = request_.method;
    out_ += ' ';
    out_ += url.target;
    out_ += " HTTP/1.1\r\nHost: ";
    auto v6 = url.host.find(':') != std::string::npos;
    out_ += v6 ? "[" + url.host + "]" : url.host;
    if (url.port != (url.scheme == "https" ? 443 : 80))
      out_ += ":" + std::to_string(url.port);
    out_ += "\r\n";
    for (const auto& [name, value] : request_.headers) {
      // Beast does not check this, and the values come from strangers.
      if (!clean(name) || !clean(value))
        continue;
      out_ += name;
      out_ += ": ";
      out_ += value;
      out_ += "\r\n";
    }
    if (request_.method != "GET")
      out_ +=
        "Content-Length: " + std::to_string(request_.body.size()) + "\r\n";
    out_ += "\r\n";
    out_ += request_.body;
    written_ = 0;
    parser_ = std::make_unique<parser>();
    parser_->beast.header_limit(header_limit);
    parser_->beast.body_limit(owner_->opts_.max_reply);
    parser_->beast.eager(true);
    write();
  }

  void write() {
    while (written_ < out_.size()) {
      iovec piece{out_.data() + written_, out_.size() - written_};
      auto n = link_->io->write(&piece, 1);
      if (n == stream::again) {
        link_->io->wait_writable([self = shared_from_this()] {
          if (self->owner_ != nullptr && self->link_)
            self->write();
        });
        return;
      }
      if (n < 0) {
        broken("connection lost while sending, or its certificate is bad");
        return;
      }
      written_ += static_cast<size_t>(n);
    }
    read();
  }

  void read() {
    link_->io->wait_readable(
      net::callback::to<&exchange::on_readable>(shared_from_this()));
  }

  void on_readable() {
    if (owner_ == nullptr || !link_)
      return;
    auto buffer = owner_->home_.scratch();
    auto n = link_->io->read(buffer.data(), buffer.size());
    if (n == stream::again) {
      read();
      return;
    }
    boost::beast::error_code ec;
    auto& beast = parser_->beast;
    if (n <= 0) {
      if (n == 0 && beast.got_some())
        beast.put_eof(ec);
      if (n == 0 && !ec && beast.is_done())
        complete(false);
      else
        broken("connection closed before the reply was complete");
      return;
    }
    in_.append(buffer.data(), static_cast<size_t>(n));
    try {
      auto used = beast.put(asio::buffer(in_), ec);
      in_.erase(0, used);
    } catch (const std::exception&) {
      ec = http::error::bad_value;
    }
    if (ec == http::error::body_limit) {
      fail("reply larger than the limit");
      return;
    }
    if ((ec && ec != http::error::need_more) || in_.size() >= piece_limit) {
      fail("malformed reply");
      return;
    }
    if (beast.is_done())
      complete(beast.keep_alive() && in_.empty());
    else
      read();
  }

  /// A kept connection may have been closed by the server at any moment; one
  /// that never answered may be tried again if nothing can happen twice.
  void broken(std::string why) {
    if (reused_ && request_.method == "GET" && !parser_->beast.got_some()) {
      reused_ = false;
      link_.reset();
      in_.clear();
      resolve();
      return;
    }
    fail(std::move(why));
  }

  void complete(bool keep) {
    auto& from = parser_->beast.get();
    client_reply x;
    x.status = from.result_int();
    auto type = from[http::field::content_type];
    type = type.substr(0, type.find(';'));
    while (!type.empty() && type.back() == ' ')
      type.remove_suffix(1);
    for (auto c : type)
      x.content_type +=
        static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!from[http::field::content_encoding].empty())
      x.error = "reply is compressed";
    x.body = std::move(from.body());
    if (keep)
      owner_->keep(std::move(link_));
    end(std::move(x));
  }

  http_client* owner_;
  client_request request_;
  callback done_;
  session::timer timer_;
  session::time_point deadline_;
  std::unique_ptr<kept> link_;
  std::unique_ptr<parser> parser_;
  std::string out_;
  std::string in_;
  size_t written_ = 0;
  int fd_ = -1;
  bool connecting_ = false;
  bool reused_ = false;
};

http_client::http_client(loop& home, options opts,
                         std::shared_ptr<tls_context> tls)
  : home_(home), opts_(opts), tls_(std::move(tls)),
    resolver_(std::make_unique<resolver>(home.context())) {
  // nop
}

http_client::~http_client() {
  for (auto& each : active_)
    each->drop();
  for (auto& each : waiting_)
    each->drop();
}

void http_client::call(client_request x, callback done) {
  auto call = std::make_shared<exchange>(*this, std::move(x), std::move(done));
  if (active_.size() >= opts_.concurrency && waiting_.size() >= opts_.queue) {
    // Answered later, so that callers need not expect to be called back
    // within the call.
    home_.post([call, alive = std::weak_ptr{alive_}] {
      if (alive.expired())
        call->drop();
      else
        call->fail("queue full");
    });
    return;
  }
  waiting_.push_back(std::move(call));
  start_next();
}

void http_client::start_next() {
  while (!waiting_.empty() && active_.size() < opts_.concurrency) {
    auto x = std::move(waiting_.front());
    waiting_.pop_front();
    active_.push_back(x);
    x->start();
  }
}

void http_client::finish(exchange& x) {
  auto mine = [&x](const auto& each) { return each.get() == &x; };
  // Many may wait, of which only one whose time is over is looked for.
  if (std::erase_if(active_, mine) == 0)
    std::erase_if(waiting_, mine);
  home_.post([this, alive = std::weak_ptr{alive_}] {
    if (!alive.expired())
      start_next();
  });
}

std::unique_ptr<http_client::kept> http_client::take(const codec::url& to) {
  auto now = home_.wheel().now();
  while (!idle_.empty()) {
    auto x = std::move(idle_.back());
    idle_.pop_back();
    char byte;
    if (x->until > now && x->to.host == to.host && x->to.port == to.port
        && x->to.scheme == to.scheme && x->io->read(&byte, 1) == stream::again)
      return x;
  }
  return nullptr;
}

void http_client::keep(std::unique_ptr<kept> x) {
  if (idle_.size() >= opts_.concurrency)
    return;
  x->until = home_.wheel().now() + keep_ms;
  idle_.push_back(std::move(x));
}

} // namespace signalbox::net
