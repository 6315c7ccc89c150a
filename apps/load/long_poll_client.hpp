#pragma once

#include "apps/load/client.hpp"
#include "apps/load/http.hpp"

#include <span>
#include <string>
#include <string_view>

// Long-polling as nchan has it: a GET waits for the next message, whose
// Last-Modified and Etag tell in the GET after it where to go on.

namespace signalbox::load {

/// A client that gets each message as the answer to a GET.
class long_poll_client : public client {
public:
  using client::client;

  void start() override;

  void emit(std::string_view packet) override;

protected:
  void on_established() override;

  void on_bytes(std::span<char> bytes) override;

private:
  void send_get();

  // Header lines that name the last message.
  std::string place_;
  http_reader http_;
};

} // namespace signalbox::load
