#include "actors/ingest/post.hpp"

#include "actors/api/names.hpp"
#include "transports/codec/json_scan.hpp"
#include "transports/codec/json_split.hpp"
#include "transports/codec/json_text.hpp"
#include "transports/codec/socket/v5.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace signalbox {

namespace {

using codec::json_kind;

constexpr int64_t least_confirm_ms = 100;
constexpr size_t key_bytes = 256;

refusal bad(std::string_view member, std::string message) {
  return {ec::bad_request, "/" + std::string{member}, std::move(message)};
}

/// Reads a member that is the name of an event, or a key.
std::optional<refusal> take_label(std::string_view member,
                                  std::string_view literal, size_t most,
                                  std::string& out) {
  if (auto no = read_label(literal, most, out))
    return bad(member, "no name: " + *no);
  return {};
}

/// Reads one recipient or an array of them. Refuses the whole with a pointer
/// below `at` to what is wrong.
std::optional<refusal> read_recipients(std::string_view literal, ec code,
                                       const std::string& at,
                                       const post_limits& bounds,
                                       std::vector<std::string>& out) {
  auto array = codec::kind_of(literal) == json_kind::array;
  codec::array_reader elements{literal};
  size_t count = 0;
  std::optional<refusal> no;
  for (auto each = literal; array ? elements.next(each) : count == 0; ++count) {
    if (no || count >= bounds.recipients)
      continue;
    std::string name;
    if (auto why = read_id(each, bounds.name_bytes, name))
      no = refusal{code, array ? at + "/" + std::to_string(count) : at,
                   "no recipient: " + *why};
    else if (std::find(out.begin(), out.end(), name) == out.end())
      out.push_back(std::move(name));
  }
  if (count == 0 || count > bounds.recipients)
    return refusal{code, at,
                   "1 to " + std::to_string(bounds.recipients)
                     + " recipients (ingest.max-recipients)"};
  return no;
}

std::optional<refusal> read_target(std::string_view literal,
                                   const post_limits& bounds, post& out) {
  static constexpr auto* shapes =
    R"(one of {"users":[...]}, {"rooms":[...]}, "all")";
  out.to.emplace();
  if (codec::kind_of(literal) == json_kind::string
      && codec::unquote_json(literal) == "all")
    return {};
  codec::object_reader members{literal};
  codec::json_member only;
  codec::json_member other;
  if (!members.next(only) || members.next(other))
    return bad("to", shapes);
  auto name = codec::unquote_json(only.first);
  if (name == "users")
    out.to->what = target::kind::users;
  else if (name == "rooms")
    out.to->what = target::kind::rooms;
  else
    return bad("to", shapes);
  if (codec::kind_of(only.second) != json_kind::array)
    return bad("to/" + name, "an array");
  return read_recipients(only.second, ec::bad_request, "/to/" + name, bounds,
                         out.to->names);
}

std::optional<refusal> read_confirm(std::string_view literal, post& out) {
  auto members = codec::split_object(literal);
  auto deadline = codec::find_member(members, "deadline_ms");
  int64_t ms = 0;
  if (deadline) {
    const auto* end = deadline->data() + deadline->size();
    if (std::from_chars(deadline->data(), end, ms).ptr != end)
      ms = 0;
  }
  if (ms < least_confirm_ms || ms > most_confirm_ms)
    return bad("confirm/deadline_ms", "an integer from 100 to 60000");
  out.confirm_ms = ms;
  return {};
}

constexpr std::array<std::string_view, 9> known_members = {
  "namespace", "type", "payload", "key",  "volatile",
  "confirm",   "to",   "event",   "args",
};

std::optional<refusal> read_member(std::string_view name,
                                   std::string_view value,
                                   const post_limits& bounds, post& out) {
  auto kind = codec::kind_of(value);
  if (name == "namespace") {
    if (auto no = read_name(value, bounds.name_bytes, out.nsp))
      return bad(name, "no name: " + *no);
    if (out.nsp[0] != '/')
      return bad(name, "a namespace begins with a slash, such as \"/\"");
  } else if (name == "type") {
    return take_label(name, value, bounds.name_bytes, out.type);
  } else if (name == "payload") {
    out.payload = value;
  } else if (name == "key") {
    return take_label(name, value, key_bytes, out.key);
  } else if (name == "volatile") {
    if (kind != json_kind::boolean)
      return bad(name, "true or false");
    out.volatile_ = value == "true";
  } else if (name == "confirm") {
    return read_confirm(value, out);
  } else if (name == "to") {
    return read_target(value, bounds, out);
  } else if (name == "event") {
    return take_label(name, value, bounds.name_bytes, out.event);
  } else if (name == "args") {
    if (kind != json_kind::array)
      return bad(name, "an array");
    out.args = value;
  } else {
    return bad(name, "unknown member; known are namespace, type, payload, key, "
                     "volatile, confirm, to, event, args");
  }
  return {};
}

} // namespace

std::string to_json(const refusal& x) {
  std::string out = "{\"ok\":false,\"error\":{\"code\":\"";
  out += to_string(x.code);
  out += "\",\"message\":";
  auto text = x.message.empty() ? std::string{describe(x.code)} : x.message;
  codec::quote_json(text, out);
  out += ",\"pointer\":";
  codec::quote_json(x.pointer, out);
  out += "}}";
  return out;
}

std::optional<refusal> read_post(std::string_view text,
                                 const post_limits& bounds, post& out) {
  if (codec::kind_of(text) != json_kind::object)
    return refusal{ec::bad_request, "", "an event is a JSON object"};
  if (text.size() > bounds.event_bytes)
    return refusal{ec::too_large, "", ""};
  unsigned seen = 0;
  codec::object_reader members{text};
  for (codec::json_member each; members.next(each);) {
    std::string unquoted;
    auto name = codec::unquote_json(each.first, unquoted);
    // Two answers to where an event goes are one too many. An unknown
    // member does not get far enough to stand here twice.
    auto known = std::find(known_members.begin(), known_members.end(), name);
    auto bit = 1u << (known - known_members.begin());
    if ((seen & bit) != 0)
      return bad(name, "stands here twice");
    seen |= bit;
    if (auto no = read_member(name, each.second, bounds, out))
      return no;
  }
  if (out.type.empty() && out.event.empty())
    return bad("type", "missing; give the type that the rules decide by");
  return {};
}

std::optional<refusal> route(post& x, const std::vector<rule_settings>& rules,
                             const post_limits& bounds, target& to,
                             std::string& event) {
  event = x.event.empty() ? x.type : x.event;
  if (x.to) {
    to = std::move(*x.to);
  } else {
    auto i = std::find_if(rules.begin(), rules.end(), [&x](const auto& rule) {
      return (rule.namespace_ == "*" || rule.namespace_ == x.nsp)
             && (rule.type == "*" || rule.type == x.type);
    });
    if (i == rules.end())
      return refusal{ec::no_rule, "/type", ""};
    if (i->to == rule_target::refuse)
      return refusal{ec::refused_by_rule, "/type", ""};
    if (x.event.empty() && !i->event.empty())
      event = i->event;
    to.names.clear();
    to.what = i->to == rule_target::user   ? target::kind::users
              : i->to == rule_target::room ? target::kind::rooms
                                           : target::kind::all;
    if (to.what != target::kind::all) {
      auto found = codec::resolve_pointer(x.payload, i->pointer);
      if (!found)
        return refusal{ec::no_recipient, "/payload" + i->pointer, ""};
      if (auto no = read_recipients(*found, ec::no_recipient,
                                    "/payload" + i->pointer, bounds, to.names))
        return no;
    }
  }
  if (socket::v5::reserved_event(event))
    return refusal{ec::reserved_event, x.event.empty() ? "/type" : "/event",
                   ""};
  if (x.confirm_ms > 0 && to.what != target::kind::users)
    return refusal{ec::confirm_needs_users, "/confirm", ""};
  return {};
}

std::string event_array(const post& x, const std::string& event) {
  std::string out;
  // With room for the packet's header on the wire.
  out.reserve(event.size() + x.payload.size() + x.args.size() + 64);
  out += '[';
  codec::quote_json(event, out);
  if (x.args.empty()) {
    out += ',';
    out += x.payload;
  } else {
    codec::array_reader elements{x.args};
    for (std::string_view each; elements.next(each);) {
      out += ',';
      out += each;
    }
  }
  out += ']';
  return out;
}

} // namespace signalbox
