#include "actors/shard/shard.hpp"

#include "actors/shard/light_actor.hpp"
#include "transports/log/line_limit.hpp"

#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <exception>

namespace signalbox {

namespace {

/// The shard whose thread this is.
thread_local shard* current = nullptr;

/// Messages handled before the sockets get their turn.
constexpr size_t turn = 512;

/// Messages an ordinary actor may handle in one go.
constexpr size_t throughput = 64;

} // namespace

shard::shard(caf::actor_system& sys, net::loop& home)
  : caf::execution_unit(&sys), home_(home) {
  // nop
}

shard::~shard() {
  cleanup();
}

void shard::exec_later(caf::resumable* job) {
  item x;
  x.job = job;
  push(std::move(x));
}

void shard::deliver(light_actor& to, caf::mailbox_element_ptr what) {
  caf::intrusive_ptr_add_ref(to.ctrl());
  item x;
  x.to = &to;
  x.what = std::move(what);
  push(std::move(x));
}

void shard::push(item x) {
  if (current == this) {
    local_.push_back(std::move(x));
    if (!local_posted_) {
      local_posted_ = true;
      home_.post([this] { drain(); });
    }
    return;
  }
  std::lock_guard guard{mutex_};
  inbox_.push_back(std::move(x));
  if (!inbox_posted_) {
    inbox_posted_ = true;
    home_.post([this] { drain(); });
  }
}

void shard::enter_thread() noexcept {
  current = this;
}

void shard::drain() {
  enter_thread();
  local_posted_ = true;
  for (size_t n = 0; n < turn; ++n) {
    if (next_ == running_.size()) {
      running_.clear();
      next_ = 0;
      running_.swap(local_);
      {
        std::lock_guard guard{mutex_};
        for (auto& each : inbox_)
          running_.push_back(std::move(each));
        inbox_.clear();
        inbox_posted_ = false;
      }
      if (running_.empty()) {
        local_posted_ = false;
        return;
      }
    }
    run(running_[next_++]);
  }
  home_.post([this] { drain(); });
}

void shard::run(item& x) {
  if (x.to != nullptr) {
    auto* to = std::exchange(x.to, nullptr);
    auto what = std::move(x.what);
    try {
      to->handle(*what);
    } catch (const std::exception& e) {
      to->fail(e);
    }
    caf::intrusive_ptr_release(to->ctrl());
    return;
  }
  auto* job = std::exchange(x.job, nullptr);
  if (job->resume(this, throughput) == caf::resumable::resume_later)
    exec_later(job);
  else
    caf::intrusive_ptr_release(job);
}

void shard::cleanup() {
  // Releasing may queue more.
  for (;;) {
    std::vector<item> all;
    all.swap(running_);
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(next_));
    next_ = 0;
    for (auto* from : {&local_, &inbox_}) {
      std::lock_guard guard{mutex_};
      for (auto& each : *from)
        all.push_back(std::move(each));
      from->clear();
    }
    if (all.empty())
      return;
    for (auto& each : all) {
      if (each.to != nullptr)
        caf::intrusive_ptr_release(each.to->ctrl());
      else if (each.job != nullptr)
        caf::scheduler::abstract_coordinator::cleanup_and_release(each.job);
    }
  }
}

// -- light_actor --------------------------------------------------------------

void light_actor::enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) {
  home_.deliver(*this, std::move(what));
}

void light_actor::handle(caf::mailbox_element& x) {
  if (!alive()) {
    respond(*this, x, caf::make_error(caf::sec::request_receiver_down));
    return;
  }
  // What CAF itself has to say is of its own types, which have numbers.
  const auto& content = x.content();
  auto own = content.size() == 1 && content.type(0).first == 0;
  auto down = [this](caf::down_msg& msg) { on_down(msg); };
  if (own || !handle_system_message(x, &home_, false, down))
    receive(x);
}

bool light_actor::cleanup(caf::error&& reason, caf::execution_unit* host) {
  if (getf(is_terminated_flag))
    return false;
  setf(is_terminated_flag);
  try {
    on_end(reason);
  } catch (const std::exception& e) {
    // Its monitors must hear of its end all the same.
    spdlog::error("{}, while it ended: {}", name(), e.what());
  }
  auto first = caf::monitorable_actor::cleanup(std::move(reason), host);
  unregister_from_system();
  return first;
}

void light_actor::on_destroy() {
  if (alive())
    cleanup(caf::make_error(caf::exit_reason::unreachable), nullptr);
}

void light_actor::quit(caf::error reason) {
  // An actor that is told of the end may drop the last handle.
  caf::strong_actor_ptr keep{ctrl()};
  cleanup(std::move(reason), &home_);
}

// An exception of one actor costs only that actor. Where even this throws there
// is no memory left to go on with, and the process ends.
void light_actor::fail(const std::exception& what) noexcept {
  if (auto turn = log_turn(log_cause::exception))
    spdlog::error("{}: {}{}", name(), what.what(), *turn);
  quit(caf::make_error(caf::sec::runtime_error, what.what()));
}

void light_actor::fail_later(const std::exception& what) {
  if (auto turn = log_turn(log_cause::exception))
    spdlog::error("{}: {}{}", name(), what.what(), *turn);
  caf::anon_send_exit(address(), caf::exit_reason::unhandled_exception);
}

void light_actor::unexpected(const caf::mailbox_element& x) const {
  spdlog::warn("{}: unexpected message {}", name(), to_string(x.content()));
}

} // namespace signalbox
