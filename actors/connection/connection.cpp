#include "actors/connection/connection.hpp"

#include "actors/api/receipt.hpp"
#include "actors/api/stamp.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/connection/inbox.hpp"
#include "actors/connection/packets.hpp"
#include "actors/shard/light_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <ctime>
#include <string_view>

namespace signalbox {

using session::close_reason;
using socket::packet_type;

class connection_impl : public light_actor,
                        public session_side,
                        private inbox::owner {
public:
  connection_impl(caf::actor_config& cfg, shard& at,
                  const connection_context& shared, session::port& out,
                  std::shared_ptr<const session::handshake> from)
    : light_actor(cfg, at), shared_(shared),
      population_(shared.count, actor_kind::connection), out_(&out),
      from_(std::move(from)) {
    arm();
  }

  const char* name() const override {
    return "signalbox.connection";
  }

  // -- session_side -----------------------------------------------------------

  void on_packet(socket::packet&& packet) override {
    attempt([&] { take(packet); });
  }

  bool ready() const noexcept override {
    return inbox_ == nullptr || !inbox_->full();
  }

  void session_gone() override {
    out_ = nullptr;
  }

  connection_actor handle() override {
    return caf::actor_cast<connection_actor>(caf::strong_actor_ptr{ctrl()});
  }

  void ack(const std::string& nsp, uint64_t id,
           std::string_view args) override {
    if (places_.find(nsp) != nullptr)
      send(ack_packet(nsp, id, args));
  }

  void on_inbox(bool full) override {
    arm();
    if (!full && out_ != nullptr)
      out_->resume();
  }

  bool push(const codec::shared_event& event, bool volatile_) {
    auto sent = false;
    attempt_later([&] { sent = out_ && out_->send(event, {}, volatile_); });
    return sent;
  }

  void on_namespace_down(place& x) {
    x.hub = nullptr;
    send(disconnect_packet(x.nsp));
    leave(x);
  }

protected:
  void receive(caf::mailbox_element& x) override {
    auto known =
      dispatch<session_upgraded, session_closed, verdict, attached, deliver,
               published, event_forwarded, change_rooms, disconnect>(
        x, [this](auto& msg) { on(msg); });
    if (!known)
      unexpected(x);
  }

  void on_down(const caf::down_msg&) override {
    // Without SITE_AUTH the events that are left go nowhere.
    quit();
  }

  void on_end(const caf::error&) override {
    population_.end();
    deadline_.cancel();
    inbox_.reset();
    auto* out = std::exchange(out_, nullptr);
    // First, since the rest may throw: the hubs point to the places.
    while (!places_.empty())
      leave(places_.front());
    if (out != nullptr)
      out->close(close_reason::actor_down);
  }

private:
  using stage = place::stage;

  session::time_point now() const noexcept {
    return home().home().wheel().now();
  }

  const limit_settings& limits() const noexcept {
    return shared_.opts.limits;
  }

  void send(const socket::packet& x) {
    if (out_ != nullptr)
      out_->send(x);
  }

  std::string_view transport() const {
    return out_ == nullptr ? std::string_view{} : out_->transport();
  }

  /// The actor ends when the news of it arrives.
  void close(close_reason why) {
    if (out_ != nullptr)
      out_->close(why);
  }

  // -- session ----------------------------------------------------------------

  void on(session_closed& x) {
    // Events that the client has not taken are lost.
    if (x.why == close_reason::slow)
      for (const auto& each : places_)
        each.tell_dropped(shared_.acks);
    while (!places_.empty())
      leave(places_.front());
    // Events that the client sent before still go to the site.
    if (inbox_ == nullptr || !inbox_->linger(now()))
      return quit();
    monitor(shared_.site_auth);
    arm();
  }

  void on(session_upgraded&) {
    for (const auto& each : places_)
      if (!each.sid.empty()) // USERS knows it, or is about to.
        caf::anon_send(shared_.users, moved{each.user, each.sid, transport()});
  }

  void take(socket::packet& x) {
    if (x.type == packet_type::connect)
      return on_connect(x);
    auto* to = places_.find(x.nsp);
    if (to != nullptr && x.type == packet_type::disconnect)
      return leave(*to);
    // The official server ends a connection that talks to a namespace it is
    // not in.
    if (to == nullptr || !to->inside() || x.type == packet_type::connect_error)
      return close(close_reason::parse_error);
    if (x.type == packet_type::ack || x.type == packet_type::binary_ack)
      on_ack(*to, x);
    else
      on_event(*to, x);
  }

  // -- CONNECT ----------------------------------------------------------------

  void on_connect(socket::packet& x) {
    if (auto* there = places_.find(x.nsp)) {
      // While the site is asked, a second CONNECT changes nothing; afterwards
      // the official server ends the connection.
      if (there->inside())
        close(close_reason::parse_error);
      return;
    }
    auto i = shared_.namespaces.find(x.nsp);
    if (i == shared_.namespaces.end())
      return refuse(x.nsp, ec::invalid_namespace);
    if (x.data.size() > limits().auth_payload)
      return refuse(x.nsp, ec::auth_too_large);
    if (places_.size() >= limits().namespaces)
      return refuse(x.nsp, ec::too_many_namespaces);
    auto& fresh = places_.add(*this, i->first);
    fresh.ticket = ++last_ticket_;
    auto key = find_key(shared_.keys, *from_, x.data, limits().name_bytes);
    if (key.shown)
      return join_by_key(fresh, key);
    fresh.arriving = std::make_unique<arrival>();
    if (i->second.opts.anonymous && shared_.opts.site.auth_url.empty())
      return attach_to_users(fresh, {});
    fresh.arriving->auth = std::move(x.data);
    ask(fresh);
  }

  /// Asks the site who this is; again if it has changed the user meanwhile, or
  /// had no verdict.
  void ask(place& x) {
    x.at = stage::asking;
    x.arriving->held.reset();
    ++x.arriving->asked;
    caf::anon_send(shared_.site_auth,
                   authenticate{handle(), x.ticket, x.nsp, from_,
                                x.arriving->auth, x.arriving->not_before});
  }

  void on_no_verdict(place& x) {
    auto then = without_verdict(shared_.opts.site, places_.inside());
    if (then == unavailable_policy::refuse)
      return reject(x, ec::unavailable);
    if (then == unavailable_policy::hold) {
      x.hold_from(now(), shared_.count.connects_held);
      return arm();
    }
    ++shared_.count.connects_unavailable;
    close(close_reason::site_unavailable);
  }

  void on(verdict& x) {
    auto* to = places_.find(x.ticket, stage::asking);
    if (to == nullptr || out_ == nullptr)
      return;
    if (x.outcome == ec::unavailable)
      return on_no_verdict(*to);
    auto anonymous = shared_.namespaces.find(to->nsp)->second.opts.anonymous;
    if (x.outcome != ec::none && !(x.outcome == ec::unauthorized && anonymous))
      return reject(*to, x.outcome);
    to->user = std::move(x.user);
    to->arriving->rooms = std::move(x.rooms);
    attach_to_users(*to, std::move(x.info), x.asked);
  }

  void attach_to_users(place& x, std::string info, uint64_t asked = 0) {
    x.at = stage::attaching;
    x.sid = shared_.make_id();
    caf::anon_send(shared_.users, presence_attach{handle(), x.ticket, x.user,
                                                  x.nsp, x.sid, std::move(info),
                                                  transport(), from_->dialect(),
                                                  std::time(nullptr), asked});
  }

  void on(attached& x) {
    auto* to = places_.find(x.ticket, stage::attaching);
    if (to == nullptr || out_ == nullptr)
      return;
    if (x.outcome == ec::verdict_void && to->listens) // no verdict lets it in
      return attach_to_users(*to, {}, std::max(next_stamp(), x.not_before));
    if (x.outcome == ec::verdict_void) {
      to->sid = {};
      to->arriving->not_before = x.not_before;
      return to->arriving->asked < arrival::most ? ask(*to)
                                                 : on_no_verdict(*to);
    }
    auto* local = shared_.namespaces.find(to->nsp)->second.hubs[home().index()];
    if (x.outcome == ec::none && local->open()) {
      ++shared_.count.connects_accepted;
      to->enter(*local, x.losses);
      return accept(*to);
    }
    const auto& nsp = to->nsp;
    auto taken_up = x.outcome == ec::none;
    taken_up ? leave(*to) : forget(*to);
    refuse(nsp, taken_up ? ec::unavailable : x.outcome);
  }

  void accept(const place& x) {
    shared_.decisions->accepted(x.nsp, *from_, x.at == stage::publisher,
                                !x.user.empty());
    send(accept_packet(x.nsp, x.sid));
    arm();
  }

  void refuse(const std::string& nsp, ec why) {
    shared_.decisions->refused(nsp, *from_, why);
    send_refusal(nsp, why);
  }

  /// Refuses a CONNECT whose reason is in the log already.
  void reject(const place& x, ec why) {
    const auto& nsp = x.nsp;
    forget(x);
    send_refusal(nsp, why);
  }

  void send_refusal(const std::string& nsp, ec why) {
    ++refusals(shared_.count, why);
    send(refuse_packet(nsp, why));
    if (++failed_ > limits().failed_connects) {
      ++shared_.count.limit_failed_connects;
      close(close_reason::limit);
    }
  }

  // -- publishers -------------------------------------------------------------

  void join_by_key(place& x, const key_offer& by) {
    if (!may_join(shared_.keys, by, x.nsp)) {
      ++shared_.count.bad_keys;
      shared_.decisions->bad_key(x.nsp, *from_, by.index.has_value());
      return reject(x, ec::unauthorized);
    }
    if (by.listens) {
      x.listen_as(*by.listens);
      return attach_to_users(x, {}, next_stamp());
    }
    x.at = stage::publisher;
    x.key = static_cast<uint32_t>(*by.index);
    x.sid = shared_.make_id();
    accept(x);
  }

  // -- events -----------------------------------------------------------------

  void on_event(place& from, socket::packet& x) {
    // An event without a payload is ignored, as the official server does.
    if (x.data.empty() || from.listens)
      return;
    if (from.at == stage::publisher)
      return events().publish(from, x, now());
    const auto& opts = shared_.namespaces.find(from.nsp)->second.opts;
    if (opts.on_client_event == client_events::refuse) {
      ++shared_.count.client_events_refused;
      if (x.id)
        ack(x.nsp, *x.id, error_args(ec::client_events_refused));
      return;
    }
    ++shared_.count.client_events_forwarded;
    events().forward(from, x, from_, now());
  }

  inbox& events() {
    inbox::owner& me = *this;
    if (inbox_ == nullptr)
      inbox_ = std::make_unique<inbox>(me, shared_);
    return *inbox_;
  }

  void on(published& x) {
    settle([&] { inbox_->on_published(x, now()); });
  }

  void on(event_forwarded& x) {
    settle([&] { inbox_->on_forwarded(x, now()); });
  }

  /// One event less is under way.
  template <class Fun>
  void settle(Fun fun) {
    if (inbox_ == nullptr)
      return;
    fun();
    if (out_ == nullptr && !inbox_->waits())
      quit();
    else if (inbox_->empty())
      inbox_.reset();
  }

  // -- events of the site -----------------------------------------------------

  void on(deliver& x) {
    auto* to = places_.find_receiver(x);
    if (to == nullptr || out_ == nullptr)
      return;
    std::optional<uint64_t> id;
    if (x.confirm != 0) {
      id = to->owe(x.confirm, now() + x.confirm_ms, limits().pending_acks);
      if (id)
        arm();
      else
        ++shared_.count.limit_pending_acks;
    }
    if (out_->send(*x.event, id, x.volatile_)) {
      if (x.receipt)
        x.receipt->took(x.user);
      return;
    }
    if (x.confirm != 0)
      to->tell_dropped(shared_.acks, x.confirm);
  }

  void on_ack(place& from, const socket::packet& x) {
    // Unknown and repeated ids are ignored, as the official server does.
    if (auto confirm = from.settle(x.id))
      caf::anon_send(shared_.acks, confirmed{confirm, from.user});
  }

  void on(change_rooms& x) {
    if (auto* to = places_.find_sid(x.sid))
      to->change_rooms(x);
  }

  void on(disconnect& x) {
    auto* to = places_.find_sid(x.sid);
    if (to == nullptr)
      return;
    send(disconnect_packet(to->nsp));
    // It speaks for the user no more.
    if (inbox_ != nullptr)
      inbox_->drop(&to->nsp);
    leave(*to);
    // A client without a namespace has no business here any more.
    if (places_.empty())
      close(close_reason::kicked);
  }

  /// Leaves a namespace at any stage.
  void leave(place& x) {
    if (x.hub != nullptr)
      x.hub->leave(x);
    if (x.at == stage::attaching || x.at == stage::joined)
      caf::anon_send(shared_.users, presence_detach{x.user, x.sid});
    forget(x);
  }

  void forget(const place& x) {
    places_.remove(x);
    if (alive())
      arm();
  }

  // -- deadlines --------------------------------------------------------------

  /// Sets the timer to the next deadline of all that waits.
  void arm() {
    auto& wheel = home().home().wheel();
    if (places_.inside() || out_ == nullptr)
      lonely_until_ = 0;
    else if (lonely_until_ == 0)
      lonely_until_ = wheel.now() + shared_.opts.engine.connect_timeout.count();
    auto next = lonely_until_;
    for (const auto& each : places_)
      next = each.next_expiry(next);
    auto until = inbox_ == nullptr ? 0 : inbox_->deadline();
    if (until != 0)
      next = next == 0 ? until : std::min(next, until);
    if (next == 0)
      deadline_.cancel();
    else
      deadline_.arm<&connection_impl::on_deadline>(wheel, this,
                                                   next - wheel.now());
  }

  void on_deadline() {
    attempt([this] { look_at_deadlines(); });
  }

  void look_at_deadlines() {
    if (lonely_until_ != 0 && now() >= lonely_until_) {
      ++shared_.count.connect_timeouts;
      return close(close_reason::connect_timeout);
    }
    auto until = inbox_ == nullptr ? 0 : inbox_->deadline();
    if (until != 0 && now() >= until) {
      if (out_ == nullptr) {
        inbox_->drop(nullptr);
        return quit();
      }
      ++shared_.count.limit_inbox_timeout;
      return close(close_reason::limit);
    }
    for (auto& each : places_)
      if (each.expire(now()))
        ask(each);
    arm();
  }

  const connection_context& shared_;
  population population_;
  session::port* out_;
  std::shared_ptr<const session::handshake> from_;
  session::rare_timer deadline_;
  session::time_point lonely_until_ = 0;
  places places_;
  /// Null while every event is handled.
  std::unique_ptr<inbox> inbox_;
  uint64_t last_ticket_ = 0;
  size_t failed_ = 0;
};

bool place::deliver(const codec::shared_event& event, bool volatile_) {
  return owner_.push(event, volatile_);
}

void place::namespace_down() {
  owner_.on_namespace_down(*this);
}

std::pair<connection_actor, session_side*>
spawn_connection(shard& home, const connection_context& shared,
                 session::port& out,
                 std::shared_ptr<const session::handshake> from) {
  return spawn_light<connection_impl, connection_actor>(home, shared, out,
                                                        std::move(from));
}

} // namespace signalbox
