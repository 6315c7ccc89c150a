#include "actors/ingest/answers.hpp"

#include "actors/api/type_ids.hpp"

#include <caf/send.hpp>

namespace signalbox {

std::string describe_event(const under_way& x) {
  return "{\"ok\":true,\"id\":\"" + x.id + "\",\"seq\":" + std::to_string(x.seq)
         + ",\"matched\":" + std::to_string(x.matched) + ",\"online\":"
         + std::to_string(x.online) + ",\"dup\":" + (x.dup ? "true" : "false")
         + describe_partial(x.unreachable);
}

std::string describe_partial(const std::vector<uint16_t>& unreachable) {
  if (unreachable.empty())
    return {};
  std::string out = ",\"partial\":true,\"unreachable\":[";
  for (auto node : unreachable)
    out += (out.back() == '[' ? "" : ",") + std::to_string(node);
  return out + ']';
}

uint64_t answers::open(transport_actor asker, uint64_t ticket, bool array,
                       size_t events) {
  auto& x = calls_[++last_];
  x.asker = std::move(asker);
  x.ticket = ticket;
  x.array = array;
  x.outstanding = events;
  x.parts.resize(events);
  return last_;
}

bool answers::is_batch(uint64_t number) const {
  auto i = calls_.find(number);
  return i != calls_.end() && i->second.array;
}

void answers::add(const answer_slot& to, std::string json, unsigned status) {
  if (to.call == 0) {
    if (to.publisher_ticket != 0)
      caf::anon_send(to.publisher,
                     published{to.publisher_ticket, std::move(json)});
    return;
  }
  auto i = calls_.find(to.call);
  if (i == calls_.end())
    return;
  auto& x = i->second;
  x.parts[to.index] = std::move(json);
  if (!x.array)
    x.status = status;
  if (--x.outstanding > 0)
    return;
  std::string body;
  if (x.array) {
    for (const auto& each : x.parts)
      body.append(1, body.empty() ? '[' : ',').append(each);
    body += ']';
  } else {
    body = std::move(x.parts.front());
  }
  caf::anon_send(x.asker, api_answer{x.ticket, x.status, std::move(body)});
  calls_.erase(i);
}

} // namespace signalbox
