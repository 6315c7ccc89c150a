#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace signalbox::codec {

/// Gives the header of a GET without a body, with which `in` begins, the line
/// ends that HTTP asks for, as soon as it is complete: publishers of old end
/// lines, and the header itself, with a bare LF. Everything behind the header
/// stays as it is, and so does whatever is no such header within the first
/// `most` bytes.
void mend_header(std::string& in, size_t most);

/// Returns whether every line of a header ends with CR LF and none is folded.
/// Parsers unfold lines, and one that takes a bare LF for an end sees other
/// requests.
bool has_plain_lines(std::string_view header) noexcept;

/// Returns whether a header ends within `text`, by any form of line ends.
bool has_header_end(std::string_view text) noexcept;

} // namespace signalbox::codec
