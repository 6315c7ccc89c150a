#include "transports/codec/engine/revision.hpp"

#include "transports/codec/engine/v3.hpp"
#include "transports/codec/engine/v4.hpp"
#include "transports/codec/json_text.hpp"
#include "transports/codec/socket/v4.hpp"

namespace signalbox::engine {

namespace {

using codec::wire_form;

class revision4 : public revision {
public:
  explicit revision4(bool base64) : base64_(base64) {
    // nop
  }

  codec::dialect dialect() const noexcept override {
    return codec::dialect::eio4;
  }

  wire_form form() const noexcept override {
    return base64_ ? wire_form::v4_base64 : wire_form::v4;
  }

  bool server_pings() const noexcept override {
    return true;
  }

  bool joins_main() const noexcept override {
    return false;
  }

  bool binary_payloads() const noexcept override {
    return false;
  }

  bool takes_binary_payloads() const noexcept override {
    return false;
  }

  codec::result<std::vector<piece>>
  split_payload(std::string_view payload, bool,
                size_t max_packets) const override {
    return v4::split_payload(payload, max_packets);
  }

  codec::result<packet> decode_packet(const piece& x,
                                      std::string& scratch) const override {
    if (x.binary)
      return packet{packet_type::message, true, x.bytes};
    return v4::decode_packet(x.bytes, scratch);
  }

  void append_packet(std::string_view head, std::string_view body,
                     bool attachment, bool, std::string& out) const override {
    if (!out.empty())
      out += v4::separator;
    if (attachment) {
      v4::encode_binary(head, out);
      return;
    }
    out += head;
    out += body;
  }

  codec::result<socket::packet>
  decode_message(std::string_view text,
                 const socket::v5::limits& limits) const override {
    return socket::v5::decode(text, limits);
  }

  void encode_message(const socket::packet& x,
                      std::string& out) const override {
    socket::v5::encode(x, out);
  }

private:
  bool base64_;
};

class revision3 : public revision {
public:
  explicit revision3(bool base64) : base64_(base64) {
    // nop
  }

  codec::dialect dialect() const noexcept override {
    return codec::dialect::eio3;
  }

  wire_form form() const noexcept override {
    return base64_ ? wire_form::v3_base64 : wire_form::v3;
  }

  bool server_pings() const noexcept override {
    return false;
  }

  bool joins_main() const noexcept override {
    return true;
  }

  // A client that did not ask for base64 gets bytes always: clients 1.0 to 2.5
  // read them alike, and some others read nothing else.
  bool binary_payloads() const noexcept override {
    return !base64_;
  }

  bool takes_binary_payloads() const noexcept override {
    return true;
  }

  codec::result<std::vector<piece>>
  split_payload(std::string_view payload, bool binary,
                size_t max_packets) const override {
    return binary ? v3::split_binary(payload, max_packets)
                  : v3::split_text(payload, max_packets);
  }

  codec::result<packet> decode_packet(const piece& x,
                                      std::string& scratch) const override {
    return v3::decode_packet(x, scratch);
  }

  void append_packet(std::string_view head, std::string_view body,
                     bool attachment, bool binary,
                     std::string& out) const override {
    if (binary) {
      v3::append_binary(head, body, attachment, out);
    } else if (attachment) {
      // Its type byte, as frames have it, is the `4` of the text.
      std::string text;
      v3::encode_binary(head.substr(1), text);
      v3::append_text(text, {}, out);
    } else {
      v3::append_text(head, body, out);
    }
  }

  codec::result<socket::packet>
  decode_message(std::string_view text,
                 const socket::v5::limits& limits) const override {
    return socket::v4::decode(text, limits);
  }

  void encode_message(const socket::packet& x,
                      std::string& out) const override {
    if (!base64_) {
      socket::v4::encode(x, out);
      return;
    }
    // Text payloads hold JSON in ASCII (see `wire_form::v3_base64`).
    std::string text;
    socket::v4::encode(x, text);
    auto json_at = text.size() - socket::v4::payload_of(x).size();
    out.append(text, 0, json_at);
    codec::ascii_json(std::string_view{text}.substr(json_at), out);
  }

private:
  bool base64_;
};

} // namespace

const revision& find_revision(codec::dialect x, bool base64) noexcept {
  static const revision4 v4{false};
  static const revision4 v4_base64{true};
  static const revision3 v3{false};
  static const revision3 v3_base64{true};
  if (x == codec::dialect::eio4)
    return base64 ? v4_base64 : v4;
  return base64 ? v3_base64 : v3;
}

} // namespace signalbox::engine
