#include "transports/codec/json_split.hpp"

#include "transports/codec/json_scan.hpp"
#include "transports/codec/json_text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>

// Whatever the scanner accepts can be taken apart: the pieces are JSON again,
// binary values come back as they were, and a pointer leads to a value.

using namespace signalbox::codec;

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

result<json_view> scan(std::string_view text) {
  return scan_json(text, {130, std::numeric_limits<size_t>::max()});
}

void check_pieces(std::string_view text, const json_view& view) {
  require(split_array(text) == view.elements);
  auto members = split_object(text);
  require(view.kind == json_kind::object || members.empty());
  for (const auto& [name, value] : members) {
    auto key = scan(name);
    require(key && key->kind == json_kind::string);
    require(bool{scan(value)});
    require(find_member(members, unquote_json(name)).has_value());
  }
}

void check_binary(std::string_view text, const json_view& view) {
  std::vector<std::string> attachments;
  auto extracted = extract_binary(text, attachments);
  if (!extracted)
    return;
  auto between = scan(*extracted);
  require(between && between->kind == view.kind);
  auto embedded = embed_binary(*extracted, attachments);
  require(bool{scan(embedded)});
  // Placeholders that were there before are taken for the new ones.
  if (!view.placeholders.empty())
    return;
  require(between->placeholders.size() == attachments.size());
  std::vector<std::string> again;
  auto text_again = extract_binary(embedded, again);
  require(text_again && again == attachments);
  require(attachments.empty() || *text_again == *extracted);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A first line that begins with a slash is a pointer.
  std::string_view text{reinterpret_cast<const char*>(data), size};
  std::string_view pointer;
  if (text.starts_with('/')) {
    auto end = std::min(text.find('\n'), text.size());
    pointer = text.substr(0, end);
    text.remove_prefix(end);
  }
  auto view = scan_json(text, {});
  if (!view)
    return 0;
  check_pieces(text, *view);
  check_binary(text, *view);
  require(bool{scan(embed_binary(text, {"", "bytes"}))});
  if (auto value = resolve_pointer(text, pointer))
    require(bool{scan(*value)});
  return 0;
}
