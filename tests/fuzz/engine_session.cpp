#include "transports/session/engine_session.hpp"

#include "tests/unit/transports/session/engine_rig.hpp"

#include <cstdint>
#include <cstdlib>

// The first byte chooses how the session opens, each further line is one thing
// that happens to it: a letter and what it needs. In any order of
// them nothing crashes, the handler hears of the end once, and the session is
// forgotten when all its carriers have left.

using namespace signalbox;
using namespace signalbox::session;

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

class driver {
public:
  explicit driver(uint8_t mode)
    : rig_{[mode](options& x) {
             x.ping_interval = std::chrono::milliseconds{1000};
             x.ping_timeout = std::chrono::milliseconds{500};
             x.outbox_packets = 4;
             x.outbox_bytes = 100;
             x.payload_packets = 8;
             x.raw = (mode & 2) != 0;
           },
           engine::find_revision((mode & 16) != 0 ? codec::dialect::eio3
                                                  : codec::dialect::eio4,
                                 (mode & 32) != 0),
           "EIO=3&key=k"} {
    if ((mode & 4) != 0)
      rig_.then = [this] { rig_.emit("[1]"); };
    else if ((mode & 8) != 0)
      rig_.then = [this] { rig_.session->close(close_reason::kicked); };
    if ((mode & 1) != 0) {
      sockets_.push_back(&rig_.connect());
      rig_.session->open_websocket(*sockets_.back());
    } else {
      rig_.session->open_polling();
    }
  }

  void step(char what, std::string_view with) {
    auto& x = *rig_.session;
    // An id that is forgotten leads no request here any more.
    auto reachable = rig_.forgotten == 0;
    auto polls = reachable && !x.on_socket();
    switch (what) {
    case 'g':
      if (polls)
        rig_.get();
      break;
    case 'l':
      if (rig_.last_poll)
        x.on_poll_lost(rig_.last_poll.get());
      break;
    case 'p':
      if (polls)
        posting_ = x.on_post_begin();
      break;
    case 'q':
      if (std::exchange(posting_, false))
        rig_.give(x, with, with.starts_with('\0') || with.starts_with('\1'));
      break;
    case 'm':
      if (std::exchange(posting_, false))
        x.on_post_lost();
      break;
    case 'n':
      if (std::exchange(posting_, false))
        x.on_post_refused();
      break;
    case 'w':
      if (reachable) {
        sockets_.push_back(&rig_.connect());
        if (!x.on_probe(*sockets_.back()))
          sockets_.back()->finish();
      }
      break;
    case 't':
      if (!sockets_.empty())
        x.on_text(*sockets_.back(), with);
      break;
    case 'b':
      if (!sockets_.empty())
        x.on_binary(*sockets_.back(), with);
      break;
    case 'x':
      if (!sockets_.empty()) {
        x.on_carrier_lost(*sockets_.back(), close_reason::transport_error);
        sockets_.pop_back();
      }
      break;
    case 'r':
      if (!sockets_.empty()) {
        sockets_.back()->reads = !sockets_.back()->reads;
        sockets_.back()->wake();
      }
      break;
    case 'e':
      rig_.emit("[1]", with.starts_with('v'));
      break;
    case 'a':
      x.send({"/", R"([{"_placeholder":true,"num":0}])", {std::string{with}}},
             with.size(), false);
      break;
    case 's': {
      socket::packet y;
      y.data = with;
      x.send(y);
      break;
    }
    case 'c':
      x.close(with.empty() ? close_reason::kicked : close_reason::slow);
      break;
    case 'i':
      for (auto c : with.substr(0, 8))
        rig_.advance(c & 0x7F);
      break;
    default:
      break;
    }
    require(rig_.forgotten == 0 || rig_.closed);
    require(rig_.closed.has_value() == x.closing());
  }

  void finish() {
    for (auto* each : sockets_)
      rig_.session->on_carrier_lost(*each, close_reason::transport_error);
    rig_.session->on_post_lost();
    rig_.advance(rig_.opts.close_timeout.count() + timer_wheel::granularity);
    require(rig_.forgotten > 0);
    require(rig_.ends == 1);
    require(rig_.count.live_polling == 0 && rig_.count.live_websocket == 0);
    require(rig_.session->queue().empty());
  }

private:
  engine_rig rig_;
  std::vector<fake_websocket*> sockets_;
  bool posting_ = false;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  driver x{data[0]};
  std::string_view rest{reinterpret_cast<const char*>(data) + 1, size - 1};
  for (auto steps = 0; !rest.empty() && steps < 200; ++steps) {
    auto end = std::min(rest.find('\n'), rest.size());
    auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.empty())
      x.step(line.front(), line.substr(1));
  }
  x.finish();
  return 0;
}
