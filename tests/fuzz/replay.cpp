// Feeds every file of the given folders to the fuzz target it is linked with;
// if the target changes inputs itself, also the same changes of each every
// time.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" __attribute__((weak)) size_t
LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max, unsigned seed);

namespace {

constexpr unsigned changes = 200;
constexpr size_t growth = 4096;

void run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()),
                         bytes.size());
}

void run_changed(const std::string& bytes) {
  for (unsigned seed = 1; seed <= changes; ++seed) {
    auto x = bytes;
    x.resize(bytes.size() + growth);
    x.resize(LLVMFuzzerCustomMutator(reinterpret_cast<uint8_t*>(x.data()),
                                     bytes.size(), x.size(), seed));
    run(x);
  }
}

} // namespace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : fs::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file())
        continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::string bytes{std::istreambuf_iterator<char>(in), {}};
      run(bytes);
      if (LLVMFuzzerCustomMutator != nullptr)
        run_changed(bytes);
      ++files;
    }
  }
  std::printf("%zu files replayed\n", files);
  return files == 0 ? 1 : 0;
}
