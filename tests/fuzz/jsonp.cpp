#include "transports/codec/jsonp.hpp"

#include "transports/codec/dialect.hpp"
#include "transports/codec/json_scan.hpp"
#include "transports/codec/json_text.hpp"
#include "transports/codec/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

// Whatever a page asks for or a payload holds, nothing gets out of the script,
// and what gets through a form is the text that was put in.

using namespace signalbox;

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

void check_index(std::string_view input) {
  auto index = codec::script_index(input);
  require(!index
          || (!index->empty() && index->size() <= 10
              && index->find_first_not_of("0123456789") == index->npos));
}

void check_script(std::string_view input) {
  std::string literal;
  codec::quote_script(input, literal);
  require(literal.find("</") == literal.npos);
  require(literal.find("<!") == literal.npos);
  require(literal.find("\xE2\x80\xA8") == literal.npos);
  require(literal.find('\n') == literal.npos);
  auto json = codec::scan_json(literal, {1, 1});
  require(json && json->kind == codec::json_kind::string);
  if (codec::valid_utf8(input))
    require(codec::unquote_json(literal) == input);
}

// What clients do before they put a payload into a form.
std::string escape(std::string_view text) {
  std::string twice;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("\\n"))
      twice += '\\';
    twice += text[i];
  }
  std::string out;
  for (auto c : twice)
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input{reinterpret_cast<const char*>(data), size};
  check_index(input);
  check_script(input);
  // A line end behind a backslash cannot be told from an escaped one; JSON has
  // neither.
  std::string plain{input};
  std::erase(plain, '\n');
  require(codec::restore_newlines(escape(plain)) == plain);
  codec::form_data(input);
  auto json = codec::query_json(input, input);
  require(json.empty() || codec::scan_json(json, {2, 100000}));
  codec::parse_legacy_path(input);
  return 0;
}
