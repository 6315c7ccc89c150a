#include "apps/load/churn.hpp"

#include "apps/load/file_limit.hpp"
#include "apps/load/marker.hpp"

#include <algorithm>
#include <random>

namespace signalbox::load {

namespace {

constexpr int64_t second = 1'000'000'000;
constexpr int64_t stall = 10 * second;

} // namespace

churn::churn(const options& x)
  : options_(x), usage_(x.servers), run_id_(uint16_t(std::random_device{}())) {
  common_.path = x.path;
  common_.namespaces = {x.nsp};
  common_.dialects = x.dialects;
  messages_.resize(x.messages);
}

churn::~churn() {
  // nop
}

report churn::run() {
  if (!prepare())
    return std::move(report_);
  auto before = usage_.read();
  auto begin = now_ns();
  auto until = begin + options_.hold.count() * second;
  report_.resident_before = before.resident;
  last_progress_ = begin;
  next_sample_ = begin + second;
  while (next_ < options_.clients && report_.error.empty())
    come();
  while (report_.error.empty() && !visits_.empty()) {
    loop_.poll(std::chrono::milliseconds{50});
    ended_.clear();
    auto now = now_ns();
    sample(now);
    closing_ = now >= until;
    if (now - last_progress_ >= stall)
      fail("nothing came for 10 s; the server's log may tell why");
  }
  auto after = usage_.read();
  report_.wall = double(now_ns() - begin) / 1e9;
  report_.connect_wall = report_.wall;
  report_.server_cpu = after.cpu - before.cpu;
  report_.connect_cpu = report_.server_cpu;
  report_.softirq_cpu = after.softirq - before.softirq;
  report_.client_cpu = after.own - before.own;
  report_.other_cpu =
    std::max(0.0, after.machine - before.machine - report_.server_cpu
                    - report_.client_cpu);
  report_.resident_after = after.resident;
  for (const auto& [number, x] : visits_)
    if (x.posted_at != 0)
      report_.lost += options_.messages - x.received;
  return std::move(report_);
}

// -- client_observer ----------------------------------------------------------

void churn::on_connected(client& who) {
  ++report_.connected;
  last_progress_ = now_ns();
  visits_[who.index()].posted_at = last_progress_;
  auto number = sequence(who.index() * options_.messages);
  for (auto& x : messages_)
    x = {number++, who.index()};
  auto lane = who.index() % options_.publishers;
  if (!options_.ingest.empty())
    return publisher_->publish(lane, messages_);
  for (const auto& x : messages_)
    publisher_->publish(lane, {&x, 1});
}

void churn::on_packet(client& who, std::string_view text) {
  auto found = find_marker(text, options_.size);
  if (!found || found->run != run_id_) {
    ++report_.foreign;
    return;
  }
  if (!found->whole)
    ++report_.damaged;
  auto now = now_ns();
  last_progress_ = now;
  auto& here = visits_[who.index()];
  auto first = sequence(who.index() * options_.messages);
  if (found->number < first || found->number - first >= options_.messages) {
    ++report_.misrouted;
    return;
  }
  auto place = found->number - first;
  if (place < here.received)
    ++report_.duplicated;
  else if (place > here.received)
    ++report_.reordered;
  ++here.received;
  ++report_.deliveries;
  report_.latency.add(now - here.posted_at);
  if (here.received < options_.messages)
    return;
  if (who.index() % 2 == 0)
    who.leave();
  else
    who.vanish();
}

void churn::on_body(client&, std::string_view) {
  ++report_.foreign;
}

void churn::on_left(client& who) {
  auto gone = visits_.extract(who.index());
  if (!gone.empty())
    ended_.push_back(std::move(gone.mapped().who));
  if (!closing_ && report_.error.empty())
    come();
}

void churn::on_failed(client& who, const std::string& why) {
  fail("client " + std::to_string(who.index()) + ": " + why);
}

void churn::post_aside(const std::string&, std::string_view, std::string_view) {
  // nop
}

// -- visits -------------------------------------------------------------------

bool churn::prepare() {
  auto error =
    raise_file_limit(uint64_t{options_.clients} + options_.publishers + 16);
  if (auto id = usage_.missing(); id != 0)
    error = "process " + std::to_string(id)
            + " does not run; give the server's in --server-pid";
  if (error.empty())
    resolve(options_.urls.front().first, options_.urls.front().second,
            common_.where, error);
  publisher_ = std::make_unique<publisher>(
    loop_, options_, run_id_, [this] { last_progress_ = now_ns(); },
    [this](const std::string& why) { fail(why); });
  if (error.empty())
    error = publisher_->prepare();
  if (!error.empty())
    fail(error);
  return error.empty();
}

void churn::come() {
  auto number = next_++;
  client_observer& observer = *this;
  auto& here = visits_[number];
  here.who =
    make_client(loop_, common_, observer, number,
                expand(options_.cookie, number), expand(options_.auth, number));
  here.who->start();
}

void churn::sample(int64_t now) {
  if (now < next_sample_)
    return;
  next_sample_ += second;
  report_.resident_samples.push_back(usage_.read().resident / 1024);
}

void churn::fail(const std::string& why) {
  if (report_.error.empty())
    report_.error = why;
}

} // namespace signalbox::load
