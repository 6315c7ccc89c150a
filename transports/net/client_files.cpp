#include "transports/net/client_files.hpp"

#include "transports/codec/base64.hpp"
#include "transports/codec/deflate.hpp"
#include "transports/net/header_list.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace signalbox::net {

client_files::client_files(const std::string& folder, std::string& error) {
  if (folder.empty())
    return;
  for (const auto* name : {"socket.io.js", "socket.io.js.map",
                           "socket.io.min.js", "socket.io.min.js.map"}) {
    std::ifstream in(folder + "/" + name, std::ios::binary);
    if (!in)
      continue;
    file x;
    x.plain.assign(std::istreambuf_iterator<char>(in), {});
    codec::gzip(x.plain, x.gzipped);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(x.plain.data()),
           x.plain.size(), digest);
    x.etag = '"';
    codec::encode_base64url({reinterpret_cast<char*>(digest), 12}, x.etag);
    x.etag += '"';
    x.type = std::string_view{name}.ends_with(".map")
               ? "application/json; charset=UTF-8"
               : "application/javascript; charset=UTF-8";
    files_.emplace(name, std::move(x));
  }
  if (files_.empty())
    error = folder + " holds no socket.io.js";
}

bool client_files::is_build(std::string_view name) noexcept {
  return name.starts_with("socket.io.") && name.ends_with(".js");
}

std::optional<http_response> client_files::find(std::string_view name,
                                                const http_request& x) const {
  auto i = files_.find(name);
  if (i == files_.end())
    return {};
  const auto& found = i->second;
  http_response out;
  out.content_type = found.type;
  out.headers = "Cache-Control: public, max-age=0\r\nETag: " + found.etag
                + "\r\nVary: Accept-Encoding\r\n";
  auto known = list_elements(x, "if-none-match");
  auto same = [&found](std::string_view tag) {
    return tag == "*" || tag == found.etag
           || (tag.starts_with("W/") && tag.substr(2) == found.etag);
  };
  if (std::any_of(known.begin(), known.end(), same)) {
    out.status = 304;
    return out;
  }
  if (takes_coding(x, "gzip")) {
    out.headers += "Content-Encoding: gzip\r\n";
    out.body = found.gzipped;
  } else {
    out.body = found.plain;
  }
  return out;
}

} // namespace signalbox::net
