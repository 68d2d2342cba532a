// NW_ASSERT states what the programmer knows to be true. It is on in every build: a corrupt
// process that keeps answering does more harm than one that restarts.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace nw::detail {
[[noreturn]] inline void assert_failed(const char* condition, const char* file, int line)
{
    std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    std::abort();
}
}  // namespace nw::detail

#define NW_ASSERT(condition) ((condition) ? void(0) : ::nw::detail::assert_failed(#condition, __FILE__, __LINE__))
