#include "transports/net/memory_use.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/check.hpp"

using namespace signalbox::net;

namespace {

/// A system of files.
struct machine {
  machine() {
    char name[] = "/tmp/signalbox-memory-XXXXXX";
    root = ::mkdtemp(name);
    write("/proc/meminfo", "MemTotal:        1000 kB\nMemFree: 1 kB\n");
    write("/proc/self/statm", "900 100 50 1 0 200 0\n");
  }

  ~machine() {
    std::filesystem::remove_all(root);
  }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::path file{root + path};
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file} << text;
  }

  size_t given() const {
    return memory_use{root}.given();
  }

  size_t used() const {
    return memory_use{root}.used() - 100 * page;
  }

  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  std::string root;
};

} // namespace

TEST(without a control group the machine is the bound) {
  machine x;
  CHECK_EQUAL(x.given(), 1024000u);
  CHECK_EQUAL(x.used(), 0u);
}

TEST(a control group of version 2 bounds and tells of sockets) {
  machine x;
  x.write("/proc/self/cgroup", "0::/system.slice/signalbox.service\n");
  auto group = std::string{"/sys/fs/cgroup/system.slice/signalbox.service"};
  x.write(group + "/memory.max", "max\n");
  x.write(group + "/memory.stat", "anon 77\nfile 5\nsock 4096\nslab 9\n");
  CHECK_EQUAL(x.given(), 1024000u);
  CHECK_EQUAL(x.used(), 0u);
  x.write(group + "/memory.max", "300000\n");
  CHECK_EQUAL(x.given(), 300000u);
  CHECK_EQUAL(x.used(), 4096u);
  MESSAGE("one around it may be the narrower one");
  x.write("/sys/fs/cgroup/system.slice/memory.max", "200000\n");
  CHECK_EQUAL(x.given(), 200000u);
  MESSAGE("and the machine the narrowest");
  x.write("/proc/meminfo", "MemTotal: 100 kB\n");
  CHECK_EQUAL(x.given(), 102400u);
}

TEST(in a container the group is the top) {
  machine x;
  x.write("/proc/self/cgroup", "0::/\n");
  x.write("/sys/fs/cgroup/memory.max", "500000\n");
  CHECK_EQUAL(x.given(), 500000u);
}

TEST(a control group of version 1 bounds and tells of sockets) {
  machine x;
  x.write("/proc/self/cgroup",
          "5:cpu,memory:/jobs/7\n1:name=systemd:/init\n0::/init\n");
  x.write("/sys/fs/cgroup/memory/jobs/7/memory.limit_in_bytes", "400000\n");
  x.write("/sys/fs/cgroup/memory/jobs/7/memory.kmem.tcp.usage_in_bytes",
          "8192\n");
  x.write("/sys/fs/cgroup/memory/memory.limit_in_bytes",
          "9223372036854771712\n");
  CHECK_EQUAL(x.given(), 400000u);
  CHECK_EQUAL(x.used(), 8192u);
}
