#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Takes JSON text apart that `scan_json` has accepted, without building a tree.

namespace signalbox::codec {

/// A member of an object: its name as a JSON literal, and its value.
using json_member = std::pair<std::string_view, std::string_view>;

/// Finds the comma separated pieces between brackets.
class piece_reader {
public:
  /// `open` is the bracket with which `text` must begin.
  piece_reader(std::string_view text, char open) noexcept;

  /// Takes the next piece; `colon` tells where its first colon stands, npos
  /// without one. Returns false if there is none.
  bool next(std::string_view& piece, size_t& colon) noexcept;

private:
  std::string_view text_;
  size_t begin_ = 1;
};

/// Goes through the members of an object, in text order. Other values have
/// none.
class object_reader {
public:
  explicit object_reader(std::string_view text) noexcept : pieces_(text, '{') {
    // nop
  }

  /// Takes the next member. Returns false if there is none.
  bool next(json_member& out) noexcept;

private:
  piece_reader pieces_;
};

/// Goes through the elements of an array. Other values have none.
class array_reader {
public:
  explicit array_reader(std::string_view text) noexcept : pieces_(text, '[') {
    // nop
  }

  /// Takes the next element. Returns false if there is none.
  bool next(std::string_view& out) noexcept;

private:
  piece_reader pieces_;
};

/// Returns the members of an object, in text order; empty for other values.
std::vector<json_member> split_object(std::string_view text);

/// Returns the elements of an array; empty for other values.
std::vector<std::string_view> split_array(std::string_view text);

/// Returns the value of a string literal without a copy, if it has no escapes:
/// a view into it, or into `out` if it has.
std::string_view unquote_json(std::string_view literal, std::string& out);

/// Returns the last member of this name, as JavaScript would.
std::optional<std::string_view>
find_member(const std::vector<json_member>& members, std::string_view name);

/// Returns the value an RFC 6901 pointer names; the empty pointer names the
/// whole text.
std::optional<std::string_view> resolve_pointer(std::string_view text,
                                                std::string_view pointer);

/// Replaces every `{"$base64":"..."}` by a placeholder and collects the bytes.
/// Returns nothing if one of them is no base64.
std::optional<std::string>
extract_binary(std::string_view text, std::vector<std::string>& attachments);

/// The same without a copy of what has no binary value.
std::optional<std::string>
extract_binary(std::string&& text, std::vector<std::string>& attachments);

/// Returns about how many bytes `embed_binary` adds: an attachment counts for
/// each placeholder that names it.
size_t embedded_size(std::string_view text,
                     const std::vector<std::string>& attachments);

/// The reverse: replaces placeholders by `{"$base64":"..."}`.
std::string embed_binary(std::string_view text,
                         const std::vector<std::string>& attachments);

} // namespace signalbox::codec
