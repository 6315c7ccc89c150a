#pragma once

// For suites without actors: CAF's test macros only, which compile fast.

#ifndef SUITE
#error "tests/CMakeLists.txt defines SUITE from the path of the file"
#endif
// CAF names a suite itself if its headers came first.
#undef CAF_SUITE
#define CAF_SUITE SUITE

#include <caf/test/unit_test.hpp>

#define TEST CAF_TEST
#define CHECK CAF_CHECK
#define CHECK_EQUAL CAF_CHECK_EQUAL
#define REQUIRE CAF_REQUIRE
#define REQUIRE_EQUAL CAF_REQUIRE_EQUAL
#define MESSAGE CAF_MESSAGE
