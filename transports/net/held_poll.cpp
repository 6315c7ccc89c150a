#include "transports/net/held_poll.hpp"

#include "transports/codec/deflate.hpp"
#include "transports/codec/jsonp.hpp"
#include "transports/net/header_list.hpp"

namespace signalbox::net {

namespace {

/// Answers from this size on are compressed, as the official server does.
constexpr size_t compress_from = 1024;

} // namespace

void append_script(std::string_view call, std::string_view payload,
                   std::string& out) {
  out += call;
  codec::quote_script(payload, out);
  out += ");";
}

void make_script(http_response& x) {
  x.content_type = "text/javascript; charset=UTF-8";
  x.headers += "X-Content-Type-Options: nosniff\r\n";
}

void held_poll::answer(std::string payload, bool binary) {
  http_response x;
  x.headers = std::move(style_.headers);
  x.headers += "cache-control: no-store\r\n";
  if (binary)
    x.content_type = "application/octet-stream";
  if (text_only()) {
    make_script(x);
    append_script(style_.call, std::exchange(payload, {}), payload);
  }
  if (style_.compression && payload.size() >= compress_from
      && takes_coding(via_->request(), "gzip")) {
    codec::gzip(payload, x.body);
    x.headers += "Content-Encoding: gzip\r\n";
  } else {
    x.body = std::move(payload);
  }
  answering_ = via_;
  std::exchange(via_, nullptr)->respond(std::move(x));
}

void held_poll::refuse() {
  http_response x;
  x.status = 400;
  x.headers = std::move(style_.headers);
  std::exchange(via_, nullptr)->respond(std::move(x));
}

} // namespace signalbox::net
