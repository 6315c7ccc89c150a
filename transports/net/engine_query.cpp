#include "transports/net/engine_query.hpp"

#include "transports/codec/jsonp.hpp"
#include "transports/codec/uri.hpp"
#include "transports/net/engine_options.hpp"

namespace signalbox::net {

engine_query::engine_query(std::string_view query, const engine_options& opts) {
  for (auto& [name, value] : codec::parse_query(query)) {
    if (name == "transport")
      transport = value;
    else if (name == "sid")
      sid = value;
    else if (name == "EIO")
      eio = value;
    else if (name == "b64")
      base64 = !value.empty();
    else if (name == "j")
      script = codec::script_index(value);
  }
  speaks = codec::engine_dialect(eio, opts.unnamed_revision, opts.lax_revision);
}

} // namespace signalbox::net
