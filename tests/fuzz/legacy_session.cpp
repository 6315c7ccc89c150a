#include "transports/session/legacy_session.hpp"

#include "tests/unit/transports/session/legacy_rig.hpp"

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
             x.main_namespace = (mode & 1) == 0;
           },
           (mode & 2) != 0, "key=k"} {
    rig_.greet();
  }

  void step(char what, std::string_view with) {
    auto& x = *rig_.session;
    // An id that is forgotten leads no request here any more.
    auto reachable = rig_.forgotten == 0;
    switch (what) {
    case 'y':
      rig_.accept(with.empty() ? "/" : std::string{with});
      break;
    case 'n':
      rig_.refuse("/", std::string{with});
      break;
    case 'N':
      rig_.refuse("/ns", std::string{with});
      break;
    case 'h':
      x.on_greeting_lost(rig_.last_greeting.get());
      break;
    case 'g':
      if (reachable)
        rig_.get(with.empty() ? "xhr-polling" : "jsonp-polling");
      break;
    case 'l':
      if (rig_.last_poll)
        x.on_poll_lost(rig_.last_poll.get());
      break;
    case 'p':
      if (reachable)
        rig_.give(x, with, false);
      break;
    case 'd':
      if (reachable)
        x.on_disconnect();
      break;
    case 'w':
      if (reachable)
        rig_.connect(with.empty() ? "websocket" : "htmlfile");
      break;
    case 't':
      if (!rig_.sockets.empty())
        x.on_text(*rig_.sockets.back(), with);
      break;
    case 'b':
      if (!rig_.sockets.empty())
        x.on_binary(*rig_.sockets.back(), with);
      break;
    case 'x':
      if (!rig_.sockets.empty())
        x.on_carrier_lost(*rig_.sockets.back(), close_reason::transport_error);
      break;
    case 'r':
      if (!rig_.sockets.empty()) {
        rig_.sockets.back()->reads = !rig_.sockets.back()->reads;
        rig_.sockets.back()->wake();
      }
      break;
    case 'e':
      rig_.emit(R"(["ev",1])", with.starts_with('v'));
      break;
    case 's':
      rig_.answer(static_cast<socket::packet_type>(with.size() % 7), "/ns",
                  "[1]", with.size());
      break;
    case 'k':
      rig_.answer(socket::packet_type::disconnect, "/");
      break;
    case 'c':
      x.close(with.empty() ? close_reason::shutdown : close_reason::slow);
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
    for (auto& each : rig_.sockets)
      rig_.session->on_carrier_lost(*each, close_reason::transport_error);
    if (rig_.last_poll)
      rig_.session->on_poll_lost(rig_.last_poll.get());
    rig_.advance(2 * rig_.opts.close_timeout.count());
    require(rig_.forgotten > 0);
    require(rig_.ends == 1);
    require(rig_.count.live_polling == 0 && rig_.count.live_websocket == 0);
    require(rig_.session->queue().empty());
  }

private:
  legacy_rig rig_;
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
