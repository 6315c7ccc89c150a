#include "transports/codec/socket/v4.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using socket::packet_type;
namespace v4 = socket::v4;

namespace {

const socket::v5::limits limits;

std::string decoded(std::string_view text) {
  auto x = v4::decode(text, limits);
  if (!x)
    return codec::to_string(x.error());
  return std::to_string(static_cast<int>(x->type)) + ' ' + x->nsp + ' '
         + x->data;
}

std::string encoded(packet_type type, const std::string& nsp,
                    const std::string& data) {
  socket::packet x;
  x.type = type;
  x.nsp = nsp;
  x.data = data;
  std::string out;
  v4::encode(x, out);
  return out;
}

} // namespace

TEST(a CONNECT may carry a query) {
  CHECK_EQUAL(decoded("0"), "0 / ");
  CHECK_EQUAL(decoded("0/ns"), "0 /ns ");
  CHECK_EQUAL(decoded("0/ns,"), "0 /ns ");
  CHECK_EQUAL(decoded("0/ns?token=abc"), "0 /ns token=abc");
  CHECK_EQUAL(decoded("0/ns?token=abc&x=1,"), "0 /ns token=abc&x=1");
  CHECK_EQUAL(decoded("0/ns?"), "0 /ns ");
  MESSAGE("a payload is ignored, if it is one");
  CHECK_EQUAL(decoded(R"(0/ns?a=b,{"token":1})"), "0 /ns a=b");
  CHECK_EQUAL(decoded(R"(0{"token":1})"), "0 / ");
  CHECK_EQUAL(decoded("0/ns,["), "bad_json");
  CHECK_EQUAL(decoded("0ns"), "bad_json");
}

TEST(everything else is as in protocol 5) {
  CHECK_EQUAL(decoded(R"(2/ns,["ev",1])"), R"(2 /ns ["ev",1])");
  CHECK_EQUAL(decoded(R"(2["connect"])"), "reserved_event");
  CHECK_EQUAL(decoded("1/ns,"), "1 /ns ");
}

TEST(answers to a CONNECT are as old clients read them) {
  CHECK_EQUAL(encoded(packet_type::connect, "/", R"({"sid":"x"})"), "0");
  CHECK_EQUAL(encoded(packet_type::connect, "/ns", R"({"sid":"x"})"), "0/ns,");
  CHECK_EQUAL(
    encoded(packet_type::connect_error, "/ns", R"({"message":"unauthorized"})"),
    R"(4/ns,"unauthorized")");
  CHECK_EQUAL(encoded(packet_type::connect_error, "/",
                      R"({"message":"m","data":{"retry":true}})"),
              R"(4{"message":"m","data":{"retry":true}})");
  CHECK_EQUAL(encoded(packet_type::event, "/ns", R"(["ev"])"),
              R"(2/ns,["ev"])");
}
