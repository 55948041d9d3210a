/// Counts every allocation of the program that includes it, in one file: malloc and its relatives of glibc are replaced
/// by versions that count and pass on. With another C library the count stays -1.
#pragma once

#include <stdlib.h>

#include <Eigen/Core>  // its intrinsics declare posix_memalign without noexcept, which clang takes before ours alone
#include <atomic>
#include <cerrno>
#include <cstddef>

#ifdef __GLIBC__

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace bench::detail {
inline std::atomic<long long> allocation_count{0};
inline void count() { allocation_count.fetch_add(1, std::memory_order_relaxed); }
}  // namespace bench::detail

extern "C" {
void* malloc(std::size_t bytes) noexcept {
  bench::detail::count();
  return __libc_malloc(bytes);
}
void* calloc(std::size_t number, std::size_t bytes) noexcept {
  bench::detail::count();
  return __libc_calloc(number, bytes);
}
void* realloc(void* block, std::size_t bytes) noexcept {
  bench::detail::count();
  return __libc_realloc(block, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  bench::detail::count();
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  bench::detail::count();
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) noexcept {
  bench::detail::count();
  *block = __libc_memalign(alignment, bytes);
  return *block != nullptr ? 0 : ENOMEM;
}
}

namespace bench {
inline long long allocations() { return detail::allocation_count; }
}  // namespace bench

#else

namespace bench {
inline long long allocations() { return -1; }
}  // namespace bench

#endif
