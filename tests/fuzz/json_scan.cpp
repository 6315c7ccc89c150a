#include "transports/codec/json_scan.hpp"

#include "transports/codec/json_text.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdlib>

// Compares with nlohmann::json, which differs on purpose in four points: it
// refuses escaped lone surrogates and numbers beyond double, and it takes a
// byte order mark and, as the end of the text, a NUL byte.

using namespace signalbox::codec;
using nlohmann::json;

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

bool refused_by_choice(std::string_view text) {
  try {
    auto ignored = json::parse(text);
  } catch (const json::out_of_range&) {
    return true;
  } catch (const json::exception& e) {
    return std::string_view{e.what()}.find("surrogate")
           != std::string_view::npos;
  }
  return false;
}

bool is_placeholder(const json& x) {
  return x.is_object() && x.contains("_placeholder")
         && x["_placeholder"] == true;
}

size_t count_placeholders(const json& x) {
  if (is_placeholder(x))
    return 1;
  size_t result = 0;
  if (x.is_structured())
    for (const auto& y : x)
      result += count_placeholders(y);
  return result;
}

void check_placeholder(std::string_view text, const json_placeholder& x) {
  auto value = json::parse(text.substr(x.begin, x.end - x.begin));
  require(is_placeholder(value));
  auto num = value.find("num");
  auto natural =
    num != value.end() && num->is_number_unsigned() && *num < 1000000000;
  require(x.num == (natural ? num->get<int64_t>() : -1));
}

void check_view(std::string_view text, const json_view& view) {
  auto value = json::parse(text);
  require(view.elements.size() == (value.is_array() ? value.size() : 0));
  for (size_t i = 0; i < view.elements.size(); ++i) {
    require(json::parse(view.elements[i]) == value[i]);
    require(kind_of(view.elements[i])
            == scan_json(view.elements[i], {512, 1000000})->kind);
  }
  size_t end = 0;
  for (const auto& x : view.placeholders) {
    require(x.begin >= end);
    end = x.end;
    check_placeholder(text, x);
  }
  // Those in a member whose key comes again are in the text only.
  require(count_placeholders(value) <= view.placeholders.size());
  std::string ascii;
  ascii_json(text, ascii);
  require(json::parse(ascii) == value);
}

void check_quoting(std::string_view text) {
  std::string literal;
  quote_json(text, literal);
  auto value = unquote_json(literal);
  require(json::parse(literal).get<std::string>() == value);
  std::string again;
  quote_json(value, again);
  require(again == literal);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  check_quoting(text);
  auto ours = scan_json(text, {512, 1000000});
  if (ours.error() == errc::json_too_deep)
    return 0;
  auto theirs = json::accept(text);
  if (ours && theirs)
    check_view(text, *ours);
  else if (ours)
    require(refused_by_choice(text));
  else if (theirs)
    require(text.starts_with("\xEF\xBB\xBF")
            || text.find('\0') != std::string_view::npos);
  // Whatever was accepted as a string can be unquoted.
  if (ours && ours->kind == json_kind::string) {
    auto begin = text.find('"');
    auto literal = text.substr(begin, text.rfind('"') - begin + 1);
    auto value = unquote_json(literal);
    require(!theirs || json::parse(text).get<std::string>() == value);
  }
  // The limits that sessions use must hold for any text.
  auto bounded = scan_json(text, {8, 16});
  require(!bounded || ours);
  return 0;
}
