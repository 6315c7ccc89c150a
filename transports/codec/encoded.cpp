#include "transports/codec/encoded.hpp"

#include "transports/codec/socket/v5.hpp"
#include "transports/codec/ws/frame.hpp"

namespace signalbox::codec {

namespace {

std::string header_text(size_t attachments, std::string_view nsp,
                        std::optional<uint64_t> id) {
  std::string out{'4'};
  auto type = attachments > 0 ? socket::packet_type::binary_event
                              : socket::packet_type::event;
  socket::v5::encode_header(type, attachments, nsp, id, out);
  return out;
}

encoded_ptr frame_of(ws::opcode op, std::string_view head,
                     std::string_view body) {
  auto x = std::make_shared<encoded>();
  char header[ws::max_header];
  auto n = ws::encode_header(op, head.size() + body.size(), header);
  x->frame.reserve(n + head.size() + body.size());
  x->frame.append(header, n);
  x->frame += head;
  x->frame += body;
  x->text_at = static_cast<uint32_t>(n);
  x->json_at = static_cast<uint32_t>(n + head.size());
  x->binary = op == ws::opcode::binary;
  return x;
}

} // namespace

encoded_ptr encode_attachment(std::string_view bytes) {
  return frame_of(ws::opcode::binary, {}, bytes);
}

shared_event::shared_event(std::string nsp, std::string args,
                           std::vector<std::string> attachments)
  : nsp_(std::move(nsp)) {
  v4_.reserve(1 + attachments.size());
  v4_.push_back(frame_of(ws::opcode::text,
                         header_text(attachments.size(), nsp_, {}), args));
  for (const auto& bytes : attachments)
    v4_.push_back(encode_attachment(bytes));
}

std::string_view shared_event::args() const noexcept {
  return std::string_view{v4_.front()->frame}.substr(v4_.front()->json_at);
}

std::string shared_event::header_v4(uint64_t id) const {
  return header_text(v4_.size() - 1, nsp_, id);
}

} // namespace signalbox::codec
