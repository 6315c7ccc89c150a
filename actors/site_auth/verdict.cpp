#include "actors/site_auth/verdict.hpp"

#include "actors/api/names.hpp"
#include "actors/api/type_ids.hpp"
#include "transports/codec/json_scan.hpp"
#include "transports/codec/json_split.hpp"
#include "transports/codec/json_text.hpp"

#include <algorithm>

namespace signalbox {

namespace {

using codec::json_kind;

constexpr codec::json_limits reply_limits{16, 10000};

/// Returns the body without the byte order mark that editors put in front of
/// PHP files, and without white space around.
std::string_view content_of(const net::client_reply& reply) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  constexpr std::string_view blank = " \t\r\n";
  std::string_view out{reply.body};
  if (out.starts_with(mark))
    out.remove_prefix(mark.size());
  out.remove_prefix(std::min(out.find_first_not_of(blank), out.size()));
  return out.substr(0, out.find_last_not_of(blank) + 1);
}

/// Returns the members of a JSON reply, nothing if it is none.
std::optional<std::vector<codec::json_member>>
members_of(const net::client_reply& reply, std::string& why) {
  if (reply.content_type != "application/json") {
    why = "its Content-Type is not application/json";
    return {};
  }
  auto content = content_of(reply);
  auto view = codec::scan_json(content, reply_limits);
  if (!view || view->kind != json_kind::object) {
    why = "its body is no JSON object of at most 16 levels";
    return {};
  }
  return codec::split_object(content);
}

/// Returns the only member of this name. More than one would leave it to the
/// reader which of them counts.
std::optional<std::string_view> only(const std::vector<codec::json_member>& all,
                                     std::string_view name, std::string& why) {
  auto out = codec::find_member(all, name);
  auto named = [name](const auto& x) {
    return codec::unquote_json(x.first) == name;
  };
  if (out && std::count_if(all.begin(), all.end(), named) > 1)
    why = "its " + std::string{name} + " stands there twice";
  return out;
}

/// Reads the user's id.
bool read_user(const std::vector<codec::json_member>& members, size_t most,
               std::string& out, std::string& why) {
  std::string_view name = "user_id";
  auto id = only(members, name, why);
  if (!id)
    id = only(members, name = "id", why);
  if (!id)
    why = "it has no user_id";
  else if (auto no = why.empty() ? read_id(*id, most, out) : std::nullopt)
    why = "its " + std::string{name} + " is no id: " + *no;
  return why.empty();
}

bool read_info(const std::vector<codec::json_member>& members, std::string& out,
               std::string& why) {
  auto info = only(members, "info", why);
  if (!info || *info == "null")
    return why.empty();
  if (codec::kind_of(*info) != json_kind::object)
    why = "its info is no object";
  else
    out = *info;
  return why.empty();
}

bool read_rooms(const std::vector<codec::json_member>& members,
                const verdict_limits& bounds, std::vector<std::string>& out,
                std::string& why) {
  auto rooms = only(members, "rooms", why);
  if (!rooms || *rooms == "null")
    return why.empty();
  auto all = codec::split_array(*rooms);
  if (codec::kind_of(*rooms) != json_kind::array || all.size() > bounds.rooms)
    why = "its rooms are no array of at most " + std::to_string(bounds.rooms)
          + " (limits.rooms)";
  for (size_t i = 0; i < all.size() && why.empty(); ++i) {
    std::string name;
    if (auto no = read_id(all[i], bounds.name_bytes, name))
      why = "its room " + std::to_string(i) + " is no id: " + *no;
    out.push_back(std::move(name));
  }
  return why.empty();
}

} // namespace

verdict read_verdict(const net::client_reply& reply,
                     const verdict_limits& bounds, std::string& why) {
  verdict out;
  if (!reply.error.empty()) {
    why = reply.error;
    return out;
  }
  if (reply.status == 401 || reply.status == 403) {
    out.outcome = ec::unauthorized;
    return out;
  }
  if (reply.status != 200) {
    why = "it answered with status " + std::to_string(reply.status);
    return out;
  }
  auto members = members_of(reply, why);
  if (!members)
    return out;
  auto ok = only(*members, "ok", why);
  if (!why.empty())
    return out;
  if (ok && *ok == "false") {
    out.outcome = ec::unauthorized;
    return out;
  }
  // Nothing of a verdict counts that is wrong in part.
  verdict read;
  if (read_user(*members, bounds.name_bytes, read.user, why)
      && read_info(*members, read.info, why)
      && read_rooms(*members, bounds, read.rooms, why)) {
    read.outcome = ec::none;
    return read;
  }
  return out;
}

event_forwarded read_event_reply(const net::client_reply& reply,
                                 std::string& why) {
  event_forwarded out;
  out.outcome = ec::site_failed;
  if (!reply.error.empty()) {
    why = reply.error;
    return out;
  }
  if (reply.status < 200 || reply.status > 299) {
    why = "it answered with status " + std::to_string(reply.status);
    return out;
  }
  out.ack = "[]";
  if (!content_of(reply).empty()) {
    auto members = members_of(reply, why);
    if (!members)
      return out;
    if (auto ack = codec::find_member(*members, "ack")) {
      if (codec::kind_of(*ack) != json_kind::array) {
        why = "its ack is no array";
        return out;
      }
      out.ack = *ack;
    }
  }
  out.outcome = ec::none;
  return out;
}

} // namespace signalbox
