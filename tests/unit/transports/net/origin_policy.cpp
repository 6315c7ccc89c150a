#include "transports/net/origin_policy.hpp"

#include "tests/support/check.hpp"

using namespace signalbox::net;

namespace {

using verdict = origin_policy::verdict;
using lines = std::vector<std::pair<std::string_view, std::string_view>>;

const origin_policy policy{{"https://shop.example"}, false};

http_request request(lines headers) {
  http_request x;
  x.headers = std::move(headers);
  x.host = "push.example";
  x.secure = true;
  return x;
}

verdict judge(lines headers) {
  return policy.judge(request(std::move(headers)));
}

} // namespace

TEST(what a browser says of the page is read over all lines) {
  auto site = [](lines headers) {
    return fetch_site_of(request(std::move(headers)));
  };
  CHECK(site({}) == fetch_site::unsaid);
  CHECK(site({{"Sec-Fetch-Site", ""}}) == fetch_site::unsaid);
  CHECK(site({{"Sec-Fetch-Site", "elsewhere"}}) == fetch_site::unsaid);
  CHECK(site({{"Sec-Fetch-Site", "none"}}) == fetch_site::none);
  CHECK(site({{"sec-fetch-site", " Same-Origin "}}) == fetch_site::same_origin);
  CHECK(site({{"Sec-Fetch-Site", "cross-site;x=1"}}) == fetch_site::cross_site);
  CHECK(
    site({{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "cross-site"}})
    == fetch_site::cross_site);
  CHECK(site({{"Sec-Fetch-Site", "cross-site, none"}})
        == fetch_site::cross_site);
  CHECK(site({{"Sec-Fetch-Site", "same-site, rubbish"}})
        == fetch_site::same_site);
}

TEST(a page of another site needs an admitted Origin) {
  CHECK(judge({{"Sec-Fetch-Site", "cross-site"}}) == verdict::hidden);
  CHECK(judge({{"Sec-Fetch-Site", "cross-site"},
               {"Referer", "https://shop.example/"}})
        == verdict::hidden);
  CHECK(judge({{"Sec-Fetch-Site", "cross-site"},
               {"Origin", "https://shop.example"}})
        == verdict::admitted);
  CHECK(judge({{"Sec-Fetch-Site", "cross-site"},
               {"Origin", "https://evil.example"}})
        == verdict::foreign);
}

TEST(a page of the same site needs an admitted Origin or Referer) {
  CHECK(judge({{"Sec-Fetch-Site", "same-site"}}) == verdict::hidden);
  CHECK(judge({{"Sec-Fetch-Site", "same-site"},
               {"Referer", "https://evil.example/a"}})
        == verdict::hidden);
  CHECK(judge({{"Sec-Fetch-Site", "same-site"},
               {"Referer", "https://shop.example/a"}})
        == verdict::admitted);
  CHECK(
    judge({{"Sec-Fetch-Site", "same-site"}, {"Origin", "https://shop.example"}})
    == verdict::admitted);
}

TEST(without an Origin other requests go on) {
  for (auto word : {"none", "same-origin", "rubbish", ""})
    CHECK(judge({{"Sec-Fetch-Site", word}}) == verdict::admitted);
  CHECK(judge({}) == verdict::admitted);
  CHECK(judge({{"Origin", ""}}) == verdict::foreign);
  origin_policy strict{{}, true};
  CHECK(strict.judge(request({})) == verdict::unnamed);
}

TEST(a script tag is judged by its Referer alone) {
  auto script = [](lines headers) {
    return policy.judge_script(request(std::move(headers)));
  };
  CHECK(script({}) == verdict::unnamed);
  CHECK(script({{"Sec-Fetch-Site", "cross-site"},
                {"Referer", "https://shop.example/"}})
        == verdict::admitted);
  CHECK(script({{"Referer", "https://evil.example/"}}) == verdict::foreign);
}

TEST(the port that a proxy reports may belong to the host) {
  auto x = request({{"Origin", "https://push.example:8443"}});
  CHECK(!policy.admits(x));
  x.port = "8443";
  CHECK(policy.admits(x));
  x.headers = {{"Origin", "https://push.example"}};
  CHECK(policy.admits(x));
}
