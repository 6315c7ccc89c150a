#include "transports/codec/header_lines.hpp"

#include <algorithm>
#include <cctype>

namespace signalbox::codec {

namespace {

/// Returns where the header ends, behind its empty line.
size_t end_of_header(std::string_view text) noexcept {
  for (auto at = text.find('\n'); at != text.npos;
       at = text.find('\n', at + 1)) {
    auto rest = text.substr(at + 1);
    if (rest.starts_with('\n'))
      return at + 2;
    if (rest.starts_with("\r\n"))
      return at + 3;
  }
  return text.npos;
}

bool starts_like(std::string_view line, std::string_view name) noexcept {
  return line.size() >= name.size()
         && std::equal(
           name.begin(), name.end(), line.begin(), [](char x, char y) {
             return x == std::tolower(static_cast<unsigned char>(y));
           });
}

} // namespace

void mend_header(std::string& in, size_t most) {
  if (!in.starts_with("GET "))
    return;
  auto end = end_of_header(std::string_view{in}.substr(0, most));
  if (end == std::string::npos)
    return;
  std::string out;
  for (auto rest = std::string_view{in}.substr(0, end); !rest.empty();) {
    auto stop = rest.find('\n');
    auto line = rest.substr(0, stop);
    rest.remove_prefix(stop + 1);
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    // Where a body may follow, a parser that reads line ends differently sees
    // another request.
    if (starts_like(line, "content-length")
        || starts_like(line, "transfer-encoding"))
      return;
    out.append(line).append("\r\n");
  }
  in.replace(0, end, out);
}

bool has_plain_lines(std::string_view header) noexcept {
  for (auto at = header.find('\n'); at != header.npos;
       at = header.find('\n', at + 1))
    if (at == 0 || header[at - 1] != '\r'
        || (at + 1 < header.size()
            && (header[at + 1] == ' ' || header[at + 1] == '\t')))
      return false;
  return true;
}

bool has_header_end(std::string_view text) noexcept {
  return end_of_header(text) != text.npos;
}

} // namespace signalbox::codec
