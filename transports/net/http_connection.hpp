#pragma once

#include "transports/net/http.hpp"
#include "transports/net/request_parser.hpp"
#include "transports/net/server.hpp"
#include "transports/net/stream.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace signalbox::net {

/// Another node that is to answer a request.
struct detour {
  uint16_t node = 0;
  std::string sid;
};

/// How an attempt to let another node answer a request went.
enum class detour_fate : uint8_t {
  /// There was none.
  untried,
  /// The node was lost before it answered.
  lost,
  /// The node takes no more.
  refused,
};

/// One client connection while it speaks HTTP: handles requests one at a time,
/// writes their answers, and can be handed to another loop or given up to a
/// WebSocket in between. While requests are there that came early, their
/// answers gather and are written together.
class http_connection : public loop::flushable,
                        public std::enable_shared_from_this<http_connection> {
public:
  /// `peer` is the address of the client's socket, or the one that a PROXY
  /// header told; with it the connection was admitted. `secure` says that
  /// such a header told of TLS.
  http_connection(server& owner, loop& home, std::unique_ptr<stream> io,
                  std::string peer, bool secure = false);
  ~http_connection() override;

  /// Begins to read. Once, on the home loop.
  void start();

  /// Begins between two requests instead, with the bytes read of the next.
  /// `fate` is about that one.
  void resume(std::string in, detour_fate fate = detour_fate::untried);

  /// Ends instead, in a way that lets the client have the last answer.
  void end();

  /// Returns the request being handled.
  const http_request& request() const noexcept {
    return request_;
  }

  /// Takes the body out of it.
  std::string take_body() noexcept {
    return std::move(request_.body);
  }

  /// Answers the current request. Headers may be shared by all answers of a
  /// service; see `http_response`.
  void respond(http_response x);

  /// Moves to the loop with this index and offers the current request to the
  /// service there again, from `on_header` on. Only within `on_header`.
  void hand_over(size_t index);

  /// Gives up the socket, to become something else. `rest` takes the bytes
  /// read beyond the request. The connection is finished.
  std::unique_ptr<stream> release(std::string& rest);

  /// Drops the connection without an answer to the current request.
  void abort();

  /// Lets a service keep something with the request until it is answered.
  std::shared_ptr<void> context;

  /// Set by a service within `on_header` if another node is to answer.
  std::unique_ptr<detour> away;

  /// Returns what became of an earlier `away` of this request.
  detour_fate fate() const noexcept {
    return fate_;
  }

  loop& home() const noexcept {
    return *home_;
  }

  server& owner() const noexcept {
    return owner_;
  }

  /// Address of the peer's socket or of its PROXY header, not the one that a
  /// proxy reports with a request.
  const std::string& peer() const noexcept {
    return peer_;
  }

  /// Returns a number that no other connection of this process has.
  uint64_t id() const noexcept {
    return io_->id();
  }

  /// Returns whether the connection is encrypted, here or before the proxy that
  /// passes its bytes on.
  bool secure() const {
    return secure_ || io_->encrypted();
  }

  /// Returns how many bytes wait for the client to take them.
  size_t unsent() const noexcept {
    auto shared = tail_ == nullptr ? 0 : tail_->size();
    return blocked_ ? out_.size() + shared - written_ : 0;
  }

  /// Returns whether the client is slow to take answers.
  bool blocked() const noexcept {
    return blocked_;
  }

  /// Returns whether the client is connected to another node.
  bool tunnelled() const noexcept {
    return tunnelled_;
  }

  /// Calls `fun` if the node that the client is connected to is about to end
  /// while the current request is handled; the answer is the last one then.
  void on_release(std::function<void()> fun);

  /// Returns the address to give to `release_address` in the end: none for a
  /// client that counts at another node.
  std::string admitted_as() const {
    return tunnelled_ ? std::string{} : peer_;
  }

  /// Returns whether the request is one of HTTP/1.0.
  bool old() const noexcept {
    return old_;
  }

  /// Ends the connection if it is between two requests.
  void drain();

  // -- loop::flushable --------------------------------------------------------

  void flush() override;

private:
  enum class state : uint8_t {
    idle,
    header,
    offered,
    body,
    handling,
    writing,
    lingering,
    dead,
  };

  /// Returns the bytes that have been read and not taken yet.
  std::string_view rest() const noexcept {
    return std::string_view{in_}.substr(begin_);
  }

  void consume(size_t n);
  void read();
  void on_readable();
  void process();
  bool parse_header();
  bool parse_body();
  bool check_header();
  bool must_wait() const;
  void offer_header();
  void depart();
  void refuse_body();
  void fail(unsigned status);
  void write();
  void flush_later();
  void on_writable();
  void written();
  void next_request();
  void settle();
  void on_end();
  void linger();
  void lost();
  void die();
  void on_timeout();
  int64_t transferred() const;
  void watch_transfer(int64_t first_ms);
  bool transfer_goes_on();
  void become(state next, int64_t timeout_ms);
  void complete_request();

  server& owner_;
  const shared_limits& limits_;
  loop* home_;
  std::unique_ptr<stream> io_;
  std::string peer_;
  session::timer timer_;
  /// Of a body that has begun, or of an answer that the client is slow to take.
  std::unique_ptr<session::transfer_watch> watch_;
  /// Bytes of the body that have come.
  int64_t body_bytes_ = 0;
  /// The bytes that have been read; those before `begin_` are done with.
  std::string in_;
  size_t begin_ = 0;
  /// Answers that have not left yet, in the order of their requests.
  std::string out_;
  /// The end of the last of them, if it is large and shared.
  std::shared_ptr<const std::string> tail_;
  size_t written_ = 0;
  std::unique_ptr<request_parser> parser_;
  http_request request_;
  /// Where to go as soon as this thread is done with the object.
  loop* target_ = nullptr;
  size_t body_limit_ = 0;
  state state_ = state::idle;
  detour_fate fate_ = detour_fate::untried;
  bool tunnelled_ = false;
  bool secure_ = false;
  /// Whether the peer is a trusted proxy.
  bool trusted_ = false;
  bool reading_ = false;
  bool processing_ = false;
  /// Whether `flush` is yet to come.
  bool dirty_ = false;
  /// Whether the client has to read before more can be written. No request is
  /// begun meanwhile.
  bool blocked_ = false;
  bool keep_alive_ = false;
  /// Whether the client has said all, though not been answered all.
  bool ended_ = false;
  bool head_ = false;
  bool old_ = false;
};

} // namespace signalbox::net
