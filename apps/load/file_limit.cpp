#include "apps/load/file_limit.hpp"

#include <sys/resource.h>

namespace signalbox::load {

std::string raise_file_limit(uint64_t needed) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= needed)
    return {};
  return "the limit of open files is " + std::to_string(limit.rlim_max) + ", "
         + std::to_string(needed) + " are needed; lower --n or raise ulimit -n";
}

} // namespace signalbox::load
