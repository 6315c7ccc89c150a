#include "actors/ingest/ingest.hpp"

#include "actors/api/log.hpp"
#include "actors/api/names.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/ingest/api_paths.hpp"
#include "actors/ingest/ingest_impl.hpp"
#include "transports/codec/encoded.hpp"
#include "transports/codec/json_scan.hpp"
#include "transports/log/line_limit.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <unordered_map>

namespace signalbox {

namespace {

constexpr std::string_view events_path = "/api/v1/events";

} // namespace

// -- HTTP -------------------------------------------------------------------

void ingest_impl::on(api_call& x) {
  auto key = keys_.find_bearer(x.authorization);
  if (!key) {
    ++count_.bad_keys;
    report("a post without a valid key was refused");
    answer(x, {ec::bad_key, "", ""});
    return;
  }
  std::optional<codec::json_view> json;
  if (!x.body.empty()) {
    auto view = codec::scan_json(x.body, json_limits());
    if (!view) {
      ++count_.events_refused;
      answer(x, {ec::bad_request, "",
                 std::string{"the body is no valid JSON: "}
                   + codec::to_string(view.error())});
      return;
    }
    json = std::move(*view);
  }
  if (x.path != events_path) {
    on_command(x, *key);
    return;
  }
  if (x.method != "POST") {
    answer(x, {ec::method_not_allowed, "", ""});
    return;
  }
  answer_slot slot;
  if (!json || json->kind != codec::json_kind::array) {
    slot.asker = x.asker;
    slot.ticket = x.ticket;
    if (json)
      take(x.body, *key, std::move(slot));
    else
      refuse(slot, {ec::bad_request, "", "the body is empty"});
    return;
  }
  const auto& events = json->elements;
  if (events.size() > opts_.ingest.max_batch) {
    ++count_.limit_batch;
    answer(x, {ec::batch_too_large, "", ""});
    return;
  }
  if (events.empty()) {
    caf::anon_send(x.asker, api_answer{x.ticket, 200, "[]"});
    return;
  }
  slot.call = answers_.open(x.asker, x.ticket, events.size());
  for (slot.index = 0; slot.index < events.size(); ++slot.index)
    take(events[slot.index], *key, slot);
}

/// Takes one posted event.
void ingest_impl::take(std::string_view text, size_t key, answer_slot slot) {
  post event;
  if (auto no = read_post(text, bounds(), event))
    refuse(slot, std::move(*no));
  else
    accept(event, key, std::move(slot));
}

void ingest_impl::on_command(api_call& x, size_t key) {
  user_command out;
  auto no = read_command(
    x.method, x.path, x.body,
    {opts_.ingest.max_batch, opts_.limits.name_bytes, opts_.limits.rooms}, out);
  if (!no && !out.nsp.empty() && !keys_.may_post(key, out.nsp))
    no = refusal{ec::not_allowed, "/namespace", ""};
  if (no) {
    answer(x, *no);
    return;
  }
  out.scope = keys_.at(key).namespaces;
  out.ticket = ++last_ticket_;
  commands_[out.ticket] = {x.asker, x.ticket, out};
  caf::anon_send(users_, std::move(out));
}

void ingest_impl::on(user_info& x) {
  auto node = commands_.extract(x.ticket);
  if (node.empty())
    return;
  const auto& [asker, ticket, asked] = node.mapped();
  auto outcome = found_nothing(asked, x) ? ec::not_found : ec::none;
  caf::anon_send(asker,
                 api_answer{ticket, http_status(outcome),
                            outcome == ec::none ? describe(asked, x)
                                                : to_json({outcome, "", ""})});
}

void ingest_impl::answer(const api_call& to, const refusal& why) {
  caf::anon_send(to.asker,
                 api_answer{to.ticket, http_status(why.code), to_json(why)});
}

// -- publishers -------------------------------------------------------------

void ingest_impl::on(publish& x) {
  answer_slot slot;
  slot.publisher = x.asker;
  slot.publisher_ticket = x.ticket;
  slot.publisher_asks = x.asks;
  post event;
  event.nsp = std::move(x.nsp);
  event.payload = x.payload;
  // Socket.IO knows numbers as names of events, too.
  auto no =
    codec::kind_of(x.type) == codec::json_kind::number
      ? check_name(event.type = std::move(x.type), opts_.limits.name_bytes)
      : read_label(x.type, opts_.limits.name_bytes, event.type);
  if (count_.memory_full != nullptr && count_.memory_full->load())
    refuse(slot, {ec::overloaded, "", ""});
  else if (event.payload.size() > opts_.ingest.max_event)
    refuse(slot, {ec::too_large, "", ""});
  else if (no)
    refuse(slot, {ec::bad_request, "/type", "no name: " + *no});
  else
    accept(event, x.key, std::move(slot));
}

// -- refusals ---------------------------------------------------------------

void ingest_impl::refuse(const answer_slot& to, refusal why) {
  ++count_.events_refused;
  if (why.code == ec::too_large)
    ++count_.limit_event_size;
  if (to.call != 0)
    why.pointer = "/" + std::to_string(to.index) + why.pointer;
  answers_.add(to, to_json(why), http_status(why.code));
}

void ingest_impl::report(std::string_view what) {
  if (auto turn = log_turn(log_cause::key))
    spdlog::warn("{}; see ingest.keys{}", what, *turn);
}

ingest_actor spawn_ingest(shard& home, const settings& opts,
                          const credentials& keys, users_actor users,
                          std::map<std::string, nsp_actor> nsps,
                          relay_actor relay, std::string id_prefix,
                          counters& count) {
  auto [handle, self] = spawn_light<ingest_impl, ingest_actor>(
    home, opts, keys, std::move(users), std::move(nsps), std::move(relay),
    std::move(id_prefix), count);
  self->watch();
  return handle;
}

} // namespace signalbox
