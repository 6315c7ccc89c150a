#include "actors/membership/fingerprints.hpp"

#include "transports/net/digest.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>

namespace signalbox {

namespace {

/// Puts fields together so that no two lists of them are the same text.
class fields {
public:
  fields& operator<<(std::string_view x) {
    text_ += std::to_string(x.size());
    text_ += ':';
    text_ += x;
    return *this;
  }

  fields& operator<<(const std::string& x) {
    return *this << std::string_view{x};
  }

  fields& operator<<(const std::vector<std::string>& xs) {
    *this << std::to_string(xs.size());
    for (const auto& each : xs)
      *this << each;
    return *this;
  }

  fields& operator<<(bool x) {
    return *this << std::string_view{x ? "1" : "0"};
  }

  template <class T>
  requires std::is_enum_v<T> fields& operator<<(T x) {
    return *this << std::to_string(static_cast<int>(x));
  }

  const std::string& text() const noexcept {
    return text_;
  }

private:
  std::string text_;
};

/// In whichever order they stand.
std::string describe_namespaces(std::vector<namespace_settings> all) {
  std::sort(all.begin(), all.end(),
            [](const auto& x, const auto& y) { return x.name < y.name; });
  fields out;
  for (const auto& x : all)
    out << x.name << x.anonymous << x.on_client_event << x.sequenced;
  return out.text();
}

std::string describe_rules(const std::vector<rule_settings>& all) {
  fields out;
  for (const auto& x : all)
    out << x.namespace_ << x.type << x.to << x.pointer << x.event;
  return out.text();
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

std::string describe_keys(const std::vector<key_settings>& all) {
  fields out;
  for (const auto& x : all)
    out << x.name << x.key << sorted(x.namespaces) << x.may_target
        << x.may_listen;
  return out.text();
}

} // namespace

std::vector<wire::fingerprint> fingerprints(const settings& opts) {
  auto key = net::stretched(opts.cluster.sid_key,
                            "signalbox settings of " + opts.cluster.name);
  auto print = [&key](std::string_view name, const std::string& text) {
    fields all;
    all << name << text;
    wire::fingerprint out;
    out.setting = name;
    auto hash = net::keyed_hash(key, all.text());
    std::memcpy(&out.value, hash.data(), sizeof(out.value));
    return out;
  };
  return {print(sid_key_setting, {}),
          print("namespaces", describe_namespaces(opts.namespaces)),
          print("rules", describe_rules(opts.rules)),
          print("ingest.keys", describe_keys(opts.ingest.keys))};
}

std::vector<std::string>
differences(const std::vector<wire::fingerprint>& mine,
            const std::vector<wire::fingerprint>& its) {
  std::vector<std::string> out;
  for (const auto& x : mine)
    for (const auto& y : its)
      if (x.setting == y.setting && x.value != y.value)
        out.push_back(x.setting);
  return out;
}

} // namespace signalbox
