#include "actors/ingest/api_paths.hpp"

#include "actors/api/names.hpp"
#include "actors/ingest/answers.hpp"
#include "transports/codec/json_scan.hpp"
#include "transports/codec/json_split.hpp"
#include "transports/codec/json_text.hpp"
#include "transports/codec/uri.hpp"

#include <set>

namespace signalbox {

namespace {

using codec::json_kind;
using kind = user_command::kind;

constexpr std::string_view prefix = "/api/v1/";

refusal missing() {
  return {ec::not_found, "",
          "known paths are /api/v1/events, /api/v1/users/online, "
          "/api/v1/users/{id}, /api/v1/users/{id}/disconnect, "
          "/api/v1/users/{id}/rooms, and the same for connections"};
}

std::optional<refusal> read_ids(std::string_view literal,
                                const std::string& pointer, size_t most,
                                size_t name_bytes,
                                std::vector<std::string>& out) {
  auto all = codec::split_array(literal);
  if (codec::kind_of(literal) != json_kind::array || all.size() > most)
    return refusal{ec::bad_request, pointer,
                   "an array of at most " + std::to_string(most) + " ids"};
  for (size_t i = 0; i < all.size(); ++i)
    if (auto no = read_id(all[i], name_bytes, out.emplace_back()))
      return refusal{ec::bad_request, pointer + "/" + std::to_string(i),
                     "no id: " + *no};
  return {};
}

std::optional<refusal> read_rooms(std::string_view body,
                                  const command_limits& bounds,
                                  user_command& out) {
  if (codec::kind_of(body) != json_kind::object)
    return refusal{ec::bad_request, "",
                   R"({"namespace":"/","join":[...],"leave":[...]})"};
  out.nsp = "/";
  for (const auto& [literal, value] : codec::split_object(body)) {
    auto name = codec::unquote_json(literal);
    std::optional<refusal> no;
    if (name == "namespace") {
      if (auto why = read_name(value, bounds.name_bytes, out.nsp))
        no = refusal{ec::bad_request, "/namespace", "no name: " + *why};
      else if (!out.nsp.starts_with('/'))
        no = refusal{ec::bad_request, "/namespace",
                     "a namespace begins with a slash, such as \"/\""};
    } else if (name == "join") {
      no = read_ids(value, "/join", bounds.rooms, bounds.name_bytes, out.join);
    } else if (name == "leave") {
      no =
        read_ids(value, "/leave", bounds.rooms, bounds.name_bytes, out.leave);
    } else {
      no = refusal{ec::bad_request, "/" + name,
                   "unknown member; known are namespace, join, leave"};
    }
    if (no)
      return no;
  }
  return {};
}

} // namespace

std::optional<refusal> read_command(std::string_view method,
                                    std::string_view path,
                                    std::string_view body,
                                    const command_limits& bounds,
                                    user_command& out) {
  if (!path.starts_with(prefix))
    return missing();
  path.remove_prefix(prefix.size());
  if (path.starts_with("users/"))
    path.remove_prefix(6);
  else if (path.starts_with("connections/")) {
    path.remove_prefix(12);
    out.connections = true;
  } else {
    return missing();
  }
  auto slash = path.find('/');
  auto id = codec::percent_decode(path.substr(0, slash));
  auto verb = slash == path.npos ? std::string_view{} : path.substr(slash + 1);
  if (id.empty())
    return missing();
  if (auto no = check_name(id, bounds.name_bytes))
    return refusal{ec::bad_request, "", "the id in the path is none: " + *no};
  auto wrong_method = refusal{ec::method_not_allowed, "", ""};
  if (verb.empty() && !out.connections && id == "online" && method == "POST") {
    out.what = kind::online;
    auto members = codec::split_object(body);
    auto ids = codec::find_member(members, "ids");
    if (!ids)
      return refusal{ec::bad_request, "/ids", "missing"};
    return read_ids(*ids, "/ids", bounds.ids, bounds.name_bytes, out.ids);
  }
  out.ids.push_back(std::move(id));
  if (verb.empty() && !out.connections) {
    out.what = kind::show;
    return method == "GET" ? std::optional<refusal>{} : wrong_method;
  }
  if (verb == "disconnect") {
    out.what = kind::disconnect;
    return method == "POST" ? std::optional<refusal>{} : wrong_method;
  }
  if (verb == "rooms") {
    out.what = kind::rooms;
    return method == "POST" ? read_rooms(body, bounds, out) : wrong_method;
  }
  return missing();
}

namespace {

std::string describe_user(const user_info& x) {
  auto known = !x.online.empty() && x.online.front();
  auto out = std::string{"{\"online\":"} + (known ? "true" : "false")
             + ",\"version\":" + std::to_string(x.version)
             + ",\"connections\":[";
  for (const auto& each : x.connections)
    out.append(out.back() == '[' ? "" : ",").append(each);
  out += ']';
  if (!x.info.empty())
    out += ",\"info\":" + x.info;
  return out + describe_partial(x.unreachable) + '}';
}

std::string describe_online(const user_command& asked, const user_info& x) {
  std::string out = "{\"ok\":true,\"online\":{";
  std::set<std::string_view> seen;
  for (size_t i = 0; i < asked.ids.size() && i < x.online.size(); ++i) {
    if (!seen.insert(asked.ids[i]).second)
      continue;
    if (out.back() != '{')
      out += ',';
    codec::quote_json(asked.ids[i], out);
    out += x.online[i] ? ":true" : ":false";
  }
  return out + '}' + describe_partial(x.unreachable) + '}';
}

} // namespace

std::string describe(const user_command& asked, const user_info& x) {
  switch (asked.what) {
  case kind::show:
    return describe_user(x);
  case kind::online:
    return describe_online(asked, x);
  default:
    return "{\"ok\":true,\"connections\":" + std::to_string(x.changed)
           + describe_partial(x.unreachable) + '}';
  }
}

bool found_nothing(const user_command& asked, const user_info& x) {
  return asked.connections && x.changed == 0;
}

} // namespace signalbox
