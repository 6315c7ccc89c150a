#include "apps/load/scenario.hpp"

#include "apps/load/marker.hpp"
#include "transports/codec/json_scan.hpp"
#include "transports/codec/uri.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <random>

namespace signalbox::load {

namespace {

constexpr int64_t second = 1'000'000'000;
constexpr int64_t stall = 10 * second;
constexpr size_t aside_connections = 16;

ledger::shape shape_of(const options& x) {
  ledger::shape result;
  result.receivers = x.clients;
  result.messages = x.warm_up + x.messages;
  result.everybody = x.mode == run_mode::broadcast;
  // Acks may overtake each other.
  result.lanes = x.mode == run_mode::echo ? 0 : x.publishers;
  result.batch = x.batch;
  if (x.mode == run_mode::idle || x.mode == run_mode::connect)
    result.messages = 0;
  return result;
}

// Returns what is to be done if the file limit is too low for the clients.
std::string raise_file_limit(uint64_t needed) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= needed)
    return {};
  return "the limit of open files is " + std::to_string(limit.rlim_max) + ", "
         + std::to_string(needed) + " are needed; lower --n or raise ulimit -n";
}

size_t count(std::string_view text, std::string_view part) {
  size_t result = 0;
  for (auto at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size()))
    ++result;
  return result;
}

double seconds_between(int64_t begin, int64_t end) {
  return double(end - begin) / 1e9;
}

} // namespace

scenario::scenario(const options& x)
  : options_(x), usage_(x.servers), ledger_(shape_of(x)),
    run_id_(std::random_device{}()),
    nsp_prefix_(x.nsp == "/" ? std::string{} : x.nsp + ","),
    deadline_(now_ns() + x.deadline.count() * second),
    last_progress_(now_ns()) {
  // nop
}

scenario::~scenario() {
  // nop
}

report scenario::run() {
  if (prepare() && connect()) {
    if (options_.mode == run_mode::idle)
      hold();
    else if (options_.mode != run_mode::connect)
      measure();
  }
  account();
  ending_ = true;
  for (auto& x : clients_)
    x->close();
  return std::move(report_);
}

// -- phases -------------------------------------------------------------------

bool scenario::prepare() {
  std::string error = raise_file_limit(
    uint64_t{options_.clients} + options_.publishers + aside_connections + 16);
  if (auto id = usage_.missing(); id != 0)
    error = "process " + std::to_string(id)
            + " does not run; give the server's in --server-pid";
  if (error.empty())
    resolve(options_.host, options_.port, common_.where, error);
  common_.path = options_.path;
  common_.nsp = options_.nsp;
  common_.polling = options_.polling;
  common_.dialects = options_.dialects;
  if (!error.empty()) {
    fail(error);
    return false;
  }
  aside_ = std::make_unique<http_pool>(
    loop_, common_.where, aside_connections,
    [this](uint32_t, const http_answer& answer) {
      if (answer.status != 200)
        fail("the server refused a POST: " + excerpt(answer));
    },
    [this](const std::string& why) { fail("POST: " + why); });
  if (options_.mode != run_mode::broadcast
      && options_.mode != run_mode::private_)
    return true;
  auto text = options_.publish_url.empty()
                ? "http://" + options_.ingest + "/api/v1/events"
                : options_.publish_url;
  auto url = codec::parse_url(text);
  // %d is no escape, so it passes unharmed.
  if (!url || url->scheme != "http") {
    fail(
      "--ingest or --publish-url is malformed; give HOST:PORT or http://...");
    return false;
  }
  publish_target_ = url->target;
  return prepare_publisher(url->host, url->port);
}

bool scenario::prepare_publisher(const std::string& host, uint16_t port) {
  endpoint where;
  std::string error;
  if (!resolve(host, port, where, error)) {
    fail(error);
    return false;
  }
  if (options_.publish_url.empty())
    publish_fields_ = "Authorization: Bearer " + options_.key
                      + "\r\nContent-Type: application/json\r\n";
  else
    publish_fields_ = "Content-Type: text/plain\r\n";
  publisher_ = std::make_unique<http_pool>(
    loop_, where, options_.publishers,
    [this](uint32_t posted, const http_answer& answer) {
      on_published(posted, answer);
    },
    [this](const std::string& why) {
      fail("publishing failed: " + why + "; is the address right?");
    });
  return true;
}

bool scenario::connect() {
  auto before = usage_.read();
  auto begin = now_ns();
  report_.resident_before = before.resident;
  client_observer& observer = *this;
  clients_.reserve(options_.clients);
  for (uint32_t i = 0; i < options_.clients; ++i)
    clients_.push_back(std::make_unique<client>(loop_, common_, observer, i,
                                                expand(options_.cookie, i),
                                                expand(options_.auth, i)));
  start_clients();
  auto done = run_until(
    [this] { return report_.connected == options_.clients; }, "connecting");
  auto after = usage_.read();
  report_.connect_wall = seconds_between(begin, now_ns());
  report_.connect_cpu = after.cpu - before.cpu;
  report_.resident_after = after.resident;
  return done;
}

void scenario::start_clients() {
  while (started_ < options_.clients && report_.error.empty()
         && started_ < report_.connected + options_.concurrency)
    clients_[started_++]->start();
}

void scenario::hold() {
  auto before = usage_.read();
  auto begin = now_ns();
  auto end = begin + options_.hold.count() * second;
  run_until(
    [this, end] {
      last_progress_ = now_ns();
      return last_progress_ >= end;
    },
    "holding");
  auto after = usage_.read();
  report_.wall = seconds_between(begin, now_ns());
  report_.server_cpu = after.cpu - before.cpu;
  report_.client_cpu = after.own - before.own;
  report_.resident_after = after.resident;
}

bool scenario::measure() {
  // Work that the connects left behind is not the messages'.
  linger(std::chrono::milliseconds{300});
  if (!transfer(options_.warm_up))
    return false;
  auto before = usage_.read();
  auto begin = now_ns();
  measuring_ = true;
  auto done = transfer(options_.warm_up + options_.messages);
  report_.wall = seconds_between(begin, now_ns());
  auto after = usage_.read();
  measuring_ = false;
  report_.server_cpu = after.cpu - before.cpu;
  report_.softirq_cpu = after.softirq - before.softirq;
  report_.client_cpu = after.own - before.own;
  report_.other_cpu =
    std::max(0.0, after.machine - before.machine - report_.server_cpu
                    - report_.client_cpu);
  // Duplicates come late.
  if (done)
    linger(std::chrono::milliseconds{300});
  return done;
}

bool scenario::transfer(sequence end) {
  publish(end);
  return run_until(
    [this, end] {
      if (next_ < end)
        publish(end);
      return next_ == end && under_way_ == 0
             && (!publisher_ || publisher_->pending() == 0);
    },
    "transferring messages");
}

bool scenario::run_until(const std::function<bool()>& done, const char* what) {
  last_progress_ = now_ns();
  while (report_.error.empty() && !done()) {
    loop_.poll(std::chrono::milliseconds{50});
    auto now = now_ns();
    if (now >= deadline_)
      fail(std::string{what}
           + " took until the deadline; raise --deadline or "
             "lower --n or --m");
    else if (now - last_progress_ >= stall)
      fail(std::string{what}
           + " stopped for 10 s; the server's log may tell "
             "why");
  }
  return report_.error.empty();
}

void scenario::linger(std::chrono::milliseconds time) {
  auto end = now_ns() + time.count() * 1'000'000;
  run_until([end] { return now_ns() >= end; }, "waiting");
}

void scenario::fail(const std::string& why) {
  if (!ending_ && report_.error.empty())
    report_.error = why;
}

void scenario::account() {
  report_.lost = ledger_.expected() - ledger_.delivered();
  report_.duplicated = ledger_.duplicated();
  report_.reordered = ledger_.reordered();
  report_.misrouted += ledger_.misrouted();
}

// -- messages -----------------------------------------------------------------

void scenario::publish(sequence end) {
  while (next_ < end && report_.error.empty()) {
    auto size = std::min(options_.batch, end - next_);
    if (under_way_ + size > options_.window)
      return;
    if (options_.mode == run_mode::echo)
      emit_echo(next_);
    else
      publish_batch(next_ + size);
  }
}

void scenario::publish_batch(sequence end) {
  auto first = next_;
  auto lane = ledger_.lane_of(first);
  auto now = now_ns();
  std::string body;
  if (!options_.publish_url.empty())
    body = encode_marker(run_id_, first, options_.size);
  else if (options_.batch > 1) {
    for (auto s = first; s < end; ++s) {
      body += s == first ? '[' : ',';
      append_event(s, body);
    }
    body += ']';
  } else
    append_event(first, body);
  for (; next_ < end; ++next_) {
    ledger_.sent(next_, now);
    ++under_way_;
  }
  publisher_->post(lane, expand(publish_target_, ledger_.receiver_of(first)),
                   publish_fields_, body, end - first);
}

void scenario::append_event(sequence s, std::string& out) const {
  auto text = encode_marker(run_id_, s, options_.size);
  auto everybody = options_.mode == run_mode::broadcast;
  std::string user;
  if (!everybody)
    codec::quote_json(expand(options_.user, ledger_.receiver_of(s)), user);
  out += "{\"namespace\":";
  codec::quote_json(options_.nsp, out);
  out += ",\"type\":";
  codec::quote_json(options_.type, out);
  if (everybody || options_.direct)
    out += ",\"payload\":\"" + text + "\"";
  else
    out += ",\"payload\":{\"to\":" + user + ",\"body\":\"" + text + "\"}";
  if (options_.direct)
    out += everybody ? ",\"to\":\"all\"" : ",\"to\":{\"users\":[" + user + "]}";
  out += '}';
}

void scenario::emit_echo(sequence s) {
  auto packet = "2" + nsp_prefix_ + std::to_string(s) + "[\"echo\",\""
                + encode_marker(run_id_, s, options_.size) + "\"]";
  ledger_.sent(s, now_ns());
  ++next_;
  ++under_way_;
  clients_[ledger_.receiver_of(s)]->emit(packet);
}

void scenario::on_published(uint32_t posted, const http_answer& answer) {
  last_progress_ = now_ns();
  auto to_ingest = options_.publish_url.empty();
  if (answer.status < 200 || answer.status > 299
      || (to_ingest && count(answer.body, "\"ok\":true") != posted))
    fail("the server refused a publication, check key, rules and namespace: "
         + excerpt(answer));
}

void scenario::take_ack(client& who, std::string_view text) {
  text.remove_prefix(1 + nsp_prefix_.size());
  sequence s = 0;
  auto [stop, ec] = std::from_chars(text.data(), text.data() + text.size(), s);
  if (ec != std::errc{} || options_.mode != run_mode::echo) {
    ++report_.foreign;
    return;
  }
  auto found = find_marker(text, options_.size);
  if (!found)
    return fail("an event came back without its text; does the server echo? "
                + std::string{text.substr(0, 300)});
  if (!found->whole || found->run != run_id_ || found->number != s)
    ++report_.damaged;
  receive(who, s);
}

void scenario::take_event(client& who, std::string_view text) {
  auto found = find_marker(text, options_.size);
  if (!found || found->run != run_id_) {
    ++report_.foreign;
    return;
  }
  if (!found->whole)
    ++report_.damaged;
  receive(who, found->number);
}

void scenario::receive(client& who, sequence s) {
  auto now = now_ns();
  last_progress_ = now;
  switch (ledger_.received(who.index(), s)) {
  case ledger::receipt::unknown:
    ++report_.foreign;
    return;
  case ledger::receipt::first:
    break;
  default:
    return;
  }
  if (ledger_.complete(s))
    --under_way_;
  if (measuring_) {
    ++report_.deliveries;
    report_.latency.add(now - ledger_.sent_at(s));
  }
}

// -- client_observer ----------------------------------------------------------

void scenario::on_connected(client&) {
  ++report_.connected;
  last_progress_ = now_ns();
  start_clients();
}

void scenario::on_packet(client& who, std::string_view text) {
  // The namespace stands behind the type, none for "/".
  auto rest = text.substr(1);
  auto same = nsp_prefix_.empty() ? !rest.starts_with('/')
                                  : rest.starts_with(nsp_prefix_);
  if (!same)
    ++report_.misrouted;
  else if (text.front() == '3')
    take_ack(who, text);
  else
    take_event(who, text);
}

void scenario::on_failed(client& who, const std::string& why) {
  std::string hint;
  if (why.starts_with("connect:"))
    hint = "; is a server listening at --url?";
  else if (why.starts_with("the namespace refused"))
    hint = "; check --namespace, --cookie and --auth";
  fail("client " + std::to_string(who.index()) + ": " + why + hint);
}

void scenario::post_aside(const std::string& target, std::string_view fields,
                          std::string_view body) {
  aside_->post(next_aside_++ % aside_->size(), target, fields, body, 0);
}

} // namespace signalbox::load
