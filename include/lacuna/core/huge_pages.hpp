/// Memory for what a program reads over and over: large blocks in the system's huge pages, where it has them.
///
/// The processor remembers where some thousand pages lie. Weights of 14 MB are 3,500 pages of 4 KiB, or seven of 2 MiB.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace lacuna::detail {

/// `bytes` of memory, 64-byte aligned, given back with the last who shares it. Below 2 MiB an ordinary block; elsewhere
/// than on Linux, and where the system is set never to give huge pages, always one. Throws std::bad_alloc.
inline std::shared_ptr<void> in_huge_pages(std::size_t bytes) {
  constexpr std::size_t page = std::size_t(2) << 20;
  const std::size_t alignment = bytes < page ? 64 : page;
  const std::size_t size = (bytes + alignment - 1) / alignment * alignment;
  void* const memory = std::aligned_alloc(alignment, size > 0 ? size : alignment);
  if (memory == nullptr) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (bytes >= page) (void)::madvise(memory, size, MADV_HUGEPAGE);  // a wish: refused, pages stay small
#endif
  return std::shared_ptr<void>(memory, [](void* block) { std::free(block); });
}

}  // namespace lacuna::detail
