#pragma once

// What most suites without actors include, compiled once for all of them. A
// suite includes what it needs all the same.

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
