#pragma once

#include "transports/codec/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Checks JSON text without building a tree. Texts of browsers and of the site
// are relayed as the bytes that came, so numbers, key order and lone surrogate
// escapes stay as they were; all the router needs is that the text is valid,
// where its top-level elements lie, and where attachments are referenced.

namespace signalbox::codec {

/// Bounds what one JSON text may cost.
struct json_limits {
  /// Deepest nesting of arrays and objects.
  size_t depth = 128;
  /// Most values (array elements and object members) in one text.
  size_t nodes = 100000;
};

/// Names the type of a JSON value.
enum class json_kind : uint8_t {
  null,
  boolean,
  number,
  string,
  array,
  object,
};

/// An object `{"_placeholder":true,"num":n}` that stands for an attachment.
struct json_placeholder {
  /// Offset of its first byte in the scanned text.
  size_t begin = 0;
  /// Offset behind its last byte.
  size_t end = 0;
  /// The number, or -1 if it is missing or not a non-negative integer.
  int64_t num = -1;
};

/// What a scan of one text found.
struct json_view {
  /// Type of the whole value.
  json_kind kind = json_kind::null;
  /// The elements of a top-level array, without surrounding blanks; views into
  /// the scanned text. Empty for other types.
  std::vector<std::string_view> elements;
  /// Placeholders anywhere in the text, in text order, outermost only.
  std::vector<json_placeholder> placeholders;
};

/// Scans one complete JSON text (RFC 8259); blanks around the value are
/// allowed, a byte order mark is not. Strings must be valid UTF-8; an escape
/// of a lone surrogate passes.
result<json_view> scan_json(std::string_view text, const json_limits& limits);

/// Returns the type of a JSON element that `scan_json` delivered.
json_kind kind_of(std::string_view element) noexcept;

} // namespace signalbox::codec
