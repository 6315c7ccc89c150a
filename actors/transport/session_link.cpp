#include "actors/transport/session_link.hpp"

#include "actors/api/type_ids.hpp"

#include <caf/send.hpp>

namespace signalbox {

namespace {

class link : public session::handler {
public:
  explicit link(std::pair<connection_actor, session_side*> to)
    : to_(std::move(to.first)), local_(to.second) {
    // nop
  }

  void on_packet(socket::packet&& packet) override {
    local_->on_packet(std::move(packet));
  }

  bool ready() const noexcept override {
    return local_->ready();
  }

  void on_upgrade() override {
    caf::anon_send(to_, session_upgraded{});
  }

  void on_close(session::close_reason why) override {
    // The handle keeps the actor's memory, ended or not.
    local_->session_gone();
    caf::anon_send(to_, session_closed{why});
    to_ = nullptr;
  }

private:
  connection_actor to_;
  session_side* local_;
};

} // namespace

std::unique_ptr<session::handler>
session_link::on_open(session::port& out,
                      std::shared_ptr<const session::handshake> from,
                      size_t index) {
  return std::make_unique<link>(
    spawn_connection(*shards_[index], shared_, out, std::move(from)));
}

} // namespace signalbox
