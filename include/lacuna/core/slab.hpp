/// `Slab`: blocks of any size cut from larger pieces of memory, the smallest piece that fits first, neighbours joined
/// again when they come back. It reads none of the memory that it hands out: that may be a device's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <utility>

namespace lacuna::detail {

class Slab {
 public:
  static constexpr std::size_t alignment = 256;
  static constexpr std::size_t round(std::size_t bytes) {
    return std::max(alignment, (bytes + alignment - 1) / alignment * alignment);
  }

  /// Null where no piece is large enough: then `add` one.
  void* take(std::size_t bytes) {
    const std::size_t size = round(bytes);
    const auto best = by_size_.lower_bound({size, nullptr});
    if (best == by_size_.end()) return nullptr;
    const auto piece = pieces_.find(best->second);
    const std::size_t rest = piece->second.size - size;
    by_size_.erase(best);
    if (rest > 0) {
      pieces_.emplace(piece->first + size, Piece{rest, piece->second.chunk, true});
      by_size_.emplace(rest, piece->first + size);
    }
    piece->second = {size, piece->second.chunk, false};
    return piece->first;
  }
  /// A block that `take` gave.
  void give(void* block) {
    auto piece = pieces_.find(static_cast<std::byte*>(block));
    piece->second.free = true;
    if (const auto next = std::next(piece); joins(piece, next)) swallow(piece, next);
    if (piece != pieces_.begin())
      if (const auto before = std::prev(piece); joins(before, piece)) {
        by_size_.erase({before->second.size, before->first});
        before->second.size += piece->second.size;
        pieces_.erase(piece);
        piece = before;
      }
    by_size_.emplace(piece->second.size, piece->first);
  }
  /// More memory to cut from; it must stand at a multiple of `alignment` to give blocks that do.
  void add(void* chunk, std::size_t size) {
    auto* const first = static_cast<std::byte*>(chunk);
    chunks_.emplace(first, size);
    pieces_.emplace(first, Piece{size, first, true});
    by_size_.emplace(size, first);
    held_ += size;
  }
  /// How much to add for a block of `bytes`: an eighth of what is there and at most 1 MiB, so that many small blocks come
  /// from few pieces and little is left over behind a large one.
  std::size_t next_chunk(std::size_t bytes) const {
    return std::max(round(bytes), std::clamp<std::size_t>(held_ / 8, 256 << 10, 1 << 20));
  }
  std::size_t held() const { return held_; }
  /// f(memory, size) for every added piece that is whole again; it is no longer here.
  template <class F>
  void release(F&& f) {
    for (auto chunk = chunks_.begin(); chunk != chunks_.end();) {
      const auto piece = pieces_.find(chunk->first);
      if (!piece->second.free || piece->second.size != chunk->second) {
        ++chunk;
        continue;
      }
      by_size_.erase({piece->second.size, piece->first});
      pieces_.erase(piece);
      held_ -= chunk->second;
      f(static_cast<void*>(chunk->first), chunk->second);
      chunk = chunks_.erase(chunk);
    }
  }
  /// Takes over all that another has.
  void join(Slab& other) {
    pieces_.merge(other.pieces_);
    by_size_.merge(other.by_size_);
    chunks_.merge(other.chunks_);
    held_ += std::exchange(other.held_, 0);
  }

 private:
  struct Piece {
    std::size_t size;
    std::byte* chunk;
    bool free;
  };
  using Pieces = std::map<std::byte*, Piece>;

  bool joins(Pieces::iterator a, Pieces::iterator b) const {
    return b != pieces_.end() && a->second.free && b->second.free && a->second.chunk == b->second.chunk;
  }
  /// `next`, which is free and listed, becomes part of `piece`, which is not listed.
  void swallow(Pieces::iterator piece, Pieces::iterator next) {
    by_size_.erase({next->second.size, next->first});
    piece->second.size += next->second.size;
    pieces_.erase(next);
  }

  Pieces pieces_;                                         ///< all, by address
  std::set<std::pair<std::size_t, std::byte*>> by_size_;  ///< the free ones
  std::map<std::byte*, std::size_t> chunks_;              ///< what was added
  std::size_t held_ = 0;
};

}  // namespace lacuna::detail
