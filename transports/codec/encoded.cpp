#include "transports/codec/encoded.hpp"

#include "transports/codec/engine/v3.hpp"
#include "transports/codec/engine/v4.hpp"
#include "transports/codec/json_split.hpp"
#include "transports/codec/json_text.hpp"
#include "transports/codec/legacy/v0_9.hpp"
#include "transports/codec/socket/v5.hpp"
#include "transports/codec/ws/frame.hpp"

#include <utility>

namespace signalbox::codec {

namespace {

namespace v0_9 = legacy::v0_9;

/// Most memory that may stand idle behind a packet as long as it waits.
constexpr size_t most_room = 256;

/// The raw type byte of a binary message in Engine.IO 3.
constexpr std::string_view v3_message = "\x04";

std::string engine_header(size_t attachments, std::string_view nsp,
                          std::optional<uint64_t> id) {
  std::string out{'4'};
  auto type = attachments > 0 ? socket::packet_type::binary_event
                              : socket::packet_type::event;
  socket::v5::encode_header(type, attachments, nsp, id, out);
  return out;
}

std::string legacy_header(std::string_view nsp, std::optional<uint64_t> id) {
  std::string out;
  v0_9::encode_header(v0_9::packet_type::event, id, nsp, out);
  out += ':';
  return out;
}

encoded_ptr encoded_of(ws::opcode op, std::string frame, size_t text_at,
                       size_t json_at) {
  auto x = std::make_shared<encoded>();
  x->frame = std::move(frame);
  x->text_at = static_cast<uint32_t>(text_at);
  x->json_at = static_cast<uint32_t>(json_at);
  x->binary = op == ws::opcode::binary;
  return x;
}

encoded_ptr frame_of(ws::opcode op, std::string_view head,
                     std::string_view body) {
  char header[ws::max_header];
  auto n = ws::encode_header(op, head.size() + body.size(), header);
  std::string frame;
  frame.reserve(n + head.size() + body.size());
  frame.append(header, n);
  frame += head;
  frame += body;
  return encoded_of(op, std::move(frame), n, n + head.size());
}

/// The same in the memory of `body`, if it has just enough.
encoded_ptr frame_of(ws::opcode op, std::string_view head, std::string&& body) {
  char header[ws::max_header];
  auto n = ws::encode_header(op, head.size() + body.size(), header);
  auto room = body.capacity() - body.size();
  if (room < n + head.size() || room > most_room)
    return frame_of(op, head, std::string_view{body});
  body.insert(0, head);
  body.insert(0, header, n);
  return encoded_of(op, std::move(body), n, n + head.size());
}

} // namespace

encoded_ptr encode_attachment(wire_form form, std::string_view bytes) {
  std::string text;
  switch (form) {
  case wire_form::v3:
    return frame_of(ws::opcode::binary, v3_message, bytes);
  case wire_form::v3_base64:
    engine::v3::encode_binary(bytes, text);
    return frame_of(ws::opcode::text, {}, text);
  case wire_form::v4_base64:
    engine::v4::encode_binary(bytes, text);
    return frame_of(ws::opcode::text, {}, text);
  default:
    return frame_of(ws::opcode::binary, {}, bytes);
  }
}

shared_event::shared_event(std::string nsp, std::string args,
                           std::vector<std::string> attachments)
  : nsp_(std::move(nsp)),
    event_(frame_of(ws::opcode::text,
                    engine_header(attachments.size(), nsp_, {}),
                    std::move(args))) {
  if (attachments.empty())
    return;
  attached_.reserve(1 + attachments.size());
  attached_.push_back(event_);
  for (const auto& bytes : attachments)
    attached_.push_back(encode_attachment(wire_form::v4, bytes));
}

std::string_view shared_event::args() const noexcept {
  return std::string_view{event_->frame}.substr(event_->json_at);
}

std::span<const encoded_ptr> shared_event::others(wire_form form) const {
  auto& x = others_[static_cast<size_t>(form) - 1];
  std::call_once(x.once, [this, form, &x] {
    if (form == wire_form::v09) {
      x.packets.push_back(legacy_packet());
      return;
    }
    x.packets.push_back(form == wire_form::v3_base64 ? ascii_packet() : event_);
    for (size_t i = 1; i < attached_.size(); ++i)
      x.packets.push_back(encode_attachment(form, attached_[i]->text()));
  });
  return x.packets;
}

encoded_ptr shared_event::legacy_packet() const {
  std::vector<std::string> attachments;
  for (size_t i = 1; i < attached_.size(); ++i)
    attachments.emplace_back(attached_[i]->text());
  std::string data;
  if (attachments.empty())
    v0_9::encode_event(args(), data);
  else
    v0_9::encode_event(embed_binary(args(), attachments), data);
  return frame_of(ws::opcode::text, legacy_header(nsp_, {}), data);
}

encoded_ptr shared_event::ascii_packet() const {
  std::string json;
  ascii_json(args(), json);
  return frame_of(ws::opcode::text, engine_header(v4().size() - 1, nsp_, {}),
                  json);
}

std::string shared_event::header(wire_form form, uint64_t id) const {
  return form == wire_form::v09 ? legacy_header(nsp_, id)
                                : engine_header(v4().size() - 1, nsp_, id);
}

} // namespace signalbox::codec
