#include "transports/session/parcel.hpp"

#include "transports/codec/legacy/v0_9.hpp"

namespace signalbox::session {

std::optional<parcel> parcel::take(outbox& from, const engine::revision* speaks,
                                   bool binary) {
  if (from.bytes() < least_bytes)
    return {};
  for (size_t i = 0; i < from.packets(); ++i)
    if (const auto& x = from.at(i); !x.body || !x.head.empty())
      return {};
  parcel out{speaks, binary};
  out.packets_.reserve(from.packets());
  for (; !from.empty(); from.pop())
    out.packets_.push_back(from.at(0).body);
  return out;
}

size_t parcel::bytes() const noexcept {
  size_t out = 0;
  for (const auto& each : packets_)
    out += each->text().size();
  return out;
}

std::string parcel::payload() const {
  std::string out;
  out.reserve(bytes() + 16 * packets_.size());
  for (const auto& each : packets_)
    if (speaks_ != nullptr)
      speaks_->append_packet(each->text(), {}, each->binary, binary_, out);
    else if (packets_.size() > 1)
      legacy::v0_9::append_piece(each->text(), {}, out);
    else
      out += each->text();
  return out;
}

} // namespace signalbox::session
