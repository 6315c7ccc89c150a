#include "actors/membership/multiplexer.hpp"

#include "actors/shard/coordinator.hpp"
#include "transports/net/stream.hpp"

#include <caf/io/datagram_servant.hpp>
#include <caf/io/doorman.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/scribe.hpp>

#include <algorithm>
#include <future>
#include <string_view>
#include <utility>

namespace signalbox {

namespace {

/// Reads of one connection before others get their turn.
constexpr int turn = 16;

/// Messages a broker may handle in one go.
constexpr size_t throughput = 64;

/// Bytes that a connection keeps of a large message's memory.
constexpr size_t keep_bytes = 262144;

shard& home_of(caf::actor_system& sys) {
  return shards_of(sys).at(0);
}

} // namespace

/// A connection of a broker over a channel.
class multiplexer::scribe : public caf::io::scribe {
public:
  scribe(multiplexer& at, net::loop& home, std::shared_ptr<net::channel> via,
         caf::io::connection_handle number)
    : caf::io::scribe(number), at_(at), home_(home), via_(std::move(via)) {
    // nop
  }

  ~scribe() override {
    close();
  }

  /// BASP asks for exact amounts only.
  void configure_read(caf::io::receive_policy::config x) override {
    wanted_ = x.second;
    if (!started_)
      add_to_loop();
  }

  void ack_writes(bool) override {
    // nop
  }

  std::vector<char>& wr_buf() override {
    return out_;
  }

  std::vector<char>& rd_buf() override {
    return in_;
  }

  void flush() override {
    if (writing_ || via_ == nullptr)
      return;
    while (written_ < out_.size()) {
      iovec rest{out_.data() + written_, out_.size() - written_};
      auto n = via_->write(&rest, 1);
      if (n == net::stream::again) {
        writing_ = true;
        via_->wait(false, [self = self()] {
          self->writing_ = false;
          self->flush();
        });
        return;
      }
      if (n < 0) {
        // The broker is busy with its last write.
        home_.post([self = self()] { self->lost(); });
        break;
      }
      written_ += static_cast<size_t>(n);
    }
    written_ = 0;
    out_.clear();
    trim(out_);
  }

  void graceful_shutdown() override {
    auto keep = self();
    flush();
    detach(&at_, false);
    close();
  }

  void add_to_loop() override {
    started_ = true;
    if (!std::exchange(reading_, true))
      read();
  }

  void remove_from_loop() override {
    reading_ = false;
  }

  std::string addr() const override {
    return {};
  }

  uint16_t port() const override {
    return 0;
  }

private:
  caf::intrusive_ptr<scribe> self() {
    return this;
  }

  static void trim(std::vector<char>& x) {
    if (x.capacity() > keep_bytes)
      std::vector<char>{}.swap(x);
  }

  void close() {
    if (auto last = std::exchange(via_, nullptr))
      last->close();
  }

  void lost() {
    close();
    io_failure(&at_, caf::io::network::operation::read);
  }

  void read() {
    auto keep = self();
    for (int i = 0; i < turn && reading_ && via_ != nullptr; ++i) {
      auto into = home_.scratch();
      auto n = via_->read(into.data(), into.size());
      if (n == net::stream::again) {
        wait();
        return;
      }
      if (n <= 0) {
        lost();
        return;
      }
      take({into.data(), static_cast<size_t>(n)});
      // A plain socket has no more than that; TLS may keep the next record.
      if (reading_ && via_ != nullptr && !via_->encrypted()
          && static_cast<size_t>(n) < into.size()) {
        wait();
        return;
      }
    }
    if (reading_ && via_ != nullptr)
      home_.post([keep] { keep->read(); });
  }

  void wait() {
    via_->wait(true, [keep = self()] { keep->read(); });
  }

  /// Gives the broker its bytes in the amounts it asks for.
  void take(std::string_view bytes) {
    while (!bytes.empty() && reading_) {
      auto n = std::min(wanted_ - in_.size(), bytes.size());
      in_.insert(in_.end(), bytes.begin(), bytes.begin() + n);
      bytes.remove_prefix(n);
      if (in_.size() < wanted_)
        return;
      consume(&at_, in_.data(), in_.size());
      in_.clear();
      trim(in_);
    }
  }

  multiplexer& at_;
  net::loop& home_;
  std::shared_ptr<net::channel> via_;
  std::vector<char> in_;
  std::vector<char> out_;
  size_t written_ = 0;
  size_t wanted_ = 1;
  bool started_ = false;
  bool reading_ = false;
  bool writing_ = false;
};

multiplexer::~multiplexer() {
  for (auto* job : jobs_)
    caf::scheduler::abstract_coordinator::cleanup_and_release(job);
}

void multiplexer::configure(caf::actor_system_config& to) {
  to.load<caf::io::middleman, multiplexer>();
  // It starts no thread and waits for `try_run_once` at the end.
  to.set("middleman.manual-multiplexing", true);
  // The broker reads and decodes on the shard, in order.
  to.set("middleman.workers", size_t{0});
}

caf::io::scribe_ptr multiplexer::new_scribe(std::shared_ptr<net::channel> via) {
  auto number = caf::io::connection_handle::from_int(++last_handle_);
  return caf::make_counted<scribe>(*this, home_of(system()).home(),
                                   std::move(via), number);
}

void multiplexer::exec_later(caf::resumable* job) {
  {
    std::lock_guard guard{mutex_};
    jobs_.push_back(job);
    if (std::exchange(queued_, true))
      return;
  }
  home_of(system()).exec_later(this);
}

caf::resumable::resume_result multiplexer::resume(caf::execution_unit*,
                                                  size_t) {
  std::vector<caf::resumable*> jobs;
  {
    std::lock_guard guard{mutex_};
    jobs.swap(jobs_);
    queued_ = false;
  }
  for (auto* job : jobs)
    if (job->resume(this, throughput) == resume_later)
      exec_later(job);
    else
      caf::intrusive_ptr_release(job);
  return awaiting_message;
}

caf::resumable::subtype_t multiplexer::subtype() const {
  return unspecified;
}

void multiplexer::intrusive_ptr_add_ref_impl() {
  // The middleman owns it.
}

void multiplexer::intrusive_ptr_release_impl() {
  // The middleman owns it.
}

// -- what is never asked for --------------------------------------------------

caf::io::scribe_ptr multiplexer::new_scribe(caf::io::network::native_socket) {
  return nullptr;
}

caf::expected<caf::io::scribe_ptr>
multiplexer::new_tcp_scribe(const std::string&, uint16_t) {
  return caf::sec::bad_function_call;
}

caf::io::doorman_ptr multiplexer::new_doorman(caf::io::network::native_socket) {
  return nullptr;
}

caf::expected<caf::io::doorman_ptr>
multiplexer::new_tcp_doorman(uint16_t, const char*, bool) {
  return caf::sec::bad_function_call;
}

caf::io::datagram_servant_ptr
multiplexer::new_datagram_servant(caf::io::network::native_socket) {
  return nullptr;
}

caf::io::datagram_servant_ptr multiplexer::new_datagram_servant_for_endpoint(
  caf::io::network::native_socket, const caf::io::network::ip_endpoint&) {
  return nullptr;
}

caf::expected<caf::io::datagram_servant_ptr>
multiplexer::new_remote_udp_endpoint(const std::string&, uint16_t) {
  return caf::sec::bad_function_call;
}

caf::expected<caf::io::datagram_servant_ptr>
multiplexer::new_local_udp_endpoint(uint16_t, const char*, bool) {
  return caf::sec::bad_function_call;
}

// -- life ---------------------------------------------------------------------

multiplexer::supervisor_ptr multiplexer::make_supervisor() {
  return nullptr;
}

bool multiplexer::try_run_once() {
  // What ends may set off more, which follows it in the queue.
  for (int i = 0; i < 2; ++i) {
    auto reached = std::make_shared<std::promise<void>>();
    post([reached] { reached->set_value(); });
    reached->get_future().wait();
  }
  return false;
}

void multiplexer::run_once() {
  // nop
}

void multiplexer::run() {
  // nop
}

} // namespace signalbox
