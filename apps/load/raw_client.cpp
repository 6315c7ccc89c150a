#include "apps/load/raw_client.hpp"

#include "apps/load/options.hpp"

namespace signalbox::load {

void raw_client::start() {
  if (open(common().where))
    send_get(expand(common().path, index()), true);
}

void raw_client::emit(std::string_view packet) {
  send_frame(ws::opcode::text, packet);
}

void raw_client::on_upgraded() {
  observer().on_connected(*this);
}

void raw_client::on_message(ws::opcode, std::string_view data) {
  observer().on_body(*this, data);
}

} // namespace signalbox::load
