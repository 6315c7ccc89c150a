#pragma once

#include "transports/codec/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

// Compression through zlib: gzip of poll answers, permessage-deflate (RFC 7692)
// without context take-over, so that nothing is kept per connection, and the
// codings of the site's replies. The first two compress at level 1: the texts
// are short, and each is sent once. Running out of memory is the one exception
// these functions throw.

namespace signalbox::codec {

/// Appends `text` as a gzip stream.
void gzip(std::string_view text, std::string& out);

/// Appends the permessage-deflate form of a message: raw deflate, ended by a
/// sync flush, without the trailing 00 00 FF FF.
void deflate_message(std::string_view message, std::string& out);

/// Undoes `deflate_message`, with any window of the sender; a final block may
/// end the message instead of the flush. Refuses a result over `max_bytes`
/// (`too_large`) while inflating, and malformed input (`bad_frame`).
result<std::string> inflate_message(std::string_view message, size_t max_bytes);

/// Undoes a content coding of HTTP: `gzip` and `deflate`, the latter with and
/// without the header of zlib, as servers send both. Refuses a result over
/// `max_bytes` (`too_large`) while inflating, and input that is malformed, not
/// complete, or goes on behind its end (`bad_frame`).
result<std::string> inflate_content(std::string_view content, size_t max_bytes);

} // namespace signalbox::codec
