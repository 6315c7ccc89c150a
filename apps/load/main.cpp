#include "apps/load/churn.hpp"
#include "apps/load/options.hpp"
#include "apps/load/report.hpp"
#include "apps/load/scenario.hpp"

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

// Exit codes.
constexpr int clean = 0;
constexpr int unclean = 1;
constexpr int not_run = 2;

int run(const std::vector<std::string>& words) {
  using namespace signalbox::load;
  options chosen;
  auto wrong = parse_options(words, chosen);
  if (!wrong.empty()) {
    std::fprintf(stderr, "signalbox-load: %s\n", wrong.c_str());
    return not_run;
  }
  if (chosen.help) {
    std::fputs(help_text(), stdout);
    return clean;
  }
  auto found = chosen.mode == run_mode::churn ? churn{chosen}.run()
                                              : scenario{chosen}.run();
  std::printf("%s\n", to_json(chosen, found).c_str());
  std::fprintf(stderr, "%s\n", to_line(chosen, found).c_str());
  if (found.clean())
    return clean;
  return found.connected >= chosen.clients + chosen.bystanders ? unclean
                                                               : not_run;
}

} // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "signalbox-load: %s\n", error.what());
    return not_run;
  }
}
