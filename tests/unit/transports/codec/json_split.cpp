#include "transports/codec/json_split.hpp"

#include "transports/codec/json_text.hpp"

#include <string>

#include "tests/support/check.hpp"

using namespace signalbox::codec;
using namespace std::string_literals;

namespace {

// Lists members as `name=value;`.
std::string members(std::string_view text) {
  std::string out;
  for (const auto& [name, value] : split_object(text)) {
    out += name;
    out += '=';
    out += value;
    out += ';';
  }
  return out;
}

std::string elements(std::string_view text) {
  std::string out;
  for (auto value : split_array(text)) {
    out += value;
    out += ';';
  }
  return out;
}

std::string at(std::string_view text, std::string_view pointer) {
  return std::string{resolve_pointer(text, pointer).value_or("nothing")};
}

struct extracted {
  explicit extracted(std::string_view json)
    : text(extract_binary(json, attachments)) {
    // nop
  }

  std::vector<std::string> attachments;
  std::optional<std::string> text;
};

} // namespace

TEST(an object splits into its members in text order) {
  CHECK_EQUAL(members(R"({"b":1,"a":"x"})"), R"("b"=1;"a"="x";)");
  CHECK_EQUAL(members(R"( { "a" : [ 1 , 2 ] , "b" : { "c" : 3 } } )"),
              R"("a"=[ 1 , 2 ];"b"={ "c" : 3 };)");
  CHECK_EQUAL(members("{}"), "");
  CHECK_EQUAL(members(" { } "), "");
}

TEST(signs within strings separate nothing) {
  CHECK_EQUAL(members(R"({"a,:{[\"\\":"}],\\","b":"\\\""})"),
              R"("a,:{[\"\\"="}],\\";"b"="\\\"";)");
  CHECK_EQUAL(elements(R"(["a,b","]","\"","\\"])"), R"("a,b";"]";"\"";"\\";)");
}

TEST(an array splits into its elements) {
  CHECK_EQUAL(elements(R"([1, "x" ,[2,3],{"a":[4]},null])"),
              R"(1;"x";[2,3];{"a":[4]};null;)");
  CHECK_EQUAL(elements("[]"), "");
  CHECK_EQUAL(elements("[\n]"), "");
  CHECK_EQUAL(elements("[[]]"), "[];");
}

TEST(other values have no members and no elements) {
  for (auto text : {"1", "null", R"("{}")", R"("[1]")", ""}) {
    CHECK(split_object(text).empty());
    CHECK(split_array(text).empty());
  }
  CHECK(split_object("[1]").empty());
  CHECK(split_array(R"({"a":1})").empty());
}

TEST(the last of equal members counts) {
  auto all = split_object(R"({"a":1,"b":2,"\u0061":3})");
  CHECK_EQUAL(find_member(all, "a").value_or(""), "3");
  CHECK_EQUAL(find_member(all, "b").value_or(""), "2");
  CHECK(!find_member(all, "c"));
  CHECK(!find_member(all, R"(\u0061)"));
}

TEST(a pointer names a value) {
  // The examples of RFC 6901 section 5.
  auto text = R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,)"
              R"("i\\j":5,"k\"l":6," ":7,"m~n":8})"s;
  CHECK_EQUAL(at(text, ""), text);
  CHECK_EQUAL(at(text, "/foo"), R"(["bar","baz"])");
  CHECK_EQUAL(at(text, "/foo/0"), R"("bar")");
  CHECK_EQUAL(at(text, "/"), "0");
  CHECK_EQUAL(at(text, "/a~1b"), "1");
  CHECK_EQUAL(at(text, "/c%d"), "2");
  CHECK_EQUAL(at(text, "/e^f"), "3");
  CHECK_EQUAL(at(text, "/g|h"), "4");
  CHECK_EQUAL(at(text, R"(/i\j)"), "5");
  CHECK_EQUAL(at(text, R"(/k"l)"), "6");
  CHECK_EQUAL(at(text, "/ "), "7");
  CHECK_EQUAL(at(text, "/m~0n"), "8");
}

TEST(escapes of a pointer are undone once) {
  auto text = R"({"~1":1,"~0":2,"~":3,"/":4})";
  CHECK_EQUAL(at(text, "/~01"), "1");
  CHECK_EQUAL(at(text, "/~00"), "2");
  CHECK_EQUAL(at(text, "/~0"), "3");
  CHECK_EQUAL(at(text, "/~1"), "4");
}

TEST(a pointer may lead nowhere) {
  for (auto pointer : {"/b", "/a/3", "/a/-1", "/a/01", "/a/x", "/a/-", "/a/",
                       "/a/1e0", "/a/99999999999999999999", "/a/0/x", "/s/0"})
    CHECK_EQUAL(at(R"({"a":[0,1,2],"s":"text"})", pointer), "nothing");
  CHECK_EQUAL(at("1", "/"), "nothing");
}

TEST(a pointer looks through blanks) {
  CHECK_EQUAL(at(R"( { "a" : [ 0 , { "b" : "x" } ] } )", "/a/1/b"), R"("x")");
}

TEST(binary values become placeholders in text order) {
  extracted x{R"(["e",{"$base64":"AAH+/w=="},{"x":[{"$base64":""}]}])"};
  REQUIRE(x.text);
  CHECK_EQUAL(*x.text, R"(["e",{"_placeholder":true,"num":0},)"
                       R"({"x":[{"_placeholder":true,"num":1}]}])");
  REQUIRE_EQUAL(x.attachments.size(), 2u);
  CHECK_EQUAL(x.attachments[0], "\x00\x01\xFE\xFF"s);
  CHECK_EQUAL(x.attachments[1], "");
}

TEST(text without binary values stays as it came) {
  auto text = R"({"a": 1.0, "b": [ 1e400 ], "c": "\ud800"})";
  extracted x{text};
  REQUIRE(x.text);
  CHECK_EQUAL(*x.text, text);
  CHECK(x.attachments.empty());
}

TEST(text without binary values need not be copied) {
  std::vector<std::string> attachments;
  std::string text =
    R"(["e",{"a":"long enough to live in memory of its own"}])";
  const auto* before = text.data();
  auto out = extract_binary(std::move(text), attachments);
  REQUIRE(out);
  CHECK(out->data() == before);
  out = extract_binary(std::string{" [1] "}, attachments);
  CHECK_EQUAL(*out, "[1]");
  out = extract_binary(std::string{R"([{"$base64":"AA=="}])"}, attachments);
  CHECK_EQUAL(*out, R"([{"_placeholder":true,"num":0}])");
  CHECK_EQUAL(attachments.size(), 1u);
  CHECK(!extract_binary(std::string{R"({"$base64":"A"})"}, attachments));
}

TEST(a string without escapes is viewed where it stands) {
  std::string out;
  std::string_view literal = R"("a b")";
  auto value = unquote_json(literal, out);
  CHECK_EQUAL(value, "a b");
  CHECK(value.data() == literal.data() + 1);
  CHECK_EQUAL(unquote_json(R"("")", out), "");
  CHECK_EQUAL(unquote_json("", out), "");
  CHECK_EQUAL(unquote_json(R"("a\\\"\u0062")", out), R"(a\"b)");
}

TEST(only an object of nothing else is a binary value) {
  for (auto text :
       {R"({"$base64":"AA==","b":1})", R"({"$base64":1})", R"({"x":"$base64"})",
        R"(["$base64","AA=="])", R"({"$base64":{"a":[]}})",
        R"({"$base64":"AA==","$base64":"AA=="})"}) {
    extracted x{text};
    REQUIRE(x.text);
    CHECK_EQUAL(*x.text, text);
    CHECK(x.attachments.empty());
  }
}

TEST(empty containers survive beside a binary value) {
  extracted x{R"([[],{}, {"$base64":"AA=="} ])"};
  REQUIRE(x.text);
  CHECK_EQUAL(*x.text, R"([[],{},{"_placeholder":true,"num":0}])");
}

TEST(a binary value that is no base64 is refused) {
  CHECK(!extracted{R"({"$base64":"***"})"}.text);
  CHECK(!extracted{R"([1,{"a":{"$base64":"A"}}])"}.text);
}

TEST(placeholders become binary values again) {
  CHECK_EQUAL(embed_binary(R"([{"_placeholder":true,"num":1},{ "num":0,)"
                           R"("_placeholder":true }, 2])",
                           {"\x00\xFF"s, ""}),
              R"([{"$base64":""},{"$base64":"AP8="}, 2])");
}

TEST(a placeholder without its attachment stays) {
  auto text = R"([{"_placeholder":true,"num":1},{"_placeholder":true}])";
  CHECK_EQUAL(embed_binary(text, {"x"}), text);
  CHECK_EQUAL(embed_binary(text, {}), text);
}

TEST(embedding and extracting are inverse) {
  std::vector<std::string> before{"one"s, ""s, "\x00\x1E\xFF"s};
  auto text = R"(["e",{"_placeholder":true,"num":0},)"
              R"([{"_placeholder":true,"num":1}],)"
              R"({"a":{"_placeholder":true,"num":2}}])"s;
  extracted x{embed_binary(text, before)};
  REQUIRE(x.text);
  CHECK_EQUAL(*x.text, text);
  CHECK(x.attachments == before);
}
