#include "apps/load/scenario.hpp"

#include "apps/load/file_limit.hpp"

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
  result.users = x.users;
  result.everybody = x.mode == run_mode::broadcast;
  // Acks may overtake each other.
  result.lanes = x.mode == run_mode::echo ? 0 : x.publishers;
  result.batch = x.batch;
  if (x.mode == run_mode::idle || x.mode == run_mode::connect)
    result.messages = 0;
  return result;
}

double seconds_between(int64_t begin, int64_t end) {
  return double(end - begin) / 1e9;
}

} // namespace

scenario::scenario(const options& x)
  : options_(x), usage_(x.servers), ledger_(shape_of(x)),
    run_id_(uint16_t(std::random_device{}())),
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
  std::string error =
    raise_file_limit(uint64_t{options_.clients} + options_.bystanders
                     + options_.publishers + aside_connections + 16);
  if (auto id = usage_.missing(); id != 0)
    error = "process " + std::to_string(id)
            + " does not run; give the server's in --server-pid";
  client_settings common;
  common.speaks = options_.speaks;
  common.path = options_.path;
  common.namespaces = {options_.nsp};
  common.polling = options_.polling;
  common.dialects = options_.dialects;
  common.subject = options_.type;
  for (const auto& [host, port] : options_.urls) {
    if (error.empty())
      resolve(host, port, common.where, error);
    common_.push_back(common);
    bystanding_.push_back(common);
    if (!options_.bystander_nsps.empty())
      bystanding_.back().namespaces = options_.bystander_nsps;
  }
  if (!error.empty()) {
    fail(error);
    return false;
  }
  aside_ = std::make_unique<http_pool>(
    loop_, std::vector{common_.front().where}, aside_connections,
    [this](uint32_t, const http_answer& answer) {
      if (answer.status != 200)
        fail("the server refused a POST: " + excerpt(answer));
    },
    [this](const std::string& why) { fail("POST: " + why); });
  return !publishes() || prepare_publisher();
}

bool scenario::prepare_publisher() {
  publisher_ = std::make_unique<publisher>(
    loop_, options_, run_id_, [this] { last_progress_ = now_ns(); },
    [this](const std::string& why) { fail(why); });
  auto error = publisher_->prepare();
  if (!error.empty())
    fail(error);
  return error.empty();
}

bool scenario::connect() {
  auto before = usage_.read();
  auto begin = now_ns();
  report_.resident_before = before.resident;
  client_observer& observer = *this;
  auto all = options_.clients + options_.bystanders;
  clients_.reserve(all);
  for (uint32_t i = 0; i < all; ++i) {
    auto counts = i < options_.clients;
    auto user =
      counts ? i % options_.users : options_.users + i - options_.clients;
    // Publishers take turns; clients that do so too are always published
    // to at their own node.
    auto place = (options_.near ? i : i * 2654435761u >> 16) % common_.size();
    clients_.push_back(make_client(
      loop_, (counts ? common_ : bystanding_)[place], observer, i,
      expand(counts ? options_.cookie : options_.bystander_cookie, user),
      expand(options_.auth, user)));
  }
  start_clients();
  auto done = run_until(
    [this, all] {
      return report_.connected == all && (!publisher_ || publisher_->ready());
    },
    "connecting");
  auto after = usage_.read();
  report_.connect_wall = seconds_between(begin, now_ns());
  report_.connect_cpu = after.cpu - before.cpu;
  report_.resident_after = after.resident;
  return done;
}

void scenario::start_clients() {
  while (started_ < clients_.size() && report_.error.empty()
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
  pace_begin_ = begin;
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
    loop_.poll(patience());
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
    if (measuring_ && options_.rate > 0) {
      if (due(next_) > now_ns())
        return;
    } else if (under_way_ + size > options_.window) {
      return;
    }
    if (options_.mode == run_mode::echo)
      emit_echo(next_);
    else
      publish_batch(next_ + size);
  }
}

void scenario::publish_batch(sequence end) {
  auto lane = ledger_.lane_of(next_);
  auto now = now_ns();
  batch_.clear();
  for (; next_ < end; ++next_) {
    // A message that goes out late has waited, so that counts.
    auto paced = measuring_ && options_.rate > 0;
    ledger_.sent(next_, paced ? due(next_) : now);
    batch_.push_back({next_, ledger_.user_of(next_)});
    ++under_way_;
  }
  publisher_->publish(lane, batch_);
}

void scenario::emit_echo(sequence s) {
  auto packet = "2" + nsp_prefix_ + std::to_string(s) + "[\"echo\",\""
                + encode_marker(run_id_, s, options_.size) + "\"]";
  ledger_.sent(s, now_ns());
  ++next_;
  ++under_way_;
  clients_[ledger_.user_of(s)]->emit(packet);
}

void scenario::take_ack(client& who, std::string_view text) {
  text.remove_prefix(1 + nsp_prefix_.size());
  sequence s = 0;
  auto [stop, ec] = std::from_chars(text.data(), text.data() + text.size(), s);
  if (ec != std::errc{} || options_.mode != run_mode::echo) {
    ++report_.foreign;
    return;
  }
  if (options_.any_ack)
    return receive(who, s);
  auto found = find_marker(text, options_.size);
  if (!found)
    return fail("an event came back without its text; does the server echo? "
                + std::string{text.substr(0, 300)});
  if (!found->whole || found->run != run_id_ || found->number != s)
    ++report_.damaged;
  receive(who, s);
}

void scenario::take_marker(client& who, const std::optional<marker>& found) {
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

bool scenario::publishes() const noexcept {
  return options_.mode == run_mode::broadcast
         || options_.mode == run_mode::private_;
}

int64_t scenario::due(sequence s) const noexcept {
  return pace_begin_
         + int64_t{s - options_.warm_up} * second / int64_t{options_.rate};
}

std::chrono::nanoseconds scenario::patience() const {
  constexpr auto most = int64_t{50'000'000};
  auto waits = measuring_ && options_.rate > 0
               && next_ < options_.warm_up + options_.messages;
  auto rest = waits ? due(next_) - now_ns() : most;
  return std::chrono::nanoseconds{std::clamp(rest, int64_t{0}, most)};
}

// -- client_observer ----------------------------------------------------------

void scenario::on_connected(client&) {
  ++report_.connected;
  last_progress_ = now_ns();
  start_clients();
}

void scenario::on_packet(client& who, std::string_view text) {
  if (who.index() >= options_.clients) {
    ++report_.misrouted;
    return;
  }
  // The namespace stands behind the type, none for "/".
  auto rest = text.substr(1);
  auto same = nsp_prefix_.empty() ? !rest.starts_with('/')
                                  : rest.starts_with(nsp_prefix_);
  if (!same)
    ++report_.misrouted;
  else if (text.front() == '3')
    take_ack(who, text);
  else
    take_marker(who, find_marker(text, options_.size));
}

void scenario::on_body(client& who, std::string_view text) {
  if (who.index() >= options_.clients)
    ++report_.misrouted;
  else
    take_marker(who, read_marker(text, options_.size));
}

void scenario::on_left(client&) {
  // nop
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
