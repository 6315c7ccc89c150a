#include "apps/load/process_usage.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

namespace signalbox::load {

namespace {

std::string proc_path(pid_t id, const char* name) {
  return "/proc/" + std::to_string(id) + "/" + name;
}

double ticks_to_seconds(uint64_t ticks) {
  return double(ticks) / double(sysconf(_SC_CLK_TCK));
}

// Returns utime + stime, which are those of all threads.
std::optional<double> cpu_seconds(pid_t id) {
  std::ifstream file{proc_path(id, "stat")};
  std::string line;
  if (!std::getline(file, line))
    return std::nullopt;
  // The name stands in parentheses and may hold blanks and parentheses.
  auto end = line.rfind(')');
  if (end == std::string::npos)
    return std::nullopt;
  std::istringstream fields{line.substr(end + 1)};
  std::string skipped;
  for (int i = 3; i < 14; ++i)
    fields >> skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  fields >> user >> system;
  return fields ? std::optional{ticks_to_seconds(user + system)} : std::nullopt;
}

uint64_t resident_bytes(pid_t id) {
  std::ifstream file{proc_path(id, "statm")};
  uint64_t total = 0;
  uint64_t resident = 0;
  file >> total >> resident;
  return file ? resident * uint64_t(sysconf(_SC_PAGESIZE)) : 0;
}

// On-CPU time in nanoseconds: softirq threads use too little for 10 ms steps.
double scheduled_seconds(pid_t id) {
  std::ifstream file{proc_path(id, "schedstat")};
  uint64_t nanoseconds = 0;
  file >> nanoseconds;
  return file ? double(nanoseconds) / 1e9 : 0;
}

double machine_seconds() {
  std::ifstream file{"/proc/stat"};
  std::string name;
  file >> name;
  uint64_t busy = 0;
  // user nice system idle iowait irq softirq steal
  for (int i = 0; i < 8; ++i) {
    uint64_t value = 0;
    file >> value;
    if (i != 3 && i != 4)
      busy += value;
  }
  return ticks_to_seconds(busy);
}

double own_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  auto seconds = [](const timeval& x) {
    return double(x.tv_sec) + double(x.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::vector<pid_t> softirq_threads() {
  std::vector<pid_t> result;
  auto* folder = opendir("/proc");
  if (folder == nullptr)
    return result;
  while (const auto* entry = readdir(folder)) {
    std::string name = entry->d_name;
    pid_t id = 0;
    auto [end, ec] =
      std::from_chars(name.data(), name.data() + name.size(), id);
    if (ec != std::errc{} || end != name.data() + name.size())
      continue;
    std::ifstream file{proc_path(id, "comm")};
    std::string command;
    std::getline(file, command);
    if (command.starts_with("ksoftirqd/"))
      result.push_back(id);
  }
  closedir(folder);
  return result;
}

} // namespace

usage_reader::usage_reader(std::vector<pid_t> servers)
  : servers_(std::move(servers)), softirq_threads_(softirq_threads()) {
  // nop
}

usage usage_reader::read() const {
  usage result;
  for (auto id : servers_) {
    result.cpu += cpu_seconds(id).value_or(0);
    result.resident += resident_bytes(id);
  }
  for (auto id : softirq_threads_)
    result.softirq += scheduled_seconds(id);
  result.own = own_seconds();
  result.machine = machine_seconds();
  return result;
}

pid_t usage_reader::missing() const {
  for (auto id : servers_)
    if (!cpu_seconds(id))
      return id;
  return 0;
}

} // namespace signalbox::load
