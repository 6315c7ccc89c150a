#include "transports/net/call_turns.hpp"

#include <algorithm>

namespace signalbox::net {

namespace {

size_t places_of_events(size_t all) {
  return std::max<size_t>(1, all - (all + 3) / 4);
}

} // namespace

call_turns::call_turns(const options& opts)
  : opts_(opts), event_places_(places_of_events(opts.concurrency)) {
  // nop
}

void call_turns::add(uint64_t id, call_kind kind, const call_origin& from) {
  of(kind).push(id, from.address.client(), from.connection);
}

std::optional<uint64_t> call_turns::next() {
  if (active_questions_ + active_events_ >= opts_.concurrency)
    return std::nullopt;
  auto question = questions_.size() > 0;
  auto event = events_.size() > 0 && active_events_ < event_places_;
  if (event && (!question || in_a_row_ >= questions_in_a_row)) {
    in_a_row_ = 0;
    ++active_events_;
    return events_.pop();
  }
  if (!question)
    return std::nullopt;
  in_a_row_ = events_.size() > 0 ? in_a_row_ + 1 : 0;
  ++active_questions_;
  return questions_.pop();
}

std::optional<uint64_t> call_turns::overflow(const call_origin& newest) {
  if (waiting() <= opts_.most)
    return std::nullopt;
  auto kind =
    events_.size() > opts_.most / 8 ? call_kind::event : call_kind::question;
  return of(kind).drop(newest.address.client(), newest.connection);
}

bool call_turns::share(uint64_t id, call_kind kind, const call_origin& from,
                       const call_origin& to) {
  auto& all = of(kind);
  auto there = to.address.client();
  auto here = from.address.client();
  if (all.size(there) > all.size(here)
      || all.size(there, to.connection) >= all.ahead(id, here, from.connection))
    return false;
  all.remove(id, here, from.connection);
  all.push(id, there, to.connection);
  return true;
}

void call_turns::remove(uint64_t id, call_kind kind, const call_origin& from) {
  of(kind).remove(id, from.address.client(), from.connection);
}

void call_turns::end(call_kind kind) {
  --(kind == call_kind::question ? active_questions_ : active_events_);
}

} // namespace signalbox::net
