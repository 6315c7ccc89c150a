#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace signalbox::app {

/// Returns the name that was most likely meant by `typed`, or an empty string
/// if none is close: the one that takes the fewest edits, otherwise one with
/// the same last component.
std::string nearest(std::string_view typed,
                    const std::vector<std::string>& names);

} // namespace signalbox::app
