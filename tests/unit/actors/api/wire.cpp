#include "actors/api/wire.hpp"

#include "actors/api/wire_format.hpp"
#include "tests/support/wire_types.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/check.hpp"

using namespace signalbox;
using signalbox::test::for_each_wire_type;
using namespace std::string_literals;

namespace {

/// Gives every field a value of its own that is not its default.
class filler {
public:
  using result_type = void;

  template <class... Ts>
  void operator()(Ts&&... xs) {
    (fill(xs), ...);
  }

private:
  template <class T>
  void fill(T& x) {
    if constexpr (std::is_base_of_v<caf::meta::annotation,
                                    std::remove_const_t<T>>) {
      // nop
    } else if constexpr (std::is_same_v<T, bool>) {
      x = !x;
    } else if constexpr (std::is_enum_v<T>) {
      x = static_cast<T>(1);
    } else if constexpr (std::is_arithmetic_v<T>) {
      x = static_cast<T>(++n_);
    } else {
      inspect(*this, x);
    }
  }

  void fill(std::string& x) {
    x = "text " + std::to_string(++n_);
  }

  void fill(std::vector<bool>& xs) {
    xs = {true, false, true};
  }

  template <class T>
  void fill(std::vector<T>& xs) {
    xs.resize(2);
    for (auto& each : xs)
      fill(each);
  }

  int n_ = 1;
};

/// Notes where each field of a message begins.
class surveyor {
public:
  using result_type = void;

  template <class... Ts>
  void operator()(Ts&&... xs) {
    (note(xs), ...);
  }

  std::string bytes;
  std::set<size_t> starts;

private:
  template <class T>
  void note(T& x) {
    if constexpr (!std::is_base_of_v<caf::meta::annotation,
                                     std::remove_const_t<T>>) {
      starts.insert(bytes.size());
      sink_(x);
    }
  }

  wire::writer sink_{bytes};
};

/// `wire::member` as a later version may have it.
struct later_member {
  uint16_t node = 0;
  std::string address;
  std::vector<std::string> more;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, later_member& x) {
  return f(caf::meta::type_name("later_member"), x.node, x.address, x.more);
}

struct later_members {
  static constexpr uint8_t tag = wire::members::tag;
  std::vector<later_member> known;
  uint64_t more = 1;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, later_members& x) {
  return f(caf::meta::type_name("later_members"), x.known, x.more);
}

template <class T>
std::string encode(const T& x) {
  std::string out;
  wire::append(out, x);
  return out.substr(5);
}

template <class T>
bool decode(std::string_view bytes, T& x) {
  wire::reader in{bytes};
  inspect(in, x);
  return in.ok();
}

template <class T>
T filled() {
  T x;
  filler values;
  inspect(values, x);
  return x;
}

} // namespace

// -- every item ---------------------------------------------------------------

TEST(every item comes out as it went in) {
  for_each_wire_type([]<class T>(T) {
    MESSAGE(T::label);
    auto bytes = encode(filled<T>());
    T back;
    CHECK(decode(bytes, back));
    CHECK(encode(back) == bytes);
    CHECK_EQUAL(bytes == encode(T{}), bytes.empty());
  });
}

TEST(tags are what they always were) {
  std::string all;
  std::set<uint8_t> seen;
  for_each_wire_type([&]<class T>(T) {
    CHECK(seen.insert(T::tag).second);
    all += T::label + "="s + std::to_string(T::tag) + ' ';
  });
  CHECK_EQUAL(
    all,
    "view=1 members=2 leaving=3 drain=4 floor=5 attach=10 "
    "attached=11 detach=12 "
    "hold=13 release=14 recall=15 displace=18 locate=16 located=17 deliver=20 "
    "broadcast=21 routed=22 confirmed=23 command=24 "
    "command_done=25 submit=26 claim=27 claimed=28 "
    "claim_settled=29 keys=31 tunnel=30 hello=100 refusal=101 ping=102 "
    "pong=103 restart=104 ");
}

TEST(fields that a node does not know are skipped) {
  for_each_wire_type([]<class T>(T) {
    MESSAGE(T::label);
    auto bytes = encode(filled<T>());
    T back;
    CHECK(decode(bytes + "\x07later fields", back));
    CHECK(encode(back) == bytes);
  });
}

TEST(fields that an older node does not send keep their defaults) {
  for_each_wire_type([]<class T>(T) {
    MESSAGE(T::label);
    surveyor whole;
    auto x = filled<T>();
    inspect(whole, x);
    surveyor empty;
    T none;
    inspect(empty, none);
    REQUIRE_EQUAL(whole.starts.size(), empty.starts.size());
    auto other = empty.starts.begin();
    for (auto at : whole.starts) {
      T back;
      CHECK(decode(whole.bytes.substr(0, at), back));
      CHECK(encode(back)
            == whole.bytes.substr(0, at) + empty.bytes.substr(*other++));
    }
  });
}

TEST(a struct within another one may have more or fewer fields too) {
  later_members x;
  x.known = {{1, "a:1", {"x", "y"}}, {2, "b:2", {}}};
  wire::members old;
  CHECK(decode(encode(x), old));
  REQUIRE_EQUAL(old.known.size(), 2u);
  CHECK_EQUAL(old.known[0].address, "a:1");
  CHECK_EQUAL(old.known[1].node, 2u);
  CHECK_EQUAL(old.known[1].address, "b:2");
  later_members back;
  CHECK(decode(encode(old), back));
  REQUIRE_EQUAL(back.known.size(), 2u);
  CHECK_EQUAL(back.known[1].address, "b:2");
  CHECK(back.known[1].more.empty());
  CHECK_EQUAL(back.more, 1u);
}

TEST(an item that is cut short within a field is refused) {
  for_each_wire_type([]<class T>(T) {
    MESSAGE(T::label);
    surveyor whole;
    auto x = filled<T>();
    inspect(whole, x);
    for (size_t n = 0; n < whole.bytes.size(); ++n) {
      T back;
      // Bytes of the heap's own, so that a sanitizer sees the end.
      std::vector<char> part(whole.bytes.begin(),
                             whole.bytes.begin()
                               + static_cast<std::ptrdiff_t>(n));
      auto ok = decode({part.data(), part.size()}, back);
      CHECK_EQUAL(ok, whole.starts.count(n) > 0);
    }
  });
}

TEST(the node an item came from is not sent) {
  wire::release x;
  x.from = 7;
  x.user = "anna";
  wire::release back;
  CHECK(decode(encode(x), back));
  CHECK_EQUAL(back.from, 0u);
  CHECK_EQUAL(back.user, "anna");
}

// -- the format ---------------------------------------------------------------

TEST(the bytes of an item do not change) {
  wire::attach x;
  x.ticket = 0x0102030405060708;
  x.user = "anna";
  x.nsp = "/";
  x.connection = 9;
  std::string out;
  wire::append(out, x);
  CHECK_EQUAL(out, "\x0a"                             // tag
                   "\x22\x00\x00\x00"                 // length
                   "\x08\x07\x06\x05\x04\x03\x02\x01" // ticket
                   "\x04\x00\x00\x00"                 // user
                   "anna"
                   "\x00\x00\x00\x00" // info
                   "\x01\x00\x00\x00" // nsp
                   "/"
                   "\x09\x00\x00\x00\x00\x00\x00\x00" // connection
                   "\x01"s);                          // home
  wire::routed y;
  y.ticket = 1;
  y.matched = 2;
  y.online = 3;
  y.offline = {"a", "bc"};
  y.found = {true, false};
  out.clear();
  wire::append(out, y);
  CHECK_EQUAL(out, "\x16"                             // tag
                   "\x32\x00\x00\x00"                 // length
                   "\x01\x00\x00\x00\x00\x00\x00\x00" // ticket
                   "\x02\x00\x00\x00\x00\x00\x00\x00" // matched
                   "\x03\x00\x00\x00\x00\x00\x00\x00" // online
                   "\x02\x00\x00\x00"                 // offline
                   "\x01\x00\x00\x00"
                   "a"
                   "\x02\x00\x00\x00"
                   "bc"
                   "\x02\x00\x00\x00" // found
                   "\x01\x00"
                   "\x00\x00\x00\x00" // unreachable
                   "\x00"s);          // outcome
}

TEST(the bytes of a struct within another one do not change) {
  wire::members x;
  x.known = {{258, "a:1"}};
  std::string out;
  wire::append(out, x);
  CHECK_EQUAL(out, "\x02"             // tag
                   "\x11\x00\x00\x00" // length
                   "\x01\x00\x00\x00" // number of members
                   "\x09\x00\x00\x00" // length of the first
                   "\x02\x01"         // node
                   "\x03\x00\x00\x00" // address
                   "a:1"s);
}

TEST(a batch gives its items in order) {
  std::string bytes;
  wire::append(bytes, wire::release{0, "anna"});
  wire::append(bytes, wire::leaving{});
  wire::append(bytes, wire::recall{0, "ben"});
  std::string_view batch{bytes};
  std::string tags;
  uint8_t tag = 0;
  std::string_view item;
  while (wire::next(batch, tag, item))
    tags += std::to_string(tag) + ':' + std::to_string(item.size()) + ' ';
  CHECK_EQUAL(tags, "14:8 3:0 15:7 ");
  CHECK(batch.empty());
}

TEST(a batch that is cut short shows it) {
  std::string bytes;
  wire::append(bytes, wire::release{0, "anna"});
  for (size_t n = 1; n < bytes.size(); ++n) {
    std::vector<char> part(bytes.begin(),
                           bytes.begin() + static_cast<std::ptrdiff_t>(n));
    std::string_view batch{part.data(), part.size()};
    std::string_view item;
    uint8_t tag = 0;
    CHECK(!wire::next(batch, tag, item));
    CHECK_EQUAL(batch.size(), n);
  }
}

TEST(lengths are not believed) {
  MESSAGE("an item longer than its batch");
  std::string_view batch{"\x0e\xff\xff\xff\xff\x00", 6};
  std::string_view item;
  uint8_t tag = 0;
  CHECK(!wire::next(batch, tag, item));
  MESSAGE("a text and a list longer than their item");
  wire::release x;
  CHECK(!decode({"\xff\xff\xff\xff"
                 "anna",
                 8},
                x));
  wire::members y;
  CHECK(!decode({"\xff\xff\xff\x7f\x01\x00", 6}, y));
  CHECK(y.known.empty());
}
