# Flags that every target of ours gets.
add_library(signalbox_options INTERFACE)
target_compile_features(signalbox_options INTERFACE cxx_std_20)
target_compile_options(signalbox_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Werror)
# GCC 12 sees overlapping copies in std::string where there are none (its bug
# 105651), and uninitialized variables in <regex> under sanitizers.
if (CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(signalbox_options INTERFACE -Wno-restrict)
  if (SIGNALBOX_SANITIZE)
    target_compile_options(signalbox_options INTERFACE
      -Wno-maybe-uninitialized)
  endif ()
  # Asio's fences order what its locks order anyway.
  if (SIGNALBOX_SANITIZE STREQUAL "thread")
    target_compile_options(signalbox_options INTERFACE -Wno-tsan)
  endif ()
endif ()
# A message without a type ID becomes a compile error; CAF 0.17.6 would only
# warn at run time.
target_compile_definitions(signalbox_options INTERFACE
  CAF_ENABLE_TYPE_ID_CHECKS)
target_include_directories(signalbox_options INTERFACE "${PROJECT_SOURCE_DIR}")
if (SIGNALBOX_SANITIZE)
  # CAF 0.17.6 binds a null reference for function-based actors.
  target_compile_options(signalbox_options INTERFACE
    -fsanitize=${SIGNALBOX_SANITIZE} -fno-sanitize=null
    -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  target_link_options(signalbox_options INTERFACE
    -fsanitize=${SIGNALBOX_SANITIZE})
endif ()
if (SIGNALBOX_FUZZ)
  target_compile_options(signalbox_options INTERFACE -fsanitize=fuzzer-no-link)
endif ()

# Adds the static library signalbox_NAME from DIR with the given sources,
# named without their suffix. The link graph is the include rule once more.
function (signalbox_add_room name dir)
  list(TRANSFORM ARGN PREPEND "${PROJECT_SOURCE_DIR}/${dir}/")
  list(TRANSFORM ARGN APPEND ".cpp")
  add_library(signalbox_${name} STATIC ${ARGN})
  target_link_libraries(signalbox_${name} PUBLIC signalbox_options)
endfunction ()
