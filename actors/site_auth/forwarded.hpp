#pragma once

#include "actors/api/site_settings.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signalbox {

/// A browser's address, and the scheme and host that it asked for.
struct browser_origin {
  /// Its address, without port or brackets.
  std::string_view address;
  /// Host and port as it named them; empty if it named none.
  std::string_view host;
  /// Whether it came by https.
  bool secure = false;
};

/// Appends the headers by which the site learns of the browser behind a call.
void add_forwarded(forwarded_style style, const browser_origin& x,
                   std::vector<std::pair<std::string, std::string>>& headers);

} // namespace signalbox
