#include "transports/net/addresses.hpp"

#include "tests/support/check.hpp"

using namespace signalbox::net;
using boost::asio::ip::make_address;

namespace {

address_list list(std::initializer_list<const char*> all) {
  address_list out;
  for (const auto* x : all)
    out.emplace_back(make_address(x), 80);
  return out;
}

} // namespace

TEST(both families take turns) {
  CHECK(take_turns(list({"1.1.1.1", "1.1.1.2", "1.1.1.3", "::1", "::2"}), 9)
        == list({"1.1.1.1", "::1", "1.1.1.2", "::2", "1.1.1.3"}));
  CHECK(take_turns(list({"::1", "1.1.1.1"}), 9) == list({"::1", "1.1.1.1"}));
  CHECK(take_turns(list({"1.1.1.1"}), 9) == list({"1.1.1.1"}));
  CHECK(take_turns({}, 9).empty());
}

TEST(doubles and too many are left out) {
  CHECK(take_turns(list({"::1", "::1", "1.1.1.1", "::1"}), 9)
        == list({"::1", "1.1.1.1"}));
  CHECK(take_turns(list({"::1", "::2", "1.1.1.1"}), 2)
        == list({"::1", "1.1.1.1"}));
}

TEST(an address that answered comes first) {
  auto all = list({"::1", "1.1.1.1", "::2"});
  prefer(all, all[2]);
  CHECK(all == list({"::2", "::1", "1.1.1.1"}));
  prefer(all, {make_address("9.9.9.9"), 80});
  CHECK(all == list({"::2", "::1", "1.1.1.1"}));
}
