#include "transports/net/header_list.hpp"

#include <string>
#include <vector>

#include "tests/support/check.hpp"

using namespace signalbox::net;

namespace {

using strings = std::vector<std::string>;

http_request
with(std::vector<std::pair<std::string_view, std::string_view>> x) {
  http_request out;
  out.headers = std::move(x);
  return out;
}

} // namespace

TEST(all lines of a header are one list) {
  auto x = with({{"Connection", "keep-alive"},
                 {"Other", "x"},
                 {"connection", " Upgrade , b"}});
  auto all = list_elements(x, "connection");
  CHECK_EQUAL((strings{all.begin(), all.end()}),
              (strings{"keep-alive", "Upgrade", "b"}));
  CHECK(lists(x, "connection", "upgrade"));
  CHECK(lists(x, "connection", "keep-alive"));
  CHECK(!lists(x, "connection", "grade"));
  CHECK(!lists(x, "upgrade", "x"));
  CHECK_EQUAL(joined(x, "connection"), "keep-alive,  Upgrade , b");
}

TEST(a comma in quotes separates nothing) {
  auto x = with({{"a", "\"x, \\\" y\", z;q=\"1,2\""}});
  auto all = list_elements(x, "a");
  CHECK_EQUAL((strings{all.begin(), all.end()}),
              (strings{"\"x, \\\" y\"", "z;q=\"1,2\""}));
}

TEST(lines of Cookie are joined by semicolons) {
  auto x = with({{"Cookie", "a=1; b=2"}, {"cookie", "c=3"}});
  CHECK_EQUAL(joined(x, "cookie"), "a=1; b=2; c=3");
}

TEST(of what is no list the first line counts or none) {
  auto x = with({{"Authorization", "a"}, {"Authorization", "b"}, {"Key", "k"}});
  CHECK_EQUAL(joined(x, "authorization"), "a");
  CHECK_EQUAL(single(x, "authorization"), "");
  CHECK_EQUAL(single(x, "key"), "k");
  CHECK_EQUAL(single(x, "none"), "");
}

TEST(a coding is taken unless its quality is zero) {
  auto takes = [](std::vector<std::string_view> lines) {
    http_request x;
    for (auto each : lines)
      x.headers.emplace_back("Accept-Encoding", each);
    return takes_coding(x, "gzip");
  };
  CHECK(takes({"gzip"}));
  CHECK(takes({"br, GZIP;q=0.5"}));
  CHECK(takes({"br", "gzip"}));
  CHECK(takes({"*"}));
  CHECK(takes({"gzip; q=0.001, *;q=0"}));
  CHECK(!takes({"gzip;q=0"}));
  CHECK(!takes({"gzip ; Q=0.000", "*"}));
  CHECK(!takes({"br, *;q=0.0"}));
  CHECK(!takes({"xgzip"}));
  CHECK(!takes({}));
}
