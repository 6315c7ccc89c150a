#include "transports/codec/uri.hpp"

#include <string>
#include <string_view>

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace std::literals;

namespace {

// Returns `scheme host port target`, or the error.
std::string url_of(std::string_view text) {
  auto got = codec::parse_url(text);
  if (!got)
    return to_string(got.error());
  return got->scheme + " " + got->host + " " + std::to_string(got->port) + " "
         + got->target;
}

std::string origin_of(std::string_view text) {
  auto got = codec::parse_origin(text);
  if (!got)
    return to_string(got.error());
  return got->scheme + " " + got->host + " " + std::to_string(got->port);
}

// Returns whether the entry of an allow-list admits a request with this header.
bool admits(std::string_view entry, std::string_view header) {
  auto pattern = codec::origin_pattern::parse(entry);
  auto origin = codec::parse_origin(header);
  return pattern && origin && pattern->matches(*origin);
}

bool is_entry(std::string_view text) {
  return static_cast<bool>(codec::origin_pattern::parse(text));
}

// Returns `name=value;` for each pair.
std::string query_of(std::string_view query) {
  std::string out;
  for (const auto& [name, value] : codec::parse_query(query))
    out += name + "=" + value + ";";
  return out;
}

} // namespace

TEST(a URL has scheme and host and port and target) {
  CHECK_EQUAL(url_of("http://site.example/auth?x=1"),
              "http site.example 80 /auth?x=1");
  CHECK_EQUAL(url_of("https://site.example"), "https site.example 443 /");
  CHECK_EQUAL(url_of("https://site.example?x=/"),
              "https site.example 443 /?x=/");
  CHECK_EQUAL(url_of("HTTP://Site.Example:8080/A%20b"),
              "http site.example 8080 /A%20b");
  CHECK_EQUAL(url_of("http://127.0.0.1:1/"), "http 127.0.0.1 1 /");
  CHECK_EQUAL(url_of("http://[::1]/x"), "http ::1 80 /x");
  CHECK_EQUAL(url_of("http://[2001:DB8::7]:65535"), "http 2001:db8::7 65535 /");
  CHECK_EQUAL(url_of("http://site_auth/@"), "http site_auth 80 /@");
}

TEST(other URLs are refused) {
  for (auto text : {
         ""sv,
         "site.example"sv,
         "//site.example/"sv,
         "http:site.example"sv,
         "http:/site.example/"sv,
         "ftp://site.example/"sv,
         "http://"sv,
         "http:///x"sv,
         "http://:80/"sv,
         "file:///etc/passwd"sv,
         " http://site.example/"sv,
         "http://site.example/ "sv,
         // user info
         "http://user@site.example/"sv,
         "http://user:pw@site.example/"sv,
         // ports
         "http://site.example:/"sv,
         "http://site.example:0/"sv,
         "http://site.example:080/"sv,
         "http://site.example:65536/"sv,
         "http://site.example:100000/"sv,
         "http://site.example:8o/"sv,
         "http://site.example:-1/"sv,
         // hosts
         "http://.example/"sv,
         "http://a..b/"sv,
         "http://."sv,
         "http://a b/"sv,
         "http://a%2eb/"sv,
         "http://b\xC3\xBC/"sv,
         "http://a\\b/"sv,
         "http://*.example/"sv,
         // IPv6
         "http://::1/"sv,
         "http://[::1/"sv,
         "http://[]/"sv,
         "http://[::1]x/"sv,
         "http://[:::]/"sv,
         "http://[1::2::3]/"sv,
         "http://[1:2:3:4:5:6:7]/"sv,
         "http://[1:2:3:4:5:6:7:8:9]/"sv,
         "http://[1:2:3:4:5:6:7::8]/"sv,
         "http://[12345::]/"sv,
         "http://[::g]/"sv,
         "http://[fe80::1%25eth0]/"sv,
         "http://[::1.2.3.4]/"sv,
         "http://[1:2:3:4:5:6:7:8:]/"sv,
         // bytes
         "http://site.example/\r\nHost: x"sv,
         "http://site.example/\0"sv,
         "http://site.example/a b"sv,
         "http://site.example/\x7F"sv,
         "http://site.example/\xC3\xBC"sv,
         "http://site.example/#top"sv,
       }) {
    MESSAGE(text);
    CHECK_EQUAL(url_of(text), "bad_url");
  }
  CHECK_EQUAL(url_of("http://" + std::string(255, 'a')), "bad_url");
}

TEST(escapes are decoded and malformed ones kept) {
  CHECK_EQUAL(codec::percent_decode("a%20b%2Fc%c3%BC"), "a b/c\xC3\xBC");
  CHECK_EQUAL(codec::percent_decode("%00"), "\0"s);
  CHECK_EQUAL(codec::percent_decode("1+1"), "1+1");
  CHECK_EQUAL(codec::percent_decode("%"), "%");
  CHECK_EQUAL(codec::percent_decode("%4"), "%4");
  CHECK_EQUAL(codec::percent_decode("%zz%4g%%41"), "%zz%4g%A");
  CHECK_EQUAL(codec::percent_decode("%2541"), "%41");
}

TEST(a query is a list of names and values) {
  CHECK_EQUAL(query_of(""), "");
  CHECK_EQUAL(query_of("EIO=4&transport=polling"), "EIO=4;transport=polling;");
  CHECK_EQUAL(query_of("a=1+%2B&b%3D=%26"), "a=1 +;b==&;");
  CHECK_EQUAL(query_of("a=1&a=2"), "a=1;a=2;");
  CHECK_EQUAL(query_of("&a&&b=&=c&"), "a=;b=;=c;");
  CHECK_EQUAL(query_of("a=b=c"), "a=b=c;");
  CHECK_EQUAL(query_of("a=%zz"), "a=%zz;");
}

TEST(an origin is normalised) {
  CHECK_EQUAL(origin_of("https://example.com"), "https example.com 443");
  CHECK_EQUAL(origin_of("http://example.com"), "http example.com 80");
  CHECK_EQUAL(origin_of("HTTPS://X.Example.COM:8443"),
              "https x.example.com 8443");
  CHECK_EQUAL(origin_of("http://[::1]:3000"), "http ::1 3000");
}

TEST(pages inside apps have origins of their own) {
  CHECK_EQUAL(origin_of("capacitor://localhost"), "capacitor localhost 0");
  CHECK_EQUAL(origin_of("Safari-Web-Extension://ABC-1"),
              "safari-web-extension abc-1 0");
  CHECK_EQUAL(origin_of("app+x.y://a:8080"), "app+x.y a 8080");
  CHECK_EQUAL(origin_of("null"), "null  0");
  CHECK_EQUAL(origin_of("file://"), "file  0");
}

TEST(the page of an app comes in by an entry of its own scheme) {
  for (auto text :
       {"capacitor://localhost"sv, "capacitor://com.example.app"sv,
        "ionic://localhost"sv, "tauri://localhost"sv, "app://obsidian.md"sv,
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop"sv,
        "moz-extension://6b6c8a9e-1111-2222-3333-444455556666"sv}) {
    MESSAGE(text);
    CHECK(admits(text, text));
    for (auto other :
         {"https://localhost"sv, "http://localhost"sv, "null"sv, "file://"sv,
          "other://localhost"sv, "capacitor://evil.example"sv,
          "capacitor://localhost:1"sv, "capacitor://localhost.evil.example"sv})
      CHECK(!admits(text, other));
    CHECK(!admits("https://localhost", text));
    CHECK(!admits("https://*.md", text));
    CHECK(!admits("null", text));
    CHECK(!admits("file://", text));
  }
  MESSAGE("an extension of Firefox has another name in each browser");
  CHECK(admits("moz-extension://*", "moz-extension://6b6c8a9e"));
  CHECK(!admits("moz-extension://*", "chrome-extension://6b6c8a9e"));
  CHECK(!admits("moz-extension://*", "null"));
  CHECK(!is_entry("http://*"));
  CHECK(!is_entry("https://*"));
  CHECK(!is_entry("file://*"));
  CHECK(!is_entry("*://*"));
  CHECK(!is_entry("*"));
}

TEST(pages in files come in by a word only) {
  for (auto word : {"null"sv, "file://"sv})
    for (auto other : {"https://example.com"sv, "capacitor://localhost"sv})
      CHECK(!admits(other, word));
  CHECK(admits("null", "null"));
  CHECK(!admits("null", "file://"));
  CHECK(admits("file://", "file://"));
  CHECK(admits("file://", "null"));
}

TEST(what is no origin of a page is refused) {
  for (auto text : {"NULL"sv,
                    ""sv,
                    "file:///home/x.html"sv,
                    "https://"sv,
                    "https://:443"sv,
                    "https://example.com/"sv,
                    "https://example.com/path"sv,
                    "https://example.com?x"sv,
                    "https://example.com#x"sv,
                    "https://user@example.com"sv,
                    "https://example.com@evil.net"sv,
                    "https://example.com:443@evil.net"sv,
                    "https://example.com:"sv,
                    "https://example.com:x"sv,
                    "example.com"sv,
                    "//example.com"sv,
                    "https:example.com"sv,
                    "javascript://example.com"sv,
                    "wss://example.com"sv,
                    "data://example.com"sv,
                    "capacitor://"sv,
                    "capacitor://localhost/"sv,
                    "capacitor://localhost?x"sv,
                    "cap acitor://localhost"sv,
                    "1app://localhost"sv,
                    "://localhost"sv,
                    "capacitor:localhost"sv,
                    "capacitor://evil@localhost"sv,
                    "https://example.com https://evil.net"sv,
                    "https://example.com,"sv,
                    "https://*.example.com"sv,
                    "https://example.com\0.evil.net"sv,
                    "https://example.com\\.evil.net"sv,
                    "https://ex\xC3\xA4mple.com"sv,
                    "https://example%2Ecom"sv,
                    "https://.example.com"sv}) {
    MESSAGE(text);
    CHECK_EQUAL(origin_of(text), "bad_url");
  }
}

TEST(an entry without wildcard admits one origin) {
  auto entry = "https://example.com"sv;
  CHECK(admits(entry, "https://example.com"));
  CHECK(admits(entry, "https://example.com:443"));
  CHECK(admits("HTTPS://Example.com:443", "https://EXAMPLE.com"));
  CHECK(admits("http://[::1]:3000", "http://[::1]:3000"));
  CHECK(!admits(entry, "http://example.com"));
  CHECK(!admits(entry, "http://example.com:443"));
  CHECK(!admits(entry, "https://example.com:8443"));
  CHECK(!admits(entry, "https://x.example.com"));
  CHECK(!admits(entry, "https://example.com."));
  CHECK(!admits(entry, "https://example.com.evil.net"));
  CHECK(!admits(entry, "https://evilexample.com"));
  CHECK(!admits(entry, "https://example.com@evil.net"));
  CHECK(!admits(entry, "https://example.co"));
  CHECK(!admits(entry, "null"));
}

TEST(a wildcard stands for whole labels below the domain) {
  auto entry = "https://*.example.com"sv;
  for (auto header :
       {"https://x.example.com"sv, "HTTPS://X.Example.COM"sv,
        "https://x.example.com:443"sv, "https://a.b.example.com"sv}) {
    MESSAGE(header);
    CHECK(admits(entry, header));
  }
  for (auto header : {"https://example.com"sv,
                      "https://evilexample.com"sv,
                      "https://x.evilexample.com"sv,
                      "https://x.example.com.evil.net"sv,
                      "https://example.com@evil.net"sv,
                      "https://x.example.com@evil.net"sv,
                      "https://evil.net/.example.com"sv,
                      "https://evil.net?.example.com"sv,
                      "https://evil.net#.example.com"sv,
                      "https://evil.net\\.example.com"sv,
                      "https://.example.com"sv,
                      "https://x..example.com"sv,
                      "http://x.example.com:443"sv,
                      "http://x.example.com"sv,
                      "https://x.example.com:8443"sv,
                      "https://x.example.com."sv,
                      "https://*.example.com"sv,
                      "https://x.example.com, https://evil.net"sv,
                      "https://evil.net x.example.com"sv,
                      "null"sv,
                      "file://"sv,
                      "file://x.example.com"sv,
                      ""sv}) {
    MESSAGE(header);
    CHECK(!admits(entry, header));
  }
  CHECK(admits("http://*.localhost:3000", "http://a.localhost:3000"));
  CHECK(!admits("http://*.localhost:3000", "http://a.localhost"));
}

TEST(other entries are refused) {
  for (auto text :
       {""sv, "*"sv, "https://*"sv, "https://*."sv, "https://*.*.com"sv,
        "https://x*.example.com"sv, "https://*example.com"sv,
        "https://x.*.example.com"sv, "*.example.com"sv, "*://example.com"sv,
        "https://*.example.com/"sv, "https://*.example.com:*"sv, "NULL"sv,
        "file:///"sv, "https://*.[::1]"sv, "https://*.user@example.com"sv}) {
    MESSAGE(text);
    CHECK(!is_entry(text));
  }
}
TEST(URLs of the site may have user info) {
  auto got = codec::parse_site_url("https://site.example/x?y=1");
  REQUIRE(got);
  CHECK_EQUAL(got->authorization, "");
  CHECK_EQUAL(got->socket, "");
  auto basic = [](std::string_view info) {
    auto x = codec::parse_site_url("HTTP://" + std::string{info}
                                   + "site.example:81/a@b");
    if (!x)
      return std::string{to_string(x.error())};
    CHECK_EQUAL(x->host, "site.example");
    CHECK_EQUAL(x->port, 81u);
    CHECK_EQUAL(x->target, "/a@b");
    return x->authorization;
  };
  CHECK_EQUAL(basic(""), "");
  CHECK_EQUAL(basic("user:pass@"), "Basic dXNlcjpwYXNz");
  CHECK_EQUAL(basic("user@"), "Basic dXNlcjo=");
  CHECK_EQUAL(basic(":pass@"), "Basic OnBhc3M=");
  MESSAGE("p@ss:w/rd, the colon also as it is");
  CHECK_EQUAL(basic("u:p%40ss%3aw%2Frd@"), "Basic dTpwQHNzOncvcmQ=");
  CHECK_EQUAL(basic("u:p%40ss:w%2Frd@"), "Basic dTpwQHNzOncvcmQ=");
  CHECK_EQUAL(basic("u:p@ss@"), "Basic dTpwQHNz");
  for (auto info :
       {"@"sv, "a%3Ab:c@"sv, "a:b%0d%0ac@"sv, "a b@"sv, "a:b\x7F@"sv})
    CHECK_EQUAL(basic(info), "bad_url");
  MESSAGE("other URLs must not");
  CHECK_EQUAL(url_of("http://user:pass@site.example/"), "bad_url");
}

TEST(URLs of the site may name a socket) {
  auto at = [](std::string_view text) {
    auto x = codec::parse_site_url(text);
    return x ? x->scheme + " " + x->host + " " + x->socket + " " + x->target
                 + " " + x->authorization
             : std::string{to_string(x.error())};
  };
  CHECK_EQUAL(at("unix:/run/site.sock:/whoami?x=1"),
              "http localhost /run/site.sock /whoami?x=1 ");
  CHECK_EQUAL(at("http://unix:/run/site.sock:/whoami"),
              "http localhost /run/site.sock /whoami ");
  CHECK_EQUAL(at("unix:/run/site.sock"), "http localhost /run/site.sock / ");
  CHECK_EQUAL(at("unix:/run/site.sock:"), "http localhost /run/site.sock / ");
  CHECK_EQUAL(at("http://a:b@unix:/s:/t"), "http localhost /s /t Basic YTpi");
  auto longest = "/" + std::string(106, 's');
  CHECK_EQUAL(at("unix:" + longest), "http localhost " + longest + " / ");
  for (const auto& text :
       {std::string{"unix:"}, std::string{"unix:run/site.sock"},
        std::string{"unix:/"}, std::string{"unix:/a b"},
        std::string{"unix:/s:whoami"}, std::string{"unix:/s:/x#y"},
        std::string{"https://unix:/s:/t"}, std::string{"unix://s"} + '\n',
        "unix:" + longest + "s"})
    CHECK_EQUAL(at(text), "bad_url");
  MESSAGE("a host may have that name");
  CHECK_EQUAL(at("http://unix:80/s"), "http unix  /s ");
}

TEST(user info is hidden) {
  auto shown = [](std::string_view text) {
    return codec::hide_user_info(text);
  };
  CHECK_EQUAL(shown("https://a:b@site.example/x@y"),
              "https://***@site.example/x@y");
  CHECK_EQUAL(shown("http://a:b@unix:/s:/t"), "http://***@unix:/s:/t");
  for (const auto* text :
       {"https://site.example/x@y", "unix:/s@1:/t@2", "unix:/s/http:/t@2",
        "unix:/s:/http://a:b@c", "", "x", "http://site.example:99999/"})
    CHECK_EQUAL(shown(text), text);
  MESSAGE("also of what is no URL");
  CHECK_EQUAL(shown("https://a:b/c@d@site.example/"),
              "https://***@site.example/");
  CHECK_EQUAL(shown("https://a:b@site.example:99999/"),
              "https://***@site.example:99999/");
  CHECK_EQUAL(shown("a:b@site.example"), "***@site.example");
  CHECK_EQUAL(shown("a:b@c://d"), "***@c://d");
}
