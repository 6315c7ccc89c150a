#include "transports/net/http_connection.hpp"

#include "transports/codec/header_lines.hpp"
#include "transports/net/header_list.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signalbox::net {

namespace {

/// Most bytes kept while one piece of a request is incomplete. Beast 1.81
/// counts neither chunk extensions nor trailers; this bounds both.
constexpr size_t piece_limit = 65536;

/// Bytes of answers from which on they wait for no more.
constexpr size_t waiting_limit = 65536;

/// Shared bodies from this many bytes on are written from where they are.
constexpr size_t share_from = 4096;

} // namespace

http_connection::http_connection(server& owner, loop& home,
                                 std::unique_ptr<stream> io, std::string peer,
                                 bool secure)
  : owner_(owner), limits_(owner.limits()), home_(&home), io_(std::move(io)),
    peer_(std::move(peer)),
    timer_(session::make_timer<&http_connection::on_timeout>(this)),
    tunnelled_(io_->tunnelled()), secure_(secure),
    trusted_(limits_.trusted_proxies.contains(peer_)) {
  // nop
}

http_connection::~http_connection() {
  if (io_)
    release_address(limits_, admitted_as());
}

void http_connection::start() {
  owner_.enter(*home_, shared_from_this());
  become(state::header, limits_.http.header_timeout.count());
  read();
}

// -- reading ------------------------------------------------------------------

void http_connection::read() {
  if (reading_ || !io_ || state_ == state::dead
      || (ended_ && state_ != state::lingering))
    return;
  // While an answer is pending, early bytes wait in the kernel.
  if ((blocked_ || state_ >= state::handling) && state_ != state::lingering
      && rest().size() >= piece_limit)
    return;
  reading_ = true;
  io_->wait_readable(
    callback::to<&http_connection::on_readable>(shared_from_this()));
}

void http_connection::on_readable() {
  reading_ = false;
  if (!io_ || state_ == state::dead)
    return;
  in_.erase(0, std::exchange(begin_, 0));
  auto buffer = home_->scratch();
  for (;;) {
    auto n = io_->read(buffer.data(), buffer.size());
    if (n == stream::again)
      break;
    if (n == 0 && state_ == state::handling
        && owner_.service(*home_).answers_ended(request_)) {
      // The client has said all, and waits for its answer.
      ended_ = true;
      break;
    }
    if (n == 0 && !out_.empty()) {
      on_end();
      return;
    }
    if (n <= 0) {
      lost();
      return;
    }
    if (state_ == state::lingering)
      continue;
    in_.append(buffer.data(), static_cast<size_t>(n));
    if (static_cast<size_t>(n) < buffer.size() && !io_->tls())
      break;
    if (in_.size() >= piece_limit)
      break;
  }
  process();
}

void http_connection::consume(size_t n) {
  begin_ += n;
  if (begin_ < in_.size())
    return;
  in_.clear();
  begin_ = 0;
}

void http_connection::process() {
  if (processing_)
    return;
  auto keep = shared_from_this();
  processing_ = true;
  for (auto more = true; more && !blocked_ && target_ == nullptr;) {
    switch (state_) {
    case state::idle:
    case state::header:
      more = parse_header();
      break;
    case state::offered:
      more = !must_wait();
      if (more)
        offer_header();
      break;
    case state::body:
      more = parse_body();
      break;
    default:
      more = false;
    }
  }
  processing_ = false;
  if (target_ != nullptr) {
    depart();
    return;
  }
  settle();
  read();
}

bool http_connection::parse_header() {
  const auto& limits = limits_.http;
  // Clients of old put an empty line between two requests.
  auto begin = rest().find_first_not_of("\r\n");
  consume(std::min(begin, rest().size()));
  if (rest().empty())
    return false;
  if (state_ == state::idle)
    become(state::header, limits.header_timeout.count());
  if (limits_.bare_lf) {
    in_.erase(0, std::exchange(begin_, 0));
    codec::mend_header(in_, limits.request_line + limits.header_bytes);
  }
  auto in = rest();
  auto line = in.find('\n');
  auto end = in.find("\r\n\r\n");
  auto whole = end != std::string::npos;
  // The header lines with their ends. Of an unfinished header the last byte
  // may belong to the empty line.
  size_t lines = 0;
  if (whole)
    lines = end + 1 - line;
  else if (line != std::string::npos && in.size() - line >= 2)
    lines = in.size() - line - 2;
  if (std::min(line, in.size()) > limits.request_line + 1
      || lines > limits.header_bytes) {
    ++limits_.counters->header_too_large;
    fail(431);
    return false;
  }
  if (!whole) {
    // Where lines are mended, they are when the header has ended.
    auto mendable = limits_.bare_lf && !codec::has_header_end(in);
    if (!mendable && !codec::has_plain_lines(in))
      fail(400);
    return false;
  }
  end += 4;
  if (parser_ == nullptr)
    parser_ = std::make_unique<request_parser>();
  auto ok = parser_->begin(in.substr(0, end), request_);
  consume(end);
  if (!ok) {
    fail(400);
    return false;
  }
  complete_request();
  ++limits_.counters->requests;
  if (!check_header())
    return false;
  state_ = state::offered;
  return true;
}

/// Adds the facts that the client does not say itself.
void http_connection::complete_request() {
  head_ = request_.method == "HEAD";
  old_ = parser_->version() == 10;
  keep_alive_ = parser_->keep_alive();
  request_.body.clear();
  request_.address = peer_;
  request_.host = request_.header("host");
  request_.port = {};
  request_.secure = secure();
  request_.proxied = trusted_;
  if (trusted_)
    apply_forwarded(request_, limits_.trusted_proxies, limits_.forwarded);
}

bool http_connection::check_header() {
  auto version = parser_->version();
  size_t hosts = 0;
  size_t lengths = 0;
  size_t encodings = 0;
  size_t origins = 0;
  for (const auto& [name, value] : request_.headers) {
    if (same_token(name, "host")) {
      ++hosts;
    } else if (same_token(name, "content-length")) {
      ++lengths;
      if (value.empty() || value.find_first_not_of("0123456789") != value.npos)
        lengths = 2;
    } else if (same_token(name, "transfer-encoding")) {
      encodings += same_token(value, "chunked") ? 1 : 2;
    } else if (same_token(name, "origin")) {
      ++origins;
    }
  }
  if (request_.headers.size() > limits_.http.headers) {
    ++limits_.counters->too_many_headers;
    fail(431);
    return false;
  }
  auto plain = [](unsigned char c) { return c > 0x20 && c < 0x7F; };
  auto ok =
    (version == 11 || version == 10) && hosts <= 1
    && (version == 10 || hosts == 1) && lengths <= 1
    && encodings <= (version == 11 ? 1u : 0u)
    && (encodings == 0 || lengths == 0) && origins <= 1
    && std::all_of(request_.method.begin(), request_.method.end(),
                   [](char c) { return c >= 'A' && c <= 'Z'; })
    && request_.target.starts_with('/')
    && std::all_of(request_.target.begin(), request_.target.end(), plain);
  if (!ok)
    fail(400);
  return ok;
}

/// A service that may take the connection away gets one without anything left
/// to write.
bool http_connection::must_wait() const {
  return (dirty_ || !out_.empty())
         && !owner_.service(*home_).answers_soon(request_);
}

void http_connection::offer_header() {
  // Everything that is not read as the body stays with the connection.
  state_ = state::handling;
  timer_.cancel();
  body_limit_ = owner_.service(*home_).on_header(shared_from_this());
  if (state_ != state::handling)
    return;
  auto length = parser_->content_length();
  if (length && *length > body_limit_) {
    refuse_body();
    return;
  }
  parser_->limit_body(body_limit_);
  // Clients of HTTP/1.0 know no interim answers (RFC 9110, section 10.1.1).
  if (!old_ && !parser_->done() && lists(request_, "expect", "100-continue")
      && rest().empty())
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
  body_bytes_ = 0;
  become(state::body, limits_.http.body_timeout.count());
}

bool http_connection::parse_body() {
  using progress = request_parser::progress;
  size_t taken = 0;
  auto now = parser_->take(rest(), taken, request_.body);
  consume(taken);
  if (now == progress::too_large) {
    refuse_body();
    return false;
  }
  if (now == progress::malformed
      || (now == progress::incomplete && rest().size() >= piece_limit)) {
    owner_.service(*home_).on_abort(*this);
    fail(400);
    return false;
  }
  if (now == progress::incomplete) {
    // It has come in part: from now on what counts is how fast it is.
    body_bytes_ += static_cast<int64_t>(taken);
    if (watch_ == nullptr && body_bytes_ > 0 && !blocked_)
      watch_transfer(limits_.http.transfers.rate_ms);
    return false;
  }
  // A poll may be held for long, so the memory of its request is given back.
  if (rest().empty())
    in_.shrink_to_fit();
  state_ = state::handling;
  timer_.cancel();
  owner_.service(*home_).on_request(shared_from_this());
  return true;
}

// -- answering ----------------------------------------------------------------

void http_connection::respond(http_response x) {
  if (state_ == state::dead || !io_)
    return;
  // An answer that came before the body leaves the body unread.
  auto unread = parser_ && parser_->begun() && !parser_->done();
  auto close = x.close || !keep_alive_ || unread || owner_.draining();
  keep_alive_ = !close;
  if (tail_ != nullptr)
    out_ += *std::exchange(tail_, nullptr);
  append_head(x, close, old_, out_);
  if (!head_ && x.content().size() >= share_from)
    tail_ = std::move(x.shared);
  if (!head_ && tail_ == nullptr)
    out_ += x.content();
  context.reset();
  away.reset();
  fate_ = detour_fate::untried;
  if (!close && !blocked_ && !rest().empty() && tail_ == nullptr
      && out_.size() < waiting_limit) {
    next_request();
    return;
  }
  become(state::writing, limits_.http.write_timeout.count());
  if (blocked_)
    return;
  // A broadcast answers very many polls at once.
  if (processing_)
    write();
  else
    flush_later();
}

void http_connection::flush_later() {
  if (!std::exchange(dirty_, true))
    home_->flush_later(shared_from_this());
}

void http_connection::refuse_body() {
  ++limits_.counters->body_too_large;
  keep_alive_ = false;
  state_ = state::handling;
  owner_.service(*home_).on_too_large(*this);
  if (state_ == state::handling)
    fail(413);
}

void http_connection::fail(unsigned status) {
  if (status == 400)
    ++limits_.counters->bad_requests;
  // After a broken request it is unknown where the next one begins.
  keep_alive_ = false;
  http_response x;
  x.status = status;
  x.close = true;
  if (parser_ && parser_->begun())
    x.headers = owner_.service(*home_).error_headers(request_);
  respond(std::move(x));
}

void http_connection::write() {
  for (;;) {
    // What answers others too is not copied behind it.
    std::array<iovec, 2> pieces;
    size_t count = 0;
    if (written_ < out_.size())
      pieces[count++] = {out_.data() + written_, out_.size() - written_};
    if (tail_ != nullptr) {
      auto from = std::max(written_, out_.size()) - out_.size();
      if (from < tail_->size())
        pieces[count++] = {const_cast<char*>(tail_->data()) + from,
                           tail_->size() - from};
    }
    if (count == 0)
      break;
    auto n = io_->write(pieces.data(), count);
    if (n == stream::again) {
      if (!std::exchange(blocked_, true))
        watch_transfer(limits_.http.write_timeout.count());
      io_->wait_writable(
        callback::to<&http_connection::on_writable>(shared_from_this()));
      return;
    }
    if (n < 0) {
      lost();
      return;
    }
    written_ += static_cast<size_t>(n);
  }
  written();
}

void http_connection::on_writable() {
  if (!io_ || !blocked_)
    return;
  write();
  process();
}

void http_connection::written() {
  // A silent keep-alive connection should hold nothing.
  out_.clear();
  out_.shrink_to_fit();
  tail_.reset();
  written_ = 0;
  watch_.reset();
  auto was_blocked = std::exchange(blocked_, false);
  if (state_ == state::writing)
    next_request();
  else if (was_blocked && state_ == state::body)
    become(state::body, limits_.http.body_timeout.count());
  else if (was_blocked)
    timer_.cancel();
}

void http_connection::next_request() {
  if (rest().empty()) {
    parser_.reset();
    request_ = {};
    in_.shrink_to_fit();
  } else if (parser_ != nullptr) {
    parser_->end();
  }
  if (!keep_alive_ || (ended_ && rest().empty())) {
    linger();
    return;
  }
  become(state::idle, limits_.http.idle_timeout.count());
  process();
}

/// Sees to it that waiting bytes are written, at once if no further answer is
/// near.
void http_connection::settle() {
  if (out_.empty() || blocked_ || state_ >= state::writing)
    return;
  switch (state_) {
  case state::idle:
  case state::header:
    become(state::writing, limits_.http.write_timeout.count());
    write();
    break;
  case state::body:
    write();
    break;
  default:
    flush_later();
  }
}

void http_connection::flush() {
  dirty_ = false;
  if (!io_ || blocked_)
    return;
  if (!out_.empty())
    write();
  process();
}

/// The client will ask nothing more, but may still wait for its answers.
void http_connection::on_end() {
  auto keep = shared_from_this();
  keep_alive_ = false;
  if (state_ == state::handling || state_ == state::body)
    owner_.service(*home_).on_abort(*this);
  if (state_ >= state::writing)
    return;
  become(state::writing, limits_.http.write_timeout.count());
  if (!blocked_)
    write();
}

} // namespace signalbox::net
