#include "actors/api/register.hpp"
#include "tests/simulation/world.hpp"

#include <caf/actor_system_config.hpp>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

// Many runs of a whole cluster in one process, each decided by its seed, and
// compared with a model. See tests/simulation/ledger.hpp and parcels.hpp for
// what must hold.

namespace {

using namespace signalbox;

struct config : caf::actor_system_config {
  config() {
    register_messages(*this);
    // Nothing runs but on the loops of the nodes.
    set("scheduler.policy", caf::atom("testing"));
    set("logger.file-verbosity", caf::atom("quiet"));
  }
};

int usage() {
  std::puts(
    "Usage: simulation [--seeds N] [--from N] [--seed N] [--seconds N]\n"
    "                  [--all] [--log]\n"
    "\n"
    "  --seeds N    how many runs, however long they take\n"
    "  --from N     the first seed; 1\n"
    "  --seed N     this one only, with everything that happens\n"
    "  --seconds N  begin no run after so many; 0 for no end\n"
    "  --all        go on after a violation\n"
    "  --log        what the nodes log too\n"
    "\n"
    "Without --seeds as many of 500 as begin within 60 s, or all of 10000 "
    "with\n"
    "SIGNALBOX_FULL. What a seed does depends on nothing else.");
  return 2;
}

} // namespace

int main(int argc, char** argv) {
  const auto* full = std::getenv("SIGNALBOX_FULL");
  uint64_t seeds = full != nullptr && *full != '\0' ? 10000 : 500;
  uint64_t seconds = seeds == 500 ? 60 : 0;
  uint64_t from = 1;
  uint64_t done = 0;
  auto trace = false;
  auto log = false;
  auto all = false;
  uint64_t bad = 0;
  for (auto i = 1; i < argc; ++i) {
    std::string word{argv[i]};
    if (word == "--log") {
      log = true;
      continue;
    }
    if (word == "--all") {
      all = true;
      continue;
    }
    if (i + 1 == argc)
      return usage();
    auto number = std::strtoull(argv[++i], nullptr, 10);
    if (word == "--seeds") {
      seeds = number;
      seconds = 0;
    } else if (word == "--seconds")
      seconds = number;
    else if (word == "--from")
      from = number;
    else if (word == "--seed") {
      from = number;
      seeds = 1;
      seconds = 0;
      trace = true;
    } else
      return usage();
  }
  spdlog::set_level(log ? spdlog::level::debug : spdlog::level::off);
  auto begin = std::chrono::steady_clock::now();
  config cfg;
  caf::actor_system sys{cfg};
  auto late = [&] {
    return seconds != 0
           && std::chrono::steady_clock::now() - begin
                >= std::chrono::seconds{seconds};
  };
  for (auto seed = from; seed < from + seeds && !late(); ++seed, ++done) {
    simulation::world x{sys, seed, trace};
    if (x.run())
      continue;
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
                x.log().failure().c_str());
    ++bad;
    if (all)
      continue;
    if (!trace) {
      std::puts("the last that happened:");
      for (const auto& line : x.log().last())
        std::printf("  %s\n", line.c_str());
    }
    std::printf("again: simulation --seed %llu\n",
                static_cast<unsigned long long>(seed));
    return 1;
  }
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%llu seeds in %.1f s, %llu violations\n",
              static_cast<unsigned long long>(done), took.count(),
              static_cast<unsigned long long>(bad));
  return bad == 0 ? 0 : 1;
}
