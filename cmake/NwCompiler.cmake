# Language level, warnings, sanitizers and hardening: everything that is the same for each target.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR "GCC 12 miscompiles everyday coroutines (co_await in an if of a coroutine without locals). "
                      "Use clang-19: cmake --preset fast")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")

find_program(NW_CCACHE ccache)
if(NW_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${NW_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${NW_CCACHE})
endif()
find_program(NW_LLD ld.lld-19)
if(NW_LLD)
  add_link_options(-fuse-ld=lld-19 -Wl,--as-needed)  # a short-lived program should load only what it uses
endif()

add_library(nw_warnings INTERFACE)
target_compile_options(nw_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual
  -Wnull-dereference -Wimplicit-fallthrough -Werror
  # Designated initialisers leave the other members at their declared defaults: that is what they are for.
  -Wno-missing-designated-field-initializers -Wno-missing-field-initializers)

if(NW_SANITIZE)
  add_compile_options(-fsanitize=${NW_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${NW_SANITIZE})
endif()

if(NW_FUZZ)
  # Coverage in every object; only the programs of tests/fuzz link libFuzzer's main.
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

if(NW_RELEASE)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  add_compile_options(-D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection
                      -ffunction-sections -fdata-sections)
  add_link_options(-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--gc-sections)
endif()
