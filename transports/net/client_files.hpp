#pragma once

#include "transports/net/http.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::net {

/// The official client's browser builds, held in memory.
class client_files {
public:
  /// Reads the builds that lie in `folder`; an empty name serves nothing.
  /// Returns in `error` why the folder is of no use.
  client_files(const std::string& folder, std::string& error);

  /// Returns whether a name is one of the official client's builds, be it
  /// served or not.
  static bool is_build(std::string_view name) noexcept;

  /// Returns the answer to a GET or HEAD for the file of this name
  /// (`socket.io.js`), nothing if there is none.
  std::optional<http_response> find(std::string_view name,
                                    const http_request& x) const;

private:
  struct file {
    std::string plain;
    std::string gzipped;
    std::string etag;
    std::string_view type;
  };

  std::map<std::string, file, std::less<>> files_;
};

} // namespace signalbox::net
