#include "actors/ingest/answers.hpp"

#include "actors/api/type_ids.hpp"

#include <caf/send.hpp>

namespace signalbox {

std::string describe_event(const under_way& x) {
  std::string out;
  out.reserve(x.id.size() + 128);
  out.append("{\"ok\":true,\"id\":\"").append(x.id).append("\",\"seq\":");
  out.append(std::to_string(x.seq)).append(",\"matched\":");
  out.append(std::to_string(x.matched)).append(",\"online\":");
  out.append(std::to_string(x.online)).append(",\"dup\":");
  out.append(x.dup ? "true" : "false");
  out += describe_partial(x.unreachable);
  return out;
}

std::string describe_partial(const std::vector<uint16_t>& unreachable) {
  if (unreachable.empty())
    return {};
  std::string out = ",\"partial\":true,\"unreachable\":[";
  for (auto node : unreachable)
    out += (out.back() == '[' ? "" : ",") + std::to_string(node);
  return out + ']';
}

uint64_t answers::open(transport_actor asker, uint64_t ticket, size_t events) {
  auto& x = calls_[++last_];
  x.asker = std::move(asker);
  x.ticket = ticket;
  x.outstanding = events;
  x.parts.resize(events);
  return last_;
}

void answers::add(const answer_slot& to, std::string json, unsigned status) {
  if (to.call == 0) {
    if (to.asker)
      caf::anon_send(to.asker, api_answer{to.ticket, status, std::move(json)});
    else if (to.publisher)
      caf::anon_send(to.publisher,
                     published{to.publisher_ticket, to.publisher_asks
                                                      ? std::move(json)
                                                      : std::string{}});
    return;
  }
  auto i = calls_.find(to.call);
  if (i == calls_.end())
    return;
  auto& x = i->second;
  x.bytes += json.size() + 1;
  x.parts[to.index] = std::move(json);
  if (--x.outstanding > 0)
    return;
  std::string body;
  body.reserve(x.bytes + 1);
  for (const auto& each : x.parts)
    body.append(1, body.empty() ? '[' : ',').append(each);
  body += ']';
  caf::anon_send(x.asker, api_answer{x.ticket, 200, std::move(body)});
  calls_.erase(i);
}

} // namespace signalbox
