#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// How settings spell durations ("25s") and sizes ("64KiB").

namespace signalbox::app {

/// Reads digits only. Returns nothing for anything else, and the largest
/// value for a number beyond it, so that the caller can tell "no number" from
/// "out of range".
std::optional<uint64_t> parse_count(std::string_view text);

/// Reads a whole number with `ms`, `s`, `m` or `h`. Returns nothing for
/// anything else, and the longest duration for one beyond it.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Returns `x` in the largest unit that needs no fraction.
std::string print_duration(std::chrono::milliseconds x);

/// Reads a whole number of bytes, or one with `B`, `KiB`, `MiB` or `GiB`.
/// Returns nothing for anything else, and the largest value for one beyond it.
std::optional<uint64_t> parse_size(std::string_view text);

/// Returns `x` in the largest unit that needs no fraction.
std::string print_size(uint64_t x);

} // namespace signalbox::app
