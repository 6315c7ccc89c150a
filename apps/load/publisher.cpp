#include "apps/load/publisher.hpp"

#include "apps/load/marker.hpp"
#include "apps/load/nats_client.hpp"
#include "transports/codec/json_text.hpp"
#include "transports/codec/uri.hpp"

namespace signalbox::load {

namespace {

size_t count(std::string_view text, std::string_view part) {
  size_t result = 0;
  for (auto at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size()))
    ++result;
  return result;
}

} // namespace

publisher::publisher(loop& parent, const options& x, uint16_t run,
                     progress_handler on_progress, failure_handler on_failure)
  : loop_(parent), options_(x), run_(run), on_progress_(std::move(on_progress)),
    on_failure_(std::move(on_failure)) {
  // nop
}

publisher::~publisher() {
  // nop
}

std::string publisher::prepare() {
  std::string error;
  if (options_.speaks == protocol::nats) {
    nats_settings_.speaks = protocol::nats;
    nats_settings_.path = options_.path;
    const auto& [host, port] = options_.urls.front();
    if (!resolve(host, port, nats_settings_.where, error))
      return error;
    client_observer& observer = *this;
    nats_ = make_client(loop_, nats_settings_, observer, 0, {}, {});
    nats_->start();
    return {};
  }
  std::vector<std::string> all{options_.publish_url};
  if (all.front().empty()) {
    all.clear();
    for (const auto& each : options_.ingest)
      all.push_back("http://" + each + "/api/v1/events");
    fields_ = "Authorization: Bearer " + options_.key
              + "\r\nContent-Type: application/json\r\n";
  } else {
    fields_ = "Content-Type: text/plain\r\n";
  }
  std::vector<endpoint> where;
  for (const auto& text : all) {
    auto url = codec::parse_url(text);
    // %d is no escape, so it passes unharmed.
    if (!url || url->scheme != "http")
      return "--ingest or --publish-url is malformed; give HOST:PORT or "
             "http://...";
    target_ = url->target;
    if (!resolve(url->host, url->port, where.emplace_back(), error))
      return error;
  }
  pool_ = std::make_unique<http_pool>(
    loop_, std::move(where), options_.publishers,
    [this](uint32_t posted, const http_answer& answer) {
      on_answer(posted, answer);
    },
    [this](const std::string& why) {
      on_failure_("publishing failed: " + why + "; is the address right?");
    });
  ready_ = true;
  return {};
}

bool publisher::ready() const noexcept {
  return ready_;
}

void publisher::publish(uint32_t lane, std::span<const publication> messages) {
  std::string body;
  if (nats_) {
    for (const auto& x : messages)
      append_nats_message(expand(options_.type, x.user), text_of(x.number),
                          body);
    return nats_->emit(body);
  }
  if (!options_.publish_url.empty()) {
    body = text_of(messages.front().number);
  } else if (messages.size() > 1) {
    for (const auto& x : messages) {
      body += body.empty() ? '[' : ',';
      append_event(x, body);
    }
    body += ']';
  } else {
    append_event(messages.front(), body);
  }
  pool_->post(lane, expand(target_, messages.front().user), fields_, body,
              uint32_t(messages.size()));
}

size_t publisher::pending() const noexcept {
  return pool_ ? pool_->pending() : 0;
}

// -- client_observer ----------------------------------------------------------

void publisher::on_connected(client&) {
  ready_ = true;
  on_progress_();
}

void publisher::on_packet(client&, std::string_view) {
  // nop
}

void publisher::on_body(client&, std::string_view) {
  // nop
}

void publisher::on_left(client&) {
  // nop
}

void publisher::on_failed(client&, const std::string& why) {
  on_failure_("publishing failed: " + why);
}

void publisher::post_aside(const std::string&, std::string_view,
                           std::string_view) {
  // nop
}

// -- requests -----------------------------------------------------------------

std::string publisher::text_of(sequence s) const {
  return encode_marker(run_, s, options_.size);
}

void publisher::append_event(const publication& x, std::string& out) const {
  auto text = text_of(x.number);
  auto everybody = options_.mode == run_mode::broadcast;
  std::string user;
  if (!everybody)
    codec::quote_json(expand(options_.user, x.user), user);
  out += "{\"namespace\":";
  codec::quote_json(options_.nsp, out);
  out += ",\"type\":";
  codec::quote_json(options_.type, out);
  if (everybody || options_.direct)
    out += ",\"payload\":\"" + text + "\"";
  else
    out += ",\"payload\":{\"to\":" + user + ",\"body\":\"" + text + "\"}";
  if (!options_.room.empty()) {
    out += ",\"to\":{\"rooms\":[";
    codec::quote_json(options_.room, out);
    out += "]}";
  } else if (options_.direct) {
    out += everybody ? ",\"to\":\"all\"" : ",\"to\":{\"users\":[" + user + "]}";
  }
  out += '}';
}

void publisher::on_answer(uint32_t posted, const http_answer& answer) {
  on_progress_();
  auto to_ingest = options_.publish_url.empty();
  if (answer.status < 200 || answer.status > 299
      || (to_ingest && count(answer.body, "\"ok\":true") != posted))
    on_failure_("the server refused a publication, check key, rules and "
                "namespace: "
                + excerpt(answer));
}

} // namespace signalbox::load
