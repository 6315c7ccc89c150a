#include "actors/api/log.hpp"

#include "transports/log/line_limit.hpp"
#include "transports/log/log_queue.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <iterator>
#include <memory>
#include <mutex>
#include <utility>

namespace signalbox {

namespace {

constexpr size_t longest = 256;

/// Bytes of lines that wait for a slow reader.
constexpr size_t queue_bytes = 1048576;

/// Never destroyed: lines may come, and a signal may ask, until the last moment
/// of the process.
log_queue* queue = nullptr;

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
    // Text that `printable` escaped once must not be escaped again by halves,
    // so the whole line is escaped here.
    std::string out{'"'};
    escape({msg.payload.data(), msg.payload.size()}, out);
    out += '"';
    dest.append(out.data(), out.data() + out.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<json_message>();
  }
};

/// The message as text: one line, in which no text of a stranger moves a
/// cursor.
class text_message : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& msg, const std::tm&,
              spdlog::memory_buf_t& dest) override {
    for (auto c : msg.payload) {
      auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || byte == 0x7F) {
        std::string out;
        escape({&c, 1}, out);
        dest.append(out.data(), out.data() + out.size());
      } else {
        dest.push_back(c);
      }
    }
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<text_message>();
  }
};

/// Renders lines and hands them to the queue.
class queue_sink : public spdlog::sinks::base_sink<std::mutex> {
public:
  explicit queue_sink(bool color) : color_(color) {
    // nop
  }

  /// Returns the line that stands for dropped ones. From any thread.
  std::string tell(uint64_t dropped) {
    auto text = std::to_string(dropped)
                + " log lines were dropped: standard error is read too slowly";
    std::lock_guard guard{this->mutex_};
    return render({"signalbox", spdlog::level::warn, text});
  }

protected:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    queue->push(render(msg));
  }

  void flush_() override {
    queue->drain();
  }

private:
  std::string render(const spdlog::details::log_msg& msg) {
    spdlog::memory_buf_t out;
    formatter_->format(msg, out);
    std::string line{out.data(), out.size()};
    auto from = msg.color_range_start;
    auto to = msg.color_range_end;
    if (color_ && to > from && to <= line.size()) {
      line.insert(to, "\x1b[m");
      line.insert(from, colors[msg.level]);
    }
    return line;
  }

  /// By level.
  static constexpr std::array<const char*, spdlog::level::n_levels> colors{
    "\x1b[37m",        "\x1b[36m",        "\x1b[32m", "\x1b[33m\x1b[1m",
    "\x1b[31m\x1b[1m", "\x1b[31m\x1b[1m", "",
  };

  const bool color_;
};

constexpr int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};

/// What was done about a fault before, such as by a sanitizer.
struct sigaction before[std::size(faults)];

extern "C" void on_fault(int number, siginfo_t* info, void*) {
  queue->drain_in_signal();
  for (size_t i = 0; i < std::size(faults); ++i)
    if (faults[i] == number)
      ::sigaction(number, &before[i], nullptr);
  // A fault of the code comes again by itself, at its place.
  if (info->si_code <= 0)
    ::raise(number);
}

void watch_faults() {
  struct sigaction now {};
  now.sa_sigaction = on_fault;
  now.sa_flags = SA_SIGINFO;
  ::sigemptyset(&now.sa_mask);
  for (size_t i = 0; i < std::size(faults); ++i)
    ::sigaction(faults[i], &now, &before[i]);
}

} // namespace

void start_log(const std::string& level, const std::string& format) {
  auto sink = std::make_shared<queue_sink>(::isatty(STDERR_FILENO) == 1);
  queue = new log_queue(STDERR_FILENO, queue_bytes,
                        [sink](uint64_t n) { return sink->tell(n); });
  watch_faults();
  auto logger = std::make_shared<spdlog::logger>("signalbox", std::move(sink));
  if (format == "json") {
    auto formatter = std::make_unique<spdlog::pattern_formatter>(
      spdlog::pattern_time_type::utc);
    formatter->add_flag<json_message>('*').set_pattern(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%*})");
    logger->set_formatter(std::move(formatter));
  } else {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<text_message>('*').set_pattern(
      "%Y-%m-%dT%H:%M:%S.%e %^%-5l%$ %*");
    logger->set_formatter(std::move(formatter));
  }
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

void end_log() {
  if (queue != nullptr)
    queue->drain();
}

dropped_lines count_dropped_lines() {
  return {queue == nullptr ? 0 : queue->dropped(), lines_left_out()};
}

std::string printable(std::string_view text) {
  std::string out;
  escape(text.substr(0, longest), out);
  if (text.size() > longest)
    out += "...";
  return out;
}

} // namespace signalbox
