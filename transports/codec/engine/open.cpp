#include "transports/codec/engine/open.hpp"

#include "transports/codec/json_text.hpp"

namespace signalbox::engine {

void encode_open(const open_info& x, std::string& out) {
  out += R"({"sid":)";
  codec::quote_json(x.sid, out);
  out += R"(,"upgrades":)";
  out += x.upgrade ? R"(["websocket"])" : "[]";
  out += R"(,"pingInterval":)";
  out += std::to_string(x.ping_interval.count());
  out += R"(,"pingTimeout":)";
  out += std::to_string(x.ping_timeout.count());
  out += R"(,"maxPayload":)";
  out += std::to_string(x.max_payload);
  out += '}';
}

} // namespace signalbox::engine
