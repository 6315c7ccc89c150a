#include "apps/load/long_poll_client.hpp"

#include "apps/load/options.hpp"

namespace signalbox::load {

void long_poll_client::start() {
  if (open(common().where))
    send_get();
}

void long_poll_client::emit(std::string_view) {
  // Subscribers only listen.
}

void long_poll_client::on_established() {
  observer().on_connected(*this);
}

void long_poll_client::on_bytes(std::span<char> bytes) {
  http_answer answer;
  while (!ended()) {
    auto found = http_.next(bytes, answer);
    if (found == http_reader::outcome::more)
      return;
    if (found == http_reader::outcome::bad)
      return fail("the server answered with what is no HTTP/1.1 answer with "
                  "Content-Length");
    // 304 and 408 say that nothing came for long.
    auto nothing = answer.status == 304 || answer.status == 408;
    if (answer.status != 200 && !nothing)
      return fail("the server refused a GET: " + excerpt(answer));
    if (!nothing) {
      place_ = "If-Modified-Since: ";
      place_ += header(answer.head, "last-modified");
      place_ += "\r\nIf-None-Match: ";
      place_ += header(answer.head, "etag");
      place_ += "\r\n";
      observer().on_body(*this, answer.body);
    }
    if (!ended())
      send_get();
  }
}

void long_poll_client::send_get() {
  send("GET " + expand(common().path, index()) + " HTTP/1.1\r\nHost: "
       + common().where.host + "\r\n" + fields() + place_ + "\r\n");
}

} // namespace signalbox::load
