#include "transports/net/memory_use.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <optional>
#include <string_view>

namespace signalbox::net {

namespace {

constexpr auto unlimited = std::numeric_limits<size_t>::max();

std::optional<size_t> number(std::string_view text) {
  size_t out = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (ec != std::errc{} || end == text.data())
    return {};
  return out;
}

/// Returns the first word of a file that is a number.
std::optional<size_t> read_number(const std::string& file) {
  std::ifstream in{file};
  std::string word;
  in >> word;
  return number(word);
}

/// Returns the number behind a name at the beginning of a line.
std::optional<size_t> find_number(const std::string& file,
                                  std::string_view name) {
  std::ifstream in{file};
  for (std::string key, word; in >> key >> word;) {
    if (key == name)
      return number(word);
    in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return {};
}

struct group {
  std::string top;
  std::string path;
  bool unified = false;
};

/// Returns the control group that counts the memory of this process.
std::optional<group> find_group(const std::string& root) {
  std::ifstream in{root + "/proc/self/cgroup"};
  std::optional<group> out;
  for (std::string line; std::getline(in, line);) {
    auto first = line.find(':');
    auto second = line.find(':', first + 1);
    if (second == line.npos)
      continue;
    auto kinds = "," + line.substr(first + 1, second - first - 1) + ",";
    auto path = line.substr(second + 1);
    // Where both are there, memory belongs to the one that names it.
    if (kinds.find(",memory,") != kinds.npos)
      return group{root + "/sys/fs/cgroup/memory", path, false};
    if (kinds == ",,")
      out = group{root + "/sys/fs/cgroup", path, true};
  }
  return out;
}

} // namespace

memory_use::memory_use(std::string root) : root_(std::move(root)) {
  limit_ = unlimited;
  auto x = find_group(root_);
  if (!x)
    return;
  auto* file = x->unified ? "/memory.max" : "/memory.limit_in_bytes";
  // In a container the path may be that of the host, and the group the top.
  for (auto path = x->path;;) {
    auto here = x->top + (path == "/" ? "" : path);
    if (auto most = read_number(here + file); most && *most < limit_) {
      limit_ = *most;
      if (group_.empty())
        group_ = here;
    }
    if (path.empty() || path == "/")
      break;
    path.resize(path.rfind('/'));
  }
  unified_ = x->unified;
}

size_t memory_use::given() const {
  auto machine = find_number(root_ + "/proc/meminfo", "MemTotal:");
  return std::min(limit_, machine ? *machine * 1024 : unlimited);
}

size_t memory_use::used() const {
  size_t pages = 0;
  std::ifstream in{root_ + "/proc/self/statm"};
  in >> pages >> pages;
  auto out = pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  if (group_.empty())
    return out;
  auto sockets = unified_
                   ? find_number(group_ + "/memory.stat", "sock")
                   : read_number(group_ + "/memory.kmem.tcp.usage_in_bytes");
  return out + sockets.value_or(0);
}

} // namespace signalbox::net
