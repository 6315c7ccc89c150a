#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Takes JSON text apart that `scan_json` has accepted, without building a tree.

namespace signalbox::codec {

/// A member of an object: its name as a JSON literal, and its value.
using json_member = std::pair<std::string_view, std::string_view>;

/// Returns the members of an object, in text order; empty for other values.
std::vector<json_member> split_object(std::string_view text);

/// Returns the elements of an array; empty for other values.
std::vector<std::string_view> split_array(std::string_view text);

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

/// The reverse: replaces placeholders by `{"$base64":"..."}`.
std::string embed_binary(std::string_view text,
                         const std::vector<std::string>& attachments);

} // namespace signalbox::codec
