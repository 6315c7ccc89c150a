#pragma once

#include <string>
#include <vector>

namespace signalbox::ws {

/// What a client sends, and what a reader makes of it.
struct sample {
  const char* name;
  std::string wire;
  /// Messages as `text(40) `, an error as `!bad_frame`; `...` at the end if
  /// something is unfinished. The reader allows 70000 bytes in 3 fragments.
  std::string expected;
};

/// Returns samples for each rule of RFC 6455. The masking key is mostly 0, so
/// that payloads are legible.
inline const std::vector<sample>& samples() {
  using namespace std::literals;
  static const std::vector<sample> all{
    // -- whole messages -------------------------------------------------------
    {"the masked example of RFC 6455 section 5.7",
     "\x81"                  // FIN, text
     "\x85"                  // masked, 5 bytes
     "\x37\xFA\x21\x3D"      // key
     "\x7F\x9F\x4D\x51\x58"s // Hello
     ,
     "text(Hello) "},
    {"empty text",
     "\x81"              // FIN, text
     "\x80"              // masked, 0 bytes
     "\x37\xFA\x21\x3D"s // key
     ,
     "text() "},
    {"binary",
     "\x82"             // FIN, binary
     "\x82"             // masked, 2 bytes
     "\x01\x01\x01\x01" // key
     "\xFE\xFF"s        // FF FE
     ,
     "binary(\xFF\xFE) "},
    {"two messages in a row",
     "\x81"       // FIN, text
     "\x81"       // masked, 1 byte
     "\0\0\0\0"   // key
     "2"          //
     "\x82"       // FIN, binary
     "\x81"       // masked, 1 byte
     "\x01\0\0\0" // key
     "2"s         // 3
     ,
     "text(2) binary(3) "},
    {"16-bit length",
     "\x82"      // FIN, binary
     "\xFE"      // masked, 16-bit length
     "\0\x7E"    // 126 bytes
     "\0\0\0\0"s // key
       + std::string(126, 'x'),
     "binary(" + std::string(126, 'x') + ") "},
    {"64-bit length",
     "\x82"             // FIN, binary
     "\xFF"             // masked, 64-bit length
     "\0\0\0\0\0\1\0\0" // 65536 bytes
     "\0\0\0\0"s        // key
       + std::string(65536, 'x'),
     "binary(" + std::string(65536, 'x') + ") "},
    {"a header cut off",
     "\x82" // FIN, binary
     "\xFE" // masked, 16-bit length
     "\0"s  // first half of the length
     ,
     "..."},
    {"a payload cut off",
     "\x81"     // FIN, text
     "\x82"     // masked, 2 bytes
     "\0\0\0\0" // key
     "4"s       // first byte
     ,
     "..."},
    // -- fragments ------------------------------------------------------------
    {"fragments 4 and 0 (V21)",
     "\x01\x81" // text, masked, 1 byte
     "\0\0\0\0" // key
     "4"        //
     "\x80\x81" // FIN, continuation, masked, 1 byte
     "\0\0\0\0" // key
     "0"s       //
     ,
     "text(40) "},
    {"empty fragments",
     "\x02\x80"  // binary, masked, empty
     "\0\0\0\0"  // key
     "\x00\x80"  // continuation, masked, empty
     "\0\0\0\0"  // key
     "\x80\x80"  // FIN, continuation, masked, empty
     "\0\0\0\0"s // key
     ,
     "binary() "},
    {"a ping between fragments",
     "\x01\x81" // text, masked, 1 byte
     "\0\0\0\0" // key
     "4"        //
     "\x89\x82" // FIN, ping, masked, 2 bytes
     "\0\0\0\0" // key
     "hi"       //
     "\x80\x81" // FIN, continuation, masked, 1 byte
     "\0\0\0\0" // key
     "0"s       //
     ,
     "ping(hi) text(40) "},
    {"a message after a fragmented one",
     "\x01\x80" // text, masked, empty
     "\0\0\0\0" // key
     "\x80\x81" // FIN, continuation, masked, 1 byte
     "\0\0\0\0" // key
     "2"        //
     "\x01\x81" // text, masked, 1 byte
     "\0\0\0\0" // key
     "3"s       //
     ,
     "text(2) ..."},
    {"a stray continuation",
     "\x80\x81" // FIN, continuation, masked, 1 byte
     "\0\0\0\0" // key
     "4"s       //
     ,
     "!bad_frame"},
    {"a stray continuation behind a message",
     "\x81\x81" // FIN, text, masked, 1 byte
     "\0\0\0\0" // key
     "2"        //
     "\x00\x81" // continuation, masked, 1 byte
     "\0\0\0\0" // key
     "4"s       //
     ,
     "text(2) !bad_frame"},
    {"a new message inside a message",
     "\x01\x81" // text, masked, 1 byte
     "\0\0\0\0" // key
     "4"        //
     "\x81\x81" // FIN, text, masked, 1 byte
     "\0\0\0\0" // key
     "0"s       //
     ,
     "!bad_frame"},
    {"a fourth fragment where three are allowed",
     "\x01\x80\0\0\0\0" // text, masked, empty, key
     "\x00\x80\0\0\0\0" // continuation
     "\x00\x80\0\0\0\0" // continuation
     "\x80"s            // FIN, continuation
     ,
     "!too_many_pieces"},
    // -- header faults --------------------------------------------------------
    {"no mask",
     "\x81\x01"
     "2"s,
     "!bad_frame"}, // FIN, text, 1 byte, payload
    {"RSV1 without extension", "\xC1"s, "!bad_frame"},
    {"RSV2", "\xA1"s, "!bad_frame"},
    {"RSV3", "\x91"s, "!bad_frame"},
    {"opcode 3", "\x83"s, "!bad_frame"},
    {"opcode 7", "\x87"s, "!bad_frame"},
    {"opcode 11", "\x8B"s, "!bad_frame"},
    {"opcode 15", "\x8F"s, "!bad_frame"},
    {"125 bytes in 16 bits", "\x82\xFE\0\x7D"s, "!bad_frame"},
    {"65535 bytes in 64 bits", "\x82\xFF\0\0\0\0\0\0\xFF\xFF"s, "!bad_frame"},
    {"2^63 bytes", "\x82\xFF\x80\0\0\0\0\0\0\0"s, "!bad_frame"},
    {"2^63-1 bytes", "\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s, "!too_large"},
    // -- control frames -------------------------------------------------------
    {"ping hi (V21)",
     "\x89\x82" // FIN, ping, masked, 2 bytes
     "\0\0\0\0" // key
     "hi"s      //
     ,
     "ping(hi) "},
    {"empty pong",
     "\x8A\x80"  // FIN, pong, masked, empty
     "\0\0\0\0"s // key
     ,
     "pong() "},
    {"ping of 125 bytes",
     "\x89\xFD"  // FIN, ping, masked, 125 bytes
     "\0\0\0\0"s // key
       + std::string(125, '\xFE'),
     "ping(" + std::string(125, '\xFE') + ") "},
    {"ping of 126 bytes", "\x89\xFE"s, "!bad_frame"},
    {"ping in fragments", "\x09\x80"s, "!bad_frame"},
    // -- close ----------------------------------------------------------------
    {"close without a body",
     "\x88\x80"  // FIN, close, masked, empty
     "\0\0\0\0"s // key
     ,
     "close() "},
    {"close 1000 bye (V21)",
     "\x88\x85" // FIN, close, masked, 5 bytes
     "\0\0\0\0" // key
     "\x03\xE8" // 1000
     "bye"s     //
     ,
     "close(\x03\xE8"
     "bye) "},
    {"close with half a code", "\x88\x81"s, "!bad_frame"},
    {"close 999",
     "\x88\x82"  // FIN, close, masked, 2 bytes
     "\0\0\0\0"  // key
     "\x03\xE7"s // 999
     ,
     "!bad_frame"},
    {"close with a reason that is no UTF-8",
     "\x88\x83" // FIN, close, masked, 3 bytes
     "\0\0\0\0" // key
     "\x03\xE8" // 1000
     "\xFF"s    //
     ,
     "!bad_utf8"},
    {"close inside a message",
     "\x01\x81"  // text, masked, 1 byte
     "\0\0\0\0"  // key
     "4"         //
     "\x88\x82"  // FIN, close, masked, 2 bytes
     "\0\0\0\0"  // key
     "\x0B\xB8"s // 3000
     ,
     "close(\x0B\xB8) ..."},
    // -- UTF-8 ----------------------------------------------------------------
    {"4 FF FE (V21)",
     "\x81\x83"   // FIN, text, masked, 3 bytes
     "\0\0\0\0"   // key
     "4\xFF\xFE"s //
     ,
     "!bad_utf8"},
    {"a character cut by a fragment",
     "\x01\x82" // text, masked, 2 bytes
     "\0\0\0\0" // key
     "\xE2\x82" // first two bytes of the euro sign
     "\x80\x81" // FIN, continuation, masked, 1 byte
     "\0\0\0\0" // key
     "\xAC"s    // the third
     ,
     "text(\xE2\x82\xAC) "},
    {"a character that never ends",
     "\x81\x82"  // FIN, text, masked, 2 bytes
     "\0\0\0\0"  // key
     "\xE2\x82"s // first two bytes of the euro sign
     ,
     "!bad_utf8"},
    {"a character that never ends, in fragments",
     "\x01\x82"  // text, masked, 2 bytes
     "\0\0\0\0"  // key
     "\xE2\x82"  // first two bytes of the euro sign
     "\x80\x80"  // FIN, continuation, masked, empty
     "\0\0\0\0"s // key
     ,
     "!bad_utf8"},
    {"a surrogate, before the message is complete",
     "\x01\x82"  // text, masked, 2 bytes
     "\0\0\0\0"  // key
     "\xED\xA0"s // a prefix of U+D800
     ,
     "!bad_utf8"},
    {"the same as binary",
     "\x82\x82"  // FIN, binary, masked, 2 bytes
     "\0\0\0\0"  // key
     "\xED\xA0"s //
     ,
     "binary(\xED\xA0) "},
  };
  return all;
}

} // namespace signalbox::ws
