/// Memory of a device that several arrays share, counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
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
  /// Memory of somebody else, which is never given back here. An `owner` is kept as long as anybody sees the memory.
  explicit Memory(T* foreign, std::shared_ptr<const void> owner = nullptr)
      : block_(owner ? new KeptBlock(std::move(owner)) : nullptr), data_(foreign) {}
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
      release(block_);
  }

  T* get() const { return data_; }
  /// Whether nobody else shares the block, nor lent it.
  bool sole() const {
    return block_ != nullptr && !block_->foreign && block_->references.load(std::memory_order_acquire) == 1;
  }
  /// Whether both are parts of one block.
  bool beside(const Memory& other) const { return block_ != nullptr && block_ == other.block_; }
  /// How many elements the block has from here on.
  std::int64_t room() const {
    if (block_ == nullptr) return 0;
    return std::int64_t(
        (static_cast<const char*>(block_->memory) + block_->bytes - reinterpret_cast<const char*>(data_)) /
        std::ptrdiff_t(sizeof(T)));
  }
  /// The elements from `offset` on.
  Memory from(std::int64_t offset) const {
    Memory part = *this;
    if (part.data_) part.data_ += offset;
    return part;
  }

 private:
  struct Block : Pooled {
    explicit Block(std::size_t size) : bytes(size), memory(D::allocate(size)) {}
    ~Block() {
      if (!foreign) D::deallocate(memory, bytes);
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    std::atomic<std::uint32_t> references{1};
    const bool foreign = false;  ///< a KeptBlock
    std::size_t bytes = 0;
    void* memory = nullptr;

   protected:
    Block() : foreign(true) {}
  };
  struct KeptBlock final : Block {
    explicit KeptBlock(std::shared_ptr<const void> one) : owner(std::move(one)) {}
    std::shared_ptr<const void> owner;
  };
  static void release(Block* block) {
    if (block->foreign)
      delete static_cast<KeptBlock*>(block);
    else
      delete block;
  }

  Block* block_ = nullptr;
  T* data_ = nullptr;
};

}  // namespace lacuna::detail
