#include "actors/connection/packets.hpp"

#include "actors/api/names.hpp"
#include "transports/codec/json_scan.hpp"
#include "transports/codec/json_split.hpp"
#include "transports/codec/json_text.hpp"

namespace signalbox {

using socket::packet_type;

namespace {

socket::packet make(packet_type type, const std::string& nsp) {
  socket::packet out;
  out.type = type;
  out.nsp = nsp;
  return out;
}

} // namespace

socket::packet accept_packet(const std::string& nsp, std::string_view sid) {
  auto out = make(packet_type::connect, nsp);
  out.data = "{\"sid\":\"";
  out.data.append(sid).append("\"}");
  return out;
}

socket::packet refuse_packet(const std::string& nsp, std::string_view message,
                             std::string_view data) {
  auto out = make(packet_type::connect_error, nsp);
  out.data = "{\"message\":";
  codec::quote_json(message, out.data);
  if (!data.empty())
    out.data.append(",\"data\":").append(data);
  out.data += '}';
  return out;
}

socket::packet refuse_packet(const std::string& nsp, ec why) {
  switch (why) {
  case ec::unauthorized:
    return refuse_packet(nsp, "unauthorized", {});
  case ec::invalid_namespace:
    return refuse_packet(nsp, "Invalid namespace", {});
  case ec::too_many_connections:
    return refuse_packet(nsp, "too many connections", {});
  case ec::too_many_namespaces:
    return refuse_packet(nsp, "too many namespaces", {});
  case ec::auth_too_large:
    return refuse_packet(nsp, "auth payload too large", {});
  default:
    return refuse_packet(nsp, "unavailable", R"({"retry":true})");
  }
}

counters::number& refusals(counters& all, ec why) {
  switch (why) {
  case ec::unauthorized:
    return all.connects_unauthorized;
  case ec::invalid_namespace:
    return all.connects_invalid;
  case ec::too_many_connections:
    return all.connects_too_many;
  case ec::too_many_namespaces:
    return all.limit_namespaces;
  case ec::auth_too_large:
    return all.limit_auth_payload;
  default:
    return all.connects_unavailable;
  }
}

socket::packet disconnect_packet(const std::string& nsp) {
  return make(packet_type::disconnect, nsp);
}

socket::packet ack_packet(const std::string& nsp, uint64_t id,
                          std::string_view args) {
  auto out = make(packet_type::ack, nsp);
  out.id = id;
  if (auto json = codec::extract_binary(args, out.attachments)) {
    out.data = std::move(*json);
  } else {
    // What looks like a binary value and is none goes out as it is.
    out.attachments.clear();
    out.data = args;
  }
  if (!out.attachments.empty())
    out.type = packet_type::binary_ack;
  return out;
}

std::optional<std::string> offered_key(std::string_view auth) {
  auto x = codec::find_member(codec::split_object(auth), "key");
  if (!x)
    return {};
  auto key = codec::kind_of(*x) == codec::json_kind::string
               ? codec::unquote_json_strictly(*x)
               : std::string{};
  return key ? *key : std::string{};
}

key_offer find_key(const credentials& all, const session::handshake& from,
                   std::string_view auth, size_t name_bytes) {
  if (from.site())
    return {true, all.publisher()};
  if (auto key = offered_key(auth)) {
    key_offer out{true, all.find(*key)};
    if (auto x = codec::find_member(codec::split_object(auth), "listen")) {
      std::string user;
      out.listens = read_id(*x, name_bytes, user) ? std::string{} : user;
    }
    return out;
  }
  auto index = all.find_bearer(from.header("authorization"));
  return {index.has_value(), index};
}

bool may_join(const credentials& all, const key_offer& by,
              std::string_view nsp) {
  if (!by.index)
    return false;
  if (by.listens)
    return !by.listens->empty() && all.may_post(*by.index, nsp)
           && all.at(*by.index).may_listen;
  // Many libraries enter the main namespace on their way to another; INGEST
  // refuses what a key may not post.
  return nsp == "/" || all.may_post(*by.index, nsp);
}

emission read_emission(const socket::packet& x) {
  // Placeholders count over the whole array, so they are resolved there.
  auto whole = codec::embed_binary(x.data, x.attachments);
  auto parts = codec::split_array(whole);
  emission out;
  out.type = parts[0];
  if (parts.size() > 1)
    out.payload = parts[1];
  return out;
}

std::string error_args(ec why) {
  std::string out = "[{\"ok\":false,\"error\":{\"code\":\"";
  out += to_string(why);
  out += "\",\"message\":";
  codec::quote_json(describe(why), out);
  out += "}}]";
  return out;
}

} // namespace signalbox
