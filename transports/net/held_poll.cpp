#include "transports/net/held_poll.hpp"

#include "transports/codec/deflate.hpp"
#include "transports/codec/jsonp.hpp"
#include "transports/net/header_list.hpp"

#include <new>

namespace signalbox::net {

namespace {

/// Answers from this size on are compressed, as the official server does.
constexpr size_t compress_from = 1024;

} // namespace

void make_script(http_response& x) {
  x.content_type = "text/javascript; charset=UTF-8";
  x.headers += "X-Content-Type-Options: nosniff\r\n";
}

http_response held_poll::head(bool binary) {
  http_response x;
  x.headers = std::move(style_.headers);
  x.headers += "cache-control: no-store\r\n";
  if (binary)
    x.content_type = "application/octet-stream";
  if (text_only())
    make_script(x);
  return x;
}

void held_poll::answer(std::string payload, bool binary) {
  auto x = head(binary);
  auto large = payload.size() >= press::large;
  if (text_only() && !large)
    codec::append_script(style_.call, std::exchange(payload, {}), payload);
  if (large)
    answer_later(std::move(x), {std::move(payload), style_.call});
  else if (payload.size() >= compress_from && zips())
    answer_later(std::move(x), {std::move(payload), {}});
  else {
    x.body = std::move(payload);
    answering_ = via_;
    std::exchange(via_, nullptr)->respond(std::move(x));
  }
}

void held_poll::answer_with(session::parcel x) {
  auto answer = head(x.binary());
  answer_later(std::move(answer), {std::move(x), style_.call});
}

bool held_poll::zips() const {
  return style_.compression && takes_coding(via_->request(), "gzip");
}

/// Large ones are made and written when it is their turn.
void held_poll::answer_later(http_response x, press::order body) {
  if (zips()) {
    body.as = press::coding::gzip;
    x.headers += "Content-Encoding: gzip\r\n";
  }
  answering_ = via_;
  making_ = std::make_shared<bool>(true);
  auto via = std::exchange(via_, nullptr);
  auto then = [via, making = making_,
               x = std::move(x)](const press::body& made) mutable {
    *making = false;
    if (made == nullptr)
      return via->abort();
    x.shared = made;
    via->respond(std::move(x));
  };
  try {
    via->home().bodies().make(std::move(body), std::move(then));
  } catch (const std::bad_alloc&) {
    *making_ = false;
    via->abort();
  }
}

void held_poll::refuse() {
  http_response x;
  x.status = 400;
  x.headers = std::move(style_.headers);
  std::exchange(via_, nullptr)->respond(std::move(x));
}

} // namespace signalbox::net
