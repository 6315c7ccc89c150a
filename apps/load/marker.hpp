#pragma once

#include "apps/load/ledger.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// The text of a message: "~sbl", the run in 8 hex digits, the message in 8 hex
// digits, then x up to the wanted size. It needs no escape in JSON.

namespace signalbox::load {

/// Least size of a message's text.
constexpr size_t marker_size = 16;

/// What a text says of itself.
struct marker {
  uint16_t run = 0;
  sequence number = 0;
  /// Whether the text is as long as it was sent, and ends where it should.
  bool whole = false;
};

/// Returns the text of a message.
std::string encode_marker(uint16_t run, sequence number, size_t size);

/// Reads a text of `size` bytes.
std::optional<marker> read_marker(std::string_view text, size_t size);

/// Finds a text of `size` bytes as a JSON string within a packet.
std::optional<marker> find_marker(std::string_view packet, size_t size);

} // namespace signalbox::load
