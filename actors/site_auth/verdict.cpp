#include "actors/site_auth/verdict.hpp"

#include "actors/api/type_ids.hpp"
#include "transports/codec/json_scan.hpp"
#include "transports/codec/json_split.hpp"

namespace signalbox {

namespace {

using codec::json_kind;

constexpr codec::json_limits reply_limits{16, 10000};

/// Returns the members of a JSON reply, nothing if it is none.
std::optional<std::vector<codec::json_member>>
members_of(const net::client_reply& reply, std::string& why) {
  if (reply.content_type != "application/json") {
    why = "its Content-Type is not application/json";
    return {};
  }
  auto view = codec::scan_json(reply.body, reply_limits);
  if (!view || view->kind != json_kind::object) {
    why = "its body is no JSON object of at most 16 levels";
    return {};
  }
  return codec::split_object(reply.body);
}

/// Returns a user id: a non-empty string, or an integer of at most 2^53.
std::string user_of(std::string_view literal) {
  switch (codec::kind_of(literal)) {
  case json_kind::string:
    return codec::unquote_json(literal);
  case json_kind::number: {
    auto digits = literal.starts_with('-') ? literal.substr(1) : literal;
    auto whole = digits.find_first_not_of("0123456789") == digits.npos;
    auto small = digits.size() < 16
                 || (digits.size() == 16 && digits <= "9007199254740992");
    return whole && small ? std::string{literal} : std::string{};
  }
  default:
    return {};
  }
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
  if (auto ok = codec::find_member(*members, "ok"); ok && *ok == "false") {
    out.outcome = ec::unauthorized;
    return out;
  }
  auto id = codec::find_member(*members, "user_id");
  if (!id)
    id = codec::find_member(*members, "id");
  if (id)
    out.user = user_of(*id);
  if (out.user.empty() || out.user.size() > bounds.name_bytes) {
    why = "its user_id is no non-empty string or integer within the limits";
    return out;
  }
  if (auto info = codec::find_member(*members, "info");
      info && *info != "null") {
    if (codec::kind_of(*info) != json_kind::object) {
      why = "its info is no object";
      return out;
    }
    out.info = *info;
  }
  if (auto rooms = codec::find_member(*members, "rooms");
      rooms && *rooms != "null") {
    auto all = codec::split_array(*rooms);
    if (codec::kind_of(*rooms) != json_kind::array
        || all.size() > bounds.rooms) {
      why = "its rooms are no array within limits.rooms";
      return out;
    }
    for (auto each : all) {
      auto name = codec::kind_of(each) == json_kind::string
                    ? codec::unquote_json(each)
                    : std::string{};
      if (name.empty() || name.size() > bounds.name_bytes) {
        why = "a room is no non-empty string within limits.name-bytes";
        out.rooms.clear();
        return out;
      }
      out.rooms.push_back(std::move(name));
    }
  }
  out.outcome = ec::none;
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
  if (!reply.body.empty()) {
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
