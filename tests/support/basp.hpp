#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// What two nodes say to each other in BASP, as CAF 0.17.6 writes it.

namespace signalbox::test::basp {

/// Returns the lowest bytes of a number, the highest of them first.
inline std::string number(uint64_t x, size_t size) {
  std::string out;
  while (size-- > 0)
    out += static_cast<char>(x >> (8 * size));
  return out;
}

/// Returns a text or list's length in groups of seven bits.
inline std::string length(size_t x) {
  std::string out;
  for (; x > 0x7f; x >>= 7)
    out += static_cast<char>(x | 0x80);
  return out + static_cast<char>(x);
}

inline std::string text(std::string_view x) {
  return length(x.size()).append(x);
}

/// Returns the id of a process, told apart by a letter.
inline std::string id(char name) {
  return number(0x3e9aab9bac79, 8) // "default"
         + number(1000, 4)         // process
         + std::string(20, name);  // machine
}

/// One message: 32 bytes of header and its payload.
inline std::string message(unsigned type, unsigned flags, uint64_t data,
                           uint64_t source, uint64_t target,
                           std::string_view payload) {
  return number(type, 1) + number(0, 2) + number(flags, 1)
         + number(payload.size(), 4) + number(data, 8) + number(source, 8)
         + number(target, 8).append(payload);
}

inline std::string server_handshake(const std::string& from) {
  return message(0, 0, 3, 0, 0,
                 from + length(1) + text("generic-caf-app") // accepts
                   + number(14, 8)                          // gate
                   + length(0));                            // its interface
}

inline std::string client_handshake(const std::string& from) {
  return message(1, 0, 0, 0, 0, from);
}

/// The client has chosen this connection.
inline std::string selection(const std::string& from) {
  return message(1, 2, 0, 0, 0, from);
}

constexpr uint64_t asynchronous = 0x1000000000000000;

/// A value for an actor, from none.
inline std::string direct(uint64_t to, std::string_view type,
                          std::string_view value) {
  return message(2, 0, asynchronous, 0, to,
                 length(0)        // forwarding stack
                   + number(0, 2) // type, by its name
                   + text("@<>+" + std::string{type}).append(value));
}

inline std::string link_open(uint64_t to, std::string_view hello, uint64_t link,
                             const std::string& from) {
  return direct(to, "signalbox::link_open",
                text(hello) + number(link, 8) + from);
}

inline std::string link_batch(uint64_t to, uint64_t session, uint64_t counted,
                              std::string_view items) {
  return direct(to, "signalbox::link_batch",
                number(session, 8) + number(counted, 8) + number(0, 8)
                  + text(items));
}

/// What every broker asks another one.
inline std::string spawn_question() {
  return message(2, 1, asynchronous, 20, 0x3ddd66f3376adfb,
                 length(0) + number(0, 2) + text("@<>+@atom+@atom+@str")
                   + number(0x3f8fb8, 8) // sys
                   + number(0x3ecab9, 8) // get
                   + text("info"));
}

inline std::string monitor(const std::string& from, const std::string& to,
                           uint64_t actor) {
  return message(4, 0, 0, 0, actor, from + to);
}

/// `context` is what comes with the reason, `@<>` by default: nothing.
inline std::string down(const std::string& from, const std::string& to,
                        uint64_t actor, std::string_view context = "\x03@<>") {
  return message(5, 0, 0, actor, 0,
                 from + to + number(4, 1) // code
                   + number(0xfabdbb9, 8) // category "exit"
                   + number(0, 2).append(context));
}

inline std::string heartbeat() {
  return message(6, 0, 0, 0, 0, {});
}

} // namespace signalbox::test::basp
