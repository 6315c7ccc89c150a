#pragma once

#include <cstdint>
#include <string>

namespace signalbox::load {

/// Raises the limit of open files as far as it goes. Returns what is to be done
/// if that is less than `needed`, empty if it is enough.
std::string raise_file_limit(uint64_t needed);

} // namespace signalbox::load
