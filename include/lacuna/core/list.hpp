/// Lists that come and go with every step: their memory is the pool's, so that the steady state asks the system for
/// nothing.
#pragma once

#include <initializer_list>
#include <utility>
#include <vector>

#include "lacuna/core/pool.hpp"

namespace lacuna {
namespace detail {

template <class T>
struct PoolAllocator {
  using value_type = T;
  static_assert(alignof(T) <= BlockPool::alignment);

  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) {}
  T* allocate(std::size_t count) {
    if (count > std::size_t(-1) / 2 / sizeof(T)) throw std::bad_alloc();
    return static_cast<T*>(BlockPool::take(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept { BlockPool::give(memory, count * sizeof(T)); }
  friend bool operator==(const PoolAllocator&, const PoolAllocator&) { return true; }
};

}  // namespace detail

/// A std::vector whose memory comes from the pool.
template <class T>
using List = std::vector<T, detail::PoolAllocator<T>>;

namespace detail {

/// A list whose first `Inline` elements need no memory of their own; it neither moves nor is copied.
template <class T, int Inline>
class ShortList {
 public:
  ShortList() = default;
  ShortList(const ShortList&) = delete;
  ShortList& operator=(const ShortList&) = delete;
  ~ShortList() { clear(); }

  void push_back(T item) {
    if (size_ == room_) grow();
    new (data_ + size_) T(std::move(item));
    ++size_;
  }
  void clear() noexcept {
    while (size_ > 0) data_[--size_].~T();
    if (data_ != inline_items()) BlockPool::give(data_, std::size_t(room_) * sizeof(T));
    data_ = inline_items();
    room_ = Inline;
  }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return std::size_t(size_); }
  const T& operator[](std::size_t i) const { return data_[i]; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  T* inline_items() { return reinterpret_cast<T*>(storage_); }
  void grow() {
    T* const wider = static_cast<T*>(BlockPool::take(2 * std::size_t(room_) * sizeof(T)));
    for (int i = 0; i < size_; ++i) {
      new (wider + i) T(std::move(data_[i]));
      data_[i].~T();
    }
    if (data_ != inline_items()) BlockPool::give(data_, std::size_t(room_) * sizeof(T));
    data_ = wider;
    room_ *= 2;
  }

  alignas(T) unsigned char storage_[Inline * sizeof(T)];
  T* data_ = inline_items();
  int size_ = 0, room_ = Inline;
};

}  // namespace detail
}  // namespace lacuna
