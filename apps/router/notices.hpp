#pragma once

#include "actors/api/settings.hpp"
#include "transports/log/line_limit.hpp"
#include "transports/net/engine_options.hpp"

#include <array>
#include <chrono>

namespace signalbox::app {

/// Logs what an operator should learn of requests, with the setting that would
/// change it: of each kind at most one line a second. From any thread.
class notices {
public:
  /// `opts` outlives the object.
  explicit notices(const settings& opts) : opts_(opts) {
    // nop
  }

  /// A page was refused.
  void report(const net::refused_page& x);

  /// Anything else.
  void report(net::notice what, std::string_view about);

private:
  line_limit& limit_of(net::notice what);

  const settings& opts_;
  std::array<line_limit, static_cast<size_t>(net::notice::count_)> limits_;
  /// For what is no refusal.
  line_limit assumed_{std::chrono::hours{1}};
  line_limit polling_{std::chrono::hours{1}};
};

} // namespace signalbox::app
