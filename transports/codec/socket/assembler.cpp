#include "transports/codec/socket/assembler.hpp"

#include "transports/codec/json_split.hpp"

#include <utility>

namespace signalbox::socket {

namespace {

bool incomplete(const packet& x) {
  auto binary =
    x.type == packet_type::binary_event || x.type == packet_type::binary_ack;
  return binary && x.attachments.size() < x.expected_attachments;
}

} // namespace

using codec::errc;

/// What a packet may become with its attachments inside, in times of what they
/// may take beside it.
constexpr size_t embedding = 2;

codec::result<std::optional<packet>> assembler::add(packet x) {
  if (waiting()) {
    current_.reset();
    return errc::unexpected_attachment;
  }
  if (!incomplete(x))
    return std::optional<packet>{std::move(x)};
  bytes_ = 0;
  current_ = std::move(x);
  return std::optional<packet>{};
}

codec::result<std::optional<packet>> assembler::add_binary(std::string bytes) {
  if (!waiting())
    return errc::unexpected_attachment;
  if (bytes.size() > max_bytes_ - bytes_) {
    current_.reset();
    return errc::too_large;
  }
  bytes_ += bytes.size();
  current_->attachments.push_back(std::move(bytes));
  if (incomplete(*current_))
    return std::optional<packet>{};
  auto whole = std::exchange(current_, std::nullopt);
  // Many placeholders may name one attachment.
  if (codec::embedded_size(whole->data, whole->attachments)
      > embedding * max_bytes_)
    return errc::too_large;
  return whole;
}

} // namespace signalbox::socket
