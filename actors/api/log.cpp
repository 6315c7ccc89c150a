#include "actors/api/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace signalbox {

namespace {

constexpr size_t longest = 256;

void escape(std::string_view text, std::string& out) {
  static constexpr char digits[] = "0123456789abcdef";
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || c > 0x7E) {
      // Valid in JSON and readable in text.
      out += "\\u00";
      out += digits[c >> 4];
      out += digits[c & 15];
    } else {
      out += static_cast<char>(c);
    }
  }
}

/// The message as a JSON string.
class json_message : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& msg, const std::tm&,
              spdlog::memory_buf_t& dest) override {
    // What `printable` escaped once must not be escaped again by halves, so
    // the whole line is escaped here whatever it holds.
    std::string out{'"'};
    escape({msg.payload.data(), msg.payload.size()}, out);
    out += '"';
    dest.append(out.data(), out.data() + out.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<json_message>();
  }
};

} // namespace

void start_log(const std::string& level, const std::string& format) {
  auto logger = spdlog::stderr_color_mt("signalbox");
  if (format == "json") {
    auto formatter = std::make_unique<spdlog::pattern_formatter>(
      spdlog::pattern_time_type::utc);
    formatter->add_flag<json_message>('*').set_pattern(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%*})");
    logger->set_formatter(std::move(formatter));
  } else {
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%-5l%$ %v");
  }
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

std::string printable(std::string_view text) {
  std::string out;
  escape(text.substr(0, longest), out);
  if (text.size() > longest)
    out += "...";
  return out;
}

} // namespace signalbox
