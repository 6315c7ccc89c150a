#pragma once

#include "actors/shard/shard.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/default_attachable.hpp>
#include <caf/error.hpp>
#include <caf/make_actor.hpp>
#include <caf/monitorable_actor.hpp>
#include <caf/system_messages.hpp>
#include <caf/type_nr.hpp>

#include <exception>
#include <typeinfo>
#include <utility>

namespace signalbox {

/// An actor that costs 200 bytes instead of 1,200: a full CAF actor with
/// handle, monitors and links, whose messages wait in its shard's queue. It
/// always runs on that shard, so actors of one shard may call each other
/// directly.
class light_actor : public caf::monitorable_actor {
public:
  light_actor(caf::actor_config& cfg, shard& home)
    : caf::monitorable_actor(cfg), home_(home) {
    // nop
  }

  using caf::abstract_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr what,
               caf::execution_unit* from) override;

  /// Handles one message; called by the shard.
  void handle(caf::mailbox_element& x);

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override;
  void on_destroy() override;

  shard& home() const noexcept {
    return home_;
  }

  /// Has `on_down` called when another actor ends, or soon if it has already.
  template <class Handle>
  void monitor(const Handle& x) {
    auto* other = caf::actor_cast<caf::abstract_actor*>(x);
    other->attach(
      caf::default_attachable::make_monitor(other->address(), address()));
  }

  /// Ends the actor. Nothing is received after that.
  void quit(caf::error reason = {});

  /// Does something on behalf of the actor that no message has set off: a
  /// deadline, an answer from the network. What it throws ends the actor, as it
  /// does within a message.
  template <class F>
  void attempt(F&& fun) {
    try {
      fun();
    } catch (const std::exception& e) {
      fail(e);
    }
  }

  /// The same within a call of another actor, which must not see this one end:
  /// that follows.
  template <class F>
  void attempt_later(F&& fun) {
    try {
      fun();
    } catch (const std::exception& e) {
      fail_later(e);
    }
  }

  /// Ends the actor for what it threw, now or with a message.
  void fail_later(const std::exception& what);
  void fail(const std::exception& what) noexcept;

  bool alive() const noexcept {
    return !getf(is_terminated_flag);
  }

protected:
  /// Handles a message that is no system message.
  virtual void receive(caf::mailbox_element& x) = 0;

  /// A monitored actor ended.
  virtual void on_down(const caf::down_msg&) {
    // nop
  }

  /// The actor ends; on its own shard. Lets go of handles, tells partners.
  virtual void on_end(const caf::error&) {
    // nop
  }

  /// Reports an unexpected message.
  void unexpected(const caf::mailbox_element& x) const;

private:
  shard& home_;
};

/// Offers a message to handlers, one per message type:
/// `dispatch<attach, detach>(x, handler)` calls `handler(attach&)` or
/// `handler(detach&)`. Returns whether the message was of one of the types.
template <class... Ts, class F>
bool dispatch(caf::mailbox_element& x, F&& handler) {
  auto& content = x.content();
  if (content.size() != 1)
    return false;
  // Asked once, not anew for every type as CAF's own matching does. Only types
  // of CAF's have a number.
  const auto [number, type] = content.type(0);
  auto is = [number = number, type = type]<class T>(T*) {
    if constexpr (caf::type_nr<T>::value != 0)
      return number == caf::type_nr<T>::value;
    else
      return type != nullptr && *type == typeid(T);
  };
  auto one = [&]<class T>(T* tag) {
    if (!is(tag))
      return false;
    handler(content.template get_mutable_as<T>(0));
    return true;
  };
  return (one(static_cast<Ts*>(nullptr)) || ...);
}

/// Makes a timer that calls a member function of an actor, by `attempt`.
template <auto Fun, class T>
session::timer make_actor_timer(T* owner) {
  return session::timer{[](void* x) {
                          auto* self = static_cast<T*>(x);
                          self->attempt([self] { (self->*Fun)(); });
                        },
                        owner};
}

/// Answers a request.
template <class T>
void respond(light_actor& self, const caf::mailbox_element& x, T answer) {
  if (x.sender && x.mid.is_request())
    x.sender->get()->eq_impl(x.mid.response_id(), self.ctrl(), &self.home(),
                             std::move(answer));
}

/// Spawns a light actor `T` on a shard. `Handle` is its typed handle.
template <class T, class Handle, class... Ts>
std::pair<Handle, T*> spawn_light(shard& home, Ts&&... xs) {
  auto& sys = home.system();
  caf::actor_config cfg{&home};
  auto ptr = caf::make_actor<T, caf::strong_actor_ptr>(
    sys.next_actor_id(), sys.node(), &sys, cfg, home, std::forward<Ts>(xs)...);
  auto* self = static_cast<T*>(ptr->get());
  self->register_at_system();
  return {caf::actor_cast<Handle>(ptr), self};
}

} // namespace signalbox
