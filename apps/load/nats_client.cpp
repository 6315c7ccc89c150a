#include "apps/load/nats_client.hpp"

#include "apps/load/options.hpp"

#include <charconv>

namespace signalbox::load {

namespace {

constexpr std::string_view line_end = "\r\n";

// Returns the length that a MSG line ends with, or npos.
size_t body_length(std::string_view line) {
  auto digits = line.substr(line.rfind(' ') + 1);
  size_t result = 0;
  const auto* end = digits.data() + digits.size();
  auto [stop, ec] = std::from_chars(digits.data(), end, result);
  return ec == std::errc{} && stop == end ? result : std::string_view::npos;
}

} // namespace

void nats_client::start() {
  if (open(common().where))
    send_get(common().path, true);
}

void nats_client::emit(std::string_view packet) {
  send_frame(ws::opcode::binary, packet);
}

void nats_client::on_upgraded() {
  // The server speaks first.
}

void nats_client::on_message(ws::opcode, std::string_view data) {
  if (unfinished_.empty()) {
    unfinished_ = data.substr(take(data));
    return;
  }
  unfinished_ += data;
  unfinished_.erase(0, take(unfinished_));
}

size_t nats_client::take(std::string_view text) {
  size_t taken = 0;
  while (!ended()) {
    auto rest = text.substr(taken);
    auto end = rest.find(line_end);
    if (end == std::string_view::npos)
      break;
    auto line = rest.substr(0, end);
    auto size = end + line_end.size();
    if (line.starts_with("MSG ")) {
      auto length = body_length(line);
      if (length == std::string_view::npos) {
        fail("the server sent a MSG without a length");
        break;
      }
      auto start = size;
      size += length + line_end.size();
      if (rest.size() < size)
        break;
      observer().on_body(*this, rest.substr(start, length));
    } else {
      take_line(line);
    }
    taken += size;
  }
  return taken;
}

void nats_client::take_line(std::string_view line) {
  if (line.starts_with("INFO ")) {
    std::string out = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";
    if (!common().subject.empty())
      out += "SUB " + expand(common().subject, index()) + " 1\r\n";
    emit(out + "PING\r\n");
  } else if (line == "PONG") {
    observer().on_connected(*this);
  } else if (line == "PING") {
    emit("PONG\r\n");
  } else if (line != "+OK") {
    fail("the server said: " + std::string{line.substr(0, 300)});
  }
}

void append_nats_message(std::string_view subject, std::string_view body,
                         std::string& out) {
  out += "PUB ";
  out += subject;
  out += ' ';
  out += std::to_string(body.size());
  out += line_end;
  out += body;
  out += line_end;
}

} // namespace signalbox::load
