#include "actors/ingest/api_paths.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using kind = user_command::kind;

namespace {

struct fixture {
  user_command x;

  /// Reads a call into `x`; returns the refusal as `code pointer`, or "ok".
  std::string read(std::string_view method, std::string_view path,
                   std::string_view body = {}) {
    x = {};
    auto no =
      read_command(method, "/api/v1/" + std::string{path}, body, {3, 8, 2}, x);
    return no ? std::string{to_string(no->code)} + ' ' + no->pointer : "ok";
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(api_paths_tests, fixture)

TEST(a user is asked for by id) {
  CHECK_EQUAL(read("GET", "users/17"), "ok");
  CHECK(x.what == kind::show);
  CHECK(!x.connections);
  CHECK_EQUAL(x.ids[0], "17");
  CHECK_EQUAL(read("GET", "users/a%2Fb%20c"), "ok");
  CHECK_EQUAL(x.ids[0], "a/b c");
  MESSAGE("a user may have the name of a call");
  CHECK_EQUAL(read("GET", "users/online"), "ok");
  CHECK(x.what == kind::show);
  CHECK_EQUAL(x.ids[0], "online");
}

TEST(an id in a path is one or is refused) {
  for (const auto* each :
       {"users/%FF", "users/a%00", "users/%0A/disconnect", "users/%ED%A0%80",
        "connections/%C0%AF/rooms", "users/123456789"})
    CHECK_EQUAL(read("GET", each), "bad_request ");
  CHECK_EQUAL(read("GET", "users/%C3%A9"), "ok");
  CHECK_EQUAL(x.ids[0], "\xC3\xA9");
}

TEST(users and connections are disconnected) {
  CHECK_EQUAL(read("POST", "users/17/disconnect"), "ok");
  CHECK(x.what == kind::disconnect);
  CHECK(!x.connections);
  CHECK_EQUAL(read("POST", "connections/c1/disconnect"), "ok");
  CHECK(x.what == kind::disconnect);
  CHECK(x.connections);
  CHECK_EQUAL(x.ids[0], "c1");
  CHECK_EQUAL(x.nsp, "");
}

TEST(several users are asked for at a time) {
  CHECK_EQUAL(read("POST", "users/online", R"({"ids":["a",17,"c"]})"), "ok");
  CHECK(x.what == kind::online);
  REQUIRE_EQUAL(x.ids.size(), 3u);
  CHECK_EQUAL(x.ids[1], "17");
  CHECK_EQUAL(read("POST", "users/online", R"({"ids":[]})"), "ok");
  CHECK_EQUAL(read("POST", "users/online", R"({"ids":["a","b","c","d"]})"),
              "bad_request /ids");
  CHECK_EQUAL(read("POST", "users/online", R"({"ids":"a"})"),
              "bad_request /ids");
  CHECK_EQUAL(read("POST", "users/online", R"({"ids":["a",""]})"),
              "bad_request /ids/1");
  CHECK_EQUAL(read("POST", "users/online", R"({"ids":["12345678"]})"), "ok");
  CHECK_EQUAL(read("POST", "users/online", R"({"ids":["123456789"]})"),
              "bad_request /ids/0");
  CHECK_EQUAL(read("POST", "users/online", "{}"), "bad_request /ids");
  CHECK_EQUAL(read("POST", "users/online"), "bad_request /ids");
  CHECK_EQUAL(read("POST", "users/online", "[]"), "bad_request /ids");
}

TEST(rooms are joined and left in a namespace) {
  CHECK_EQUAL(read("POST", "users/17/rooms",
                   R"({"namespace":"/chat","join":["r","s"],"leave":["t"]})"),
              "ok");
  CHECK(x.what == kind::rooms);
  CHECK_EQUAL(x.nsp, "/chat");
  CHECK_EQUAL(x.join.size(), 2u);
  CHECK_EQUAL(x.leave[0], "t");
  CHECK_EQUAL(read("POST", "connections/c1/rooms", "{}"), "ok");
  CHECK(x.connections);
  CHECK_EQUAL(x.nsp, "/");
}

TEST(what is wrong with rooms is named) {
  auto rooms = [this](std::string_view body) {
    return read("POST", "users/17/rooms", body);
  };
  CHECK_EQUAL(rooms(""), "bad_request ");
  CHECK_EQUAL(rooms("[]"), "bad_request ");
  CHECK_EQUAL(rooms(R"({"namespace":"chat"})"), "bad_request /namespace");
  CHECK_EQUAL(rooms(R"({"namespace":1})"), "bad_request /namespace");
  CHECK_EQUAL(rooms(R"({"join":"r"})"), "bad_request /join");
  CHECK_EQUAL(rooms(R"({"join":["r",true]})"), "bad_request /join/1");
  CHECK_EQUAL(rooms(R"({"join":["a","b","c"]})"), "bad_request /join");
  CHECK_EQUAL(rooms(R"({"leave":[""]})"), "bad_request /leave/0");
  CHECK_EQUAL(rooms(R"({"leave":["\ud800"]})"), "bad_request /leave/0");
  CHECK_EQUAL(rooms(R"({"join":[1.5]})"), "bad_request /join/0");
  CHECK_EQUAL(rooms(R"({"namespace":"/\ud800"})"), "bad_request /namespace");
  CHECK_EQUAL(rooms(R"({"jion":["r"]})"), "bad_request /jion");
}

TEST(other methods are not allowed) {
  CHECK_EQUAL(read("POST", "users/17"), "method_not_allowed ");
  CHECK_EQUAL(read("GET", "users/17/disconnect"), "method_not_allowed ");
  CHECK_EQUAL(read("PUT", "users/17/rooms", "{}"), "method_not_allowed ");
  CHECK_EQUAL(read("GET", "connections/c1/disconnect"), "method_not_allowed ");
}

TEST(other paths are not found) {
  for (const auto* path :
       {"", "users", "users/", "users//disconnect", "user/17",
        "users/17/disconnect/", "users/17/none", "connections", "connections/",
        "connections/c1", "connections/online/x"}) {
    MESSAGE(path);
    CHECK_EQUAL(read("POST", path) + read("GET", path), "not_found not_found ");
  }
  CHECK_EQUAL(to_string(read_command("GET", "/api/v2/users/17", "", {}, x)
                          .value_or(refusal{ec::none, "", ""})
                          .code),
              std::string{"not_found"});
}

CAF_TEST_FIXTURE_SCOPE_END()
