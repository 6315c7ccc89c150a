#include "transports/net/http_client.hpp"

#include "transports/codec/deflate.hpp"
#include "transports/codec/reply_reader.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

namespace signalbox::net {

namespace {

using codec::reply_reader;

/// Largest header of a reply, interim ones and trailers included.
constexpr size_t header_limit = 16384;

/// RFC 9110 section 5.5: a tab may stand in a value.
bool clean(std::string_view x) {
  return std::all_of(x.begin(), x.end(), [](unsigned char c) {
    return (c >= 0x20 && c != 0x7F) || c == '\t';
  });
}

std::string lower_case(std::string_view x) {
  std::string out;
  for (unsigned char c : x)
    out += static_cast<char>(std::tolower(c));
  return out;
}

std::string authority(const codec::url& x) {
  auto v6 = x.host.find(':') != std::string::npos;
  auto out = v6 ? "[" + x.host + "]" : x.host;
  if (x.port != (x.scheme == "https" ? 443 : 80))
    out += ":" + std::to_string(x.port);
  return out;
}

/// The name under which connections are kept. Calls to another target get
/// others, so that faults in calls for browsers' events never touch
/// verdicts.
std::string server_of(const codec::url& x) {
  return x.scheme + "://" + x.socket + authority(x) + x.target;
}

std::string wire_form(const client_request& x) {
  std::string out{x.method};
  out += ' ';
  out += x.url.target;
  out += " HTTP/1.1\r\nHost: " + authority(x.url) + "\r\n";
  auto add = [&out](std::string_view name, std::string_view value) {
    // Values come from strangers.
    if (clean(name) && clean(value))
      out.append(name).append(": ").append(value).append("\r\n");
  };
  add("Accept-Encoding", "identity");
  if (!x.url.authorization.empty())
    add("Authorization", x.url.authorization);
  for (const auto& [name, value] : x.headers)
    add(name, value);
  if (x.method != "GET")
    add("Content-Length", std::to_string(x.body.size()));
  out += "\r\n";
  return out += x.body;
}

/// Undoes the codings that the server gave the body although none was asked
/// for; one that is unknown stays, as with other clients.
std::string decode_body(reply_reader& from, size_t most, std::string& error) {
  auto coding = lower_case(from.content_encoding());
  if (coding != "gzip" && coding != "x-gzip" && coding != "deflate")
    return std::move(from.body());
  auto out = codec::inflate_content(from.body(), most);
  if (out)
    return std::move(*out);
  error = out.error() == codec::errc::too_large
            ? "reply larger than the limit"
            : "reply that is not compressed as it says";
  return {};
}

} // namespace

/// One call: a connection that is kept or made, the request, and its reply.
class http_client::exchange
  : public std::enable_shared_from_this<http_client::exchange> {
public:
  exchange(http_client& owner, client_request x, callback done,
           session::time_point within)
    : owner_(&owner), request_(std::move(x)), server_(server_of(request_.url)),
      done_(std::move(done)),
      timer_(session::make_timer<&exchange::on_timeout>(this)),
      deadline_(owner.home_.wheel().now() + within) {
    owner.home_.wheel().arm(timer_, within);
  }

  void start() {
    link_ = owner_->links_.take(server_);
    reused_ = link_.io != nullptr;
    if (reused_)
      send();
    else
      dial();
  }

  /// Ends without a word.
  void drop() {
    owner_ = nullptr;
    timer_.cancel();
    dialing_.reset();
    link_.io.reset();
  }

private:
  bool ended() const noexcept {
    return owner_ == nullptr;
  }

  void on_timeout() {
    fail(connecting_ ? "connect timeout" : "timeout");
  }

  void fail(std::string why) {
    client_reply x;
    x.error = std::move(why);
    end(std::move(x));
  }

  void end(client_reply x) {
    if (ended())
      return;
    auto self = shared_from_this();
    auto& owner = *owner_;
    drop();
    owner.active_.remove(self);
    done_(std::move(x));
  }

  void dial() {
    auto& wheel = owner_->home_.wheel();
    auto limit = owner_->opts_.connect_timeout.count();
    connecting_ = true;
    wheel.arm(timer_, std::min(deadline_ - wheel.now(), limit));
    dialing_ = owner_->dialer_.dial(request_.url,
                                    [this](int fd, const std::string& error) {
                                      auto self = shared_from_this();
                                      dialing_.reset();
                                      if (fd < 0)
                                        fail(error);
                                      else
                                        on_dialed(fd);
                                    });
  }

  void on_dialed(int fd) {
    auto secure = request_.url.scheme == "https";
    link_.io = std::make_unique<stream>(
      owner_->home_, fd, secure ? owner_->tls_ : nullptr,
      secure ? request_.url.host : std::string{});
    link_.born = owner_->home_.wheel().now();
    greet();
  }

  /// Nothing may come before the request; asking for it drives the handshake
  /// of TLS.
  void greet() {
    char byte;
    auto n = link_.io->read(&byte, 1);
    if (n > 0)
      return fail("the server sent bytes before it was asked");
    if (n != stream::again) {
      auto why = link_.io->tls_fault();
      return fail(why.empty() ? "connection closed before the request" : why);
    }
    if (!link_.io->secured()) {
      link_.io->wait_readable(
        net::callback::to<&exchange::on_greeted>(shared_from_this()));
      return;
    }
    connecting_ = false;
    auto& wheel = owner_->home_.wheel();
    wheel.arm(timer_, deadline_ - wheel.now());
    send();
  }

  void on_greeted() {
    if (!ended())
      greet();
  }

  void send() {
    out_ = wire_form(request_);
    written_ = 0;
    early_ = false;
    reader_.emplace(
      reply_reader::limits{header_limit, owner_->opts_.max_reply});
    write();
  }

  void write() {
    while (written_ < out_.size()) {
      iovec piece{out_.data() + written_, out_.size() - written_};
      auto n = link_.io->write(&piece, 1);
      if (n == stream::again) {
        link_.io->wait_writable(
          net::callback::to<&exchange::on_writable>(shared_from_this()));
        // A server may answer a long request before it has read it all.
        return wait();
      }
      // It may have answered before it closed.
      if (n < 0)
        break;
      written_ += static_cast<size_t>(n);
    }
    wait();
  }

  void on_writable() {
    if (!ended() && link_.io)
      write();
  }

  void wait() {
    link_.io->wait_readable(
      net::callback::to<&exchange::on_readable>(shared_from_this()));
  }

  void on_readable() {
    if (ended() || !link_.io)
      return;
    auto buffer = owner_->home_.scratch();
    auto n = link_.io->read(buffer.data(), buffer.size());
    if (n == stream::again)
      return wait();
    auto& in = *reader_;
    size_t used = 0;
    if (n > 0) {
      early_ = early_ || written_ < out_.size();
      used = in.take({buffer.data(), static_cast<size_t>(n)});
    } else {
      in.end();
    }
    if (in.at() == reply_reader::state::complete)
      complete(n > 0 && used<static_cast<size_t>(n), n> 0);
    else if (in.at() == reply_reader::state::bad)
      broken(n > 0);
    else
      wait();
  }

  /// Asks again over a connection of its own, if that may be.
  bool repeat() {
    auto left = written_ > 0;
    if (!reused_ || (left && request_.method != "GET"))
      return false;
    reused_ = false;
    link_.io.reset();
    dial();
    return true;
  }

  /// The server may have closed a kept connection at any moment, or have left
  /// something of an earlier reply in it. `open`: the connection has not ended.
  void broken(bool open) {
    auto& in = *reader_;
    if (reused_ && open && !in.too_large())
      owner_->links_.distrust(server_);
    if ((in.too_large() && in.status() != 0) || !repeat())
      fail(std::string{in.fault()});
  }

  /// `surplus`: more came than the reply; `open`: the connection has not ended.
  void complete(bool surplus, bool open) {
    auto& in = *reader_;
    if (surplus || early_)
      owner_->links_.distrust(server_);
    // What came may be the answer to the question before, and the surplus ours.
    if (reused_ && (surplus || early_)) {
      if (!repeat())
        fail("more came than the reply, which may be that to another request");
      return;
    }
    auto no_verdict = in.bodyless() && request_.method == "GET";
    if (open && in.keeps() && !surplus && !early_ && !no_verdict)
      owner_->links_.keep(server_, std::move(link_));
    client_reply x;
    x.status = in.status();
    auto type = in.content_type();
    type = type.substr(0, type.find(';'));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t'))
      type.remove_suffix(1);
    x.content_type = lower_case(type);
    x.body = decode_body(in, owner_->opts_.max_reply, x.error);
    end(std::move(x));
  }

  http_client* owner_;
  client_request request_;
  std::string server_;
  callback done_;
  session::timer timer_;
  session::time_point deadline_;
  std::unique_ptr<dialer::attempt> dialing_;
  kept_links::link link_;
  std::optional<reply_reader> reader_;
  std::string out_;
  size_t written_ = 0;
  bool connecting_ = false;
  /// Whether the connection has served another call.
  bool reused_ = false;
  /// Whether anything came before the request was written.
  bool early_ = false;
};

http_client::http_client(loop& home, const options& opts,
                         std::shared_ptr<tls_context> tls)
  : home_(home), opts_(opts), tls_(std::move(tls)), dialer_(home),
    links_(home, {opts.keep_alive.count(), opts.kept}) {
  // nop
}

http_client::~http_client() {
  for (auto& each : active_)
    each->drop();
}

void http_client::call(client_request x, callback done,
                       std::chrono::milliseconds within) {
  auto time = within.count() > 0 ? within : opts_.timeout;
  auto fresh = std::make_shared<exchange>(*this, std::move(x), std::move(done),
                                          time.count());
  active_.push_back(fresh);
  fresh->start();
}

} // namespace signalbox::net
