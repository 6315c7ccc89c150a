#include "transports/net/request_parser.hpp"

#include "transports/codec/header_lines.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <optional>

namespace signalbox::net {

namespace http = boost::beast::http;

namespace {

std::string_view view(boost::string_view x) {
  return {x.data(), x.size()};
}

} // namespace

struct request_parser::impl {
  /// There once a request was begun.
  std::optional<http::request_parser<http::string_body>> beast;
};

request_parser::request_parser() : impl_(std::make_unique<impl>()) {
  // nop
}

request_parser::~request_parser() = default;

bool request_parser::begin(std::string_view header, http_request& out) {
  begun_ = false;
  out.method = out.target = out.path = out.query = {};
  out.headers.clear();
  if (!codec::has_plain_lines(header))
    return false;
  auto& beast = impl_->beast.emplace();
  beast.header_limit(static_cast<uint32_t>(header.size() + 1));
  beast.body_limit(boost::none);
  boost::beast::error_code ec;
  try {
    beast.put(boost::asio::buffer(header.data(), header.size()), ec);
  } catch (const std::exception&) {
    return false;
  }
  if ((ec && ec != http::error::need_more) || !beast.is_header_done())
    return false;
  const auto& from = beast.get();
  out.method = view(from.method_string());
  out.target = view(from.target());
  for (const auto& field : from)
    out.headers.emplace_back(view(field.name_string()), view(field.value()));
  auto mark = std::min(out.target.find('?'), out.target.size());
  out.path = out.target.substr(0, mark);
  out.query = out.target.substr(std::min(mark + 1, out.target.size()));
  begun_ = true;
  return true;
}

void request_parser::end() {
  impl_->beast.reset();
  begun_ = false;
}

unsigned request_parser::version() const noexcept {
  return impl_->beast->get().version();
}

bool request_parser::keep_alive() const {
  return impl_->beast->keep_alive();
}

std::optional<uint64_t> request_parser::content_length() const {
  auto out = impl_->beast->content_length();
  return out ? std::optional<uint64_t>{*out} : std::nullopt;
}

void request_parser::limit_body(uint64_t most) {
  impl_->beast->body_limit(most);
  impl_->beast->eager(true);
}

bool request_parser::done() const {
  return impl_->beast->is_done();
}

request_parser::progress request_parser::take(std::string_view in,
                                              size_t& taken, std::string& out) {
  auto& beast = *impl_->beast;
  boost::beast::error_code ec;
  taken = 0;
  if (!beast.is_done())
    try {
      taken = beast.put(boost::asio::buffer(in.data(), in.size()), ec);
    } catch (const std::exception&) {
      // An oversized trailer makes Beast 1.81 throw.
      ec = http::error::bad_value;
    }
  if (ec == http::error::body_limit)
    return progress::too_large;
  if (ec && ec != http::error::need_more)
    return progress::malformed;
  if (!beast.is_done())
    return progress::incomplete;
  out = std::move(beast.get().body());
  return progress::done;
}

} // namespace signalbox::net
