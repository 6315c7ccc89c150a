#include "actors/api/log.hpp"
#include "apps/router/check_files.hpp"
#include "apps/router/commands.hpp"
#include "apps/router/options.hpp"
#include "apps/router/version.hpp"
#include "transports/codec/uri.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <iostream>
#include <string_view>

using namespace signalbox;

namespace {

/// Hides passwords of URLs from lists of the machine's processes.
void hide_passwords(int argc, char** argv) {
  for (auto i = 1; i < argc; ++i) {
    std::string_view word{argv[i]};
    if (!word.starts_with("--") || word.find("://") == word.npos)
      continue;
    auto hidden = codec::hide_user_info(word);
    // The place is as long as the text was.
    auto size = word.size();
    hidden.resize(std::min(hidden.size(), size));
    std::memset(argv[i], 0, size);
    hidden.copy(argv[i], hidden.size());
  }
}

} // namespace

int main(int argc, char** argv) {
  auto line = app::parse_command_line({argv + 1, argv + argc});
  hide_passwords(argc, argv);
  if (line.help && line.errors.empty()) {
    std::cout << app::help_text(line.command, line.help_all);
    return 0;
  }
  if (line.command == "key" && line.errors.empty())
    return app::new_key();
  if (line.command == "version" && line.errors.empty()) {
    std::cout << "signalbox " << app::version << "\n";
    return 0;
  }
  auto loaded = app::load_settings(line, app::process_environment());
  auto serves = line.command == "serve" || line.command == "check-config";
  if (serves && line.errors.empty() && loaded.errors.empty())
    app::check_files(loaded);
  auto errors = line.errors;
  errors.insert(errors.end(), loaded.errors.begin(), loaded.errors.end());
  for (const auto& each : errors)
    std::cerr << "signalbox: " << each << "\n";
  if (!errors.empty())
    return 2;
  if (line.command == "check-config") {
    for (const auto& each : loaded.warnings)
      std::cerr << "warning: " << each << "\n";
    std::cout << "the configuration is valid\n";
    return 0;
  }
  if (line.command != "serve")
    return app::run_command(line, loaded.values);
  start_log(loaded.values.log.level, loaded.values.log.format);
  for (const auto& each : loaded.warnings)
    spdlog::warn("{}", each);
  auto code = app::serve(loaded.values, line);
  end_log();
  return code;
}
