/// Memory of a device that several arrays share, counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "lacuna/core/pool.hpp"

namespace lacuna::detail {

/// A pointer to elements, and a share in the block that holds them: the last one to go gives the block back.
template <class T, class D>
class Memory {
 public:
  Memory() = default;
  /// Uninitialised.
  explicit Memory(std::size_t bytes) : block_(new Block(bytes)), data_(static_cast<T*>(block_->memory)) {}
  Memory(const Memory& other) : block_(other.block_), data_(other.data_) {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Memory(Memory&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), data_(std::exchange(other.data_, nullptr)) {}
  Memory& operator=(Memory other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Memory() {
    // the only owner may skip the atomic decrement: no other thread can gain a reference
    if (block_ && (block_->references.load(std::memory_order_acquire) == 1 ||
                   block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1))
      delete block_;
  }

  T* get() const { return data_; }
  /// Whether both are parts of one block.
  bool beside(const Memory& other) const { return block_ != nullptr && block_ == other.block_; }
  /// The elements from `offset` on.
  Memory from(std::int64_t offset) const {
    Memory part = *this;
    if (part.data_) part.data_ += offset;
    return part;
  }

 private:
  struct Block : Pooled {
    explicit Block(std::size_t size) : bytes(size), memory(D::allocate(size)) {}
    ~Block() { D::deallocate(memory, bytes); }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    std::atomic<std::uint32_t> references{1};
    std::size_t bytes;
    void* memory;
  };

  Block* block_ = nullptr;
  T* data_ = nullptr;
};

}  // namespace lacuna::detail
