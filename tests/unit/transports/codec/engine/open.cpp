#include "transports/codec/engine/open.hpp"

#include "tests/support/check.hpp"

using namespace signalbox::engine;

TEST(the open packet has the keys in the official order) {
  open_info info;
  info.sid = "sWi6VYyHyuhVutroAABO";
  info.upgrade = true;
  auto out = std::string{"0"};
  encode_open(info, out);
  CHECK_EQUAL(out, R"(0{"sid":"sWi6VYyHyuhVutroAABO",)"
                   R"("upgrades":["websocket"],"pingInterval":25000,)"
                   R"("pingTimeout":20000,"maxPayload":1000000})");
}

TEST(a session without upgrade offers none) {
  open_info info;
  info.sid = "x";
  info.ping_interval = std::chrono::milliseconds{400};
  info.ping_timeout = std::chrono::milliseconds{300};
  info.max_payload = 5;
  std::string out;
  encode_open(info, out);
  CHECK_EQUAL(out, R"({"sid":"x","upgrades":[],"pingInterval":400,)"
                   R"("pingTimeout":300,"maxPayload":5})");
}
