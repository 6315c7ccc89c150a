#include "actors/api/connect_report.hpp"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <functional>
#include <sstream>
#include <stdexcept>

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace std::literals;

namespace {

/// Collects what is logged from a level on.
struct recorder {
  explicit recorder(spdlog::level::level_enum level) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(out);
    auto logger = std::make_shared<spdlog::logger>("recorder", sink);
    logger->set_pattern("%l %v");
    logger->set_level(level);
    spdlog::set_default_logger(logger);
  }

  ~recorder() {
    spdlog::set_default_logger(before);
  }

  std::string take() {
    auto text = out.str();
    out.str({});
    return text;
  }

  std::shared_ptr<spdlog::logger> before = spdlog::default_logger();
  std::ostringstream out;
};

session::handshake browser() {
  session::handshake x{"192.0.2.1", "", codec::dialect::eio4};
  x.add("cookie", "session=s3cret; lang=de");
  x.add("origin", "https://www.example");
  return x;
}

std::function<connect_report::answer()> says(std::string forwarded,
                                             std::string said) {
  return [=] { return connect_report::answer{said, forwarded}; };
}

} // namespace

TEST(cookies are shown by their names) {
  CHECK_EQUAL(cookie_names(""), "none");
  CHECK_EQUAL(cookie_names("a=1"), "a");
  CHECK_EQUAL(cookie_names("a=1; b=2=3;c="), "a, b, c");
  CHECK_EQUAL(cookie_names(" ; ;"), "none");
  MESSAGE("what has no name may be a secret all through");
  CHECK_EQUAL(cookie_names("s3cret"), "(without a name)");
  CHECK_EQUAL(cookie_names("=s3cret; a=1"), "(without a name), a");
  MESSAGE("a name moves no cursor");
  CHECK_EQUAL(cookie_names("a\x1b[2Jb=1"), "a\\u001b[2Jb");
  std::string many;
  for (auto i = 0; i < 23; ++i)
    many += "c" + std::to_string(i) + "=1;";
  CHECK(cookie_names(many).ends_with("c19 and 3 more"));
}

TEST(a refusal by the site tells namespace and page and cookies) {
  recorder log{spdlog::level::info};
  connect_report x;
  x.asked("/shop", browser(), ec::unauthorized, says("lang=de", "no"));
  CHECK_EQUAL(log.take(),
              "info CONNECT to \"/shop\" refused: no; "
              "Origin \"https://www.example\"; "
              "cookies that came: session, lang; forwarded: lang\n");
}

TEST(refusals come once a second) {
  recorder log{spdlog::level::info};
  connect_report x;
  for (auto i = 0; i < 3; ++i)
    x.refused("/nope", browser(), ec::invalid_namespace);
  auto text = log.take();
  CHECK_EQUAL(std::count(text.begin(), text.end(), '\n'), 1);
  MESSAGE("words are made for a line only");
  x.asked("/", browser(), ec::unauthorized, []() -> connect_report::answer {
    throw std::logic_error{"asked in vain"};
  });
  CHECK(!connect_report::tells(ec::none));
}

TEST(every decision is told at debug) {
  recorder log{spdlog::level::debug};
  connect_report x;
  for (auto i = 0; i < 3; ++i)
    x.refused("/nope", browser(), ec::invalid_namespace);
  auto text = log.take();
  CHECK_EQUAL(std::count(text.begin(), text.end(), '\n'), 3);
  x.accepted("/", browser(), false, true);
  CHECK_EQUAL(log.take(),
              "debug CONNECT to \"/\" accepted: a user of the site; "
              "Origin \"https://www.example\"\n");
  x.asked("/", browser(), ec::none, says("", "yes"));
  CHECK(log.take().starts_with("debug CONNECT to \"/\" known to the site: "));
}

TEST(no line holds a cookie or a key or a forged line) {
  recorder log{spdlog::level::debug};
  connect_report x;
  auto from = browser();
  x.asked("/a\nb", from, ec::unavailable,
          says("session=s3cret", "why\nforged"));
  x.refused("/a\nb", from, ec::too_many_connections);
  x.bad_key("/a\nb", from, false);
  x.accepted("/a\nb", from, false, false);
  auto text = log.take();
  CHECK_EQUAL(text.find("s3cret"), std::string::npos);
  CHECK_EQUAL(std::count(text.begin(), text.end(), '\n'), 4);
}
