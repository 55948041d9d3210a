/// What the kernel families of a device with many threads are written in.
///
/// A family is a struct template over `Run`, which says where work is done. `Run` has
///   each(name, n, f)     f(i) for every i < n, in any order, one thread each
///   rows(name, n, f)     f(i, team) for every i < n: the lanes of a team share a row. Every lane calls, in the same
///                        order, team.sum(x) and team.largest(x), which give all of them the same number, and
///                        team.sums(x, put), where one lane calls put(k, the sum of the lanes' x[k]) for each k, x an
///                        array of 1, 2, 4 .. 32 numbers that is lost; a lane's own part is j = team.lane(),
///                        j + team.lanes(), ...
///   blocks<Threads>(name, n, bytes, f)
///                        f(i, block) for every i < n: the threads of a block share a row and `bytes` of memory,
///                        block.memory<T>(offset), uninitialised. Every thread calls block.sync() in the same order;
///                        in between, teams go their own ways: team block.team_number() of block.teams(), with its
///                        lanes in block.team(). `Threads` at most on a GPU; the body must be right for any number of
///                        threads: use block.threads() and block.teams(). At most `most_shared()` bytes.
///   gemm(..., batch)     as cpu::Gemm::gemm, without `finish`; with a GemmBatch several of them at once
///   gemm_finished(..., batch)
///                        the same with a bias, and max(x, 0) where asked, behind it; false where there is no such
///   device               the device type: allocate, copy_to_host, ...
/// Work of one call never depends on other work of the same call. Calls run in their order. `CudaRun` (launch.cuh)
/// launches; tests/cuda/emulated.hpp walks the same bodies on the host, so that everything here is tested without a
/// GPU.
///
/// Here: buffers, and the two reductions that all families share. Policy: no atomics. A sum is cut into pieces whose
/// borders depend on the sizes alone, each summed by one team (`sum`) or thread (`fold`), and the pieces are added in
/// an order that depends on the sizes alone too.
#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/kernels/cuda/index.cuh"

namespace lacuna::cuda {

/// Scratch memory of a call on the device.
template <class T, class Run>
class Buffer {
 public:
  explicit Buffer(index_t count) : bytes_(std::size_t(count) * sizeof(T)) {
    if (bytes_ > 0) data_ = static_cast<T*>(Run::device::allocate(bytes_));
  }
  /// The same numbers as the host's list.
  template <class Allocator>
  explicit Buffer(const std::vector<T, Allocator>& host) : Buffer(index_t(host.size())) {
    if (bytes_ > 0) Run::device::copy_from_host(data_, host.data(), bytes_);
  }
  ~Buffer() {
    if (data_ != nullptr) Run::device::deallocate(data_, bytes_);
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  T* data() const { return data_; }
  std::vector<T> to_host() const {
    std::vector<T> host(bytes_ / sizeof(T));
    if (bytes_ > 0) Run::device::copy_to_host(host.data(), data_, bytes_);
    return host;
  }

 private:
  std::size_t bytes_;
  T* data_ = nullptr;
};

/// to_p = Σ term(i) over the i of piece p, in double.
template <class Run, class F>
void partial_sums(const char* name, const Pieces& pieces, F term, double* to) {
  const Pieces cut = pieces;
  Run::rows(name, cut.pieces, [=] LACUNA_DEVICE(index_t p, typename Run::Team team) {
    double part = 0;
    for (index_t i = cut.begin(p) + team.lane(); i < cut.end(p); i += team.lanes()) part += term(i);
    part = team.sum(part);
    if (team.lane() == 0) to[p] = part;
  });
}

/// Σ term(i) over i < n, in double.
template <class Run, class F>
double sum(const char* name, index_t n, F term) {
  if (n <= 0) return 0;
  const Pieces cut = pieces_of(n, 2048, 1024);
  const Buffer<double, Run> parts(cut.pieces);
  partial_sums<Run>(name, cut, term, parts.data());
  double total = 0;
  for (const double part : parts.to_host()) total += part;
  return total;
}

/// What happens to a term besides being added.
struct NoEffect {
  LACUNA_HD void operator()(index_t, index_t, double) const {}
};

/// What one block of `fold_into` does: finish(j, Σ_i term(i, j) over i = begin .. end - 1) for the columns of its tile,
/// and effect(i, j, the term) once for each, when no earlier term is asked for again.
/// `sums` is shared by its threads; which of them work at a place does not change the order of a sum.
template <class Block, class F, class Finish, class Effect = NoEffect>
LACUNA_DEVICE void fold_tile(Block block, ColumnTiles by, index_t tile, index_t begin, index_t end, index_t width,
                             const F& term, const Finish& finish, const Effect& effect = {}) {
  constexpr int at_once = 4;  // loads that do not wait for each other
  double* const sums = block.template memory<double>();
  const int slots = by.slots();
  for (int place = block.thread(); place < by.places; place += block.threads()) {
    const index_t j = tile * by.tile + place % by.tile;
    double sum = 0;
    if (j < width)
      for (index_t i = begin + place / by.tile; i < end; i += at_once * slots) {
        double next[at_once];
        for (int k = 0; k < at_once; ++k) {  // behind the end the first row again, which costs less than a branch
          const index_t at = i + k * slots;
          const double number = term(at < end ? at : i, j);
          next[k] = at < end ? number : 0.0;
        }
        for (int k = 0; k < at_once; ++k)
          if (i + k * slots < end) effect(i + k * slots, j, next[k]);
        for (int k = 0; k < at_once; ++k) sum += next[k];
      }
    sums[place] = sum;
  }
  block.sync();
  for (int half = by.places / 2; half >= by.tile; half /= 2) {
    for (int place = block.thread(); place < half; place += block.threads()) sums[place] += sums[place + half];
    block.sync();
  }
  for (int place = block.thread(); place < by.tile; place += block.threads())
    if (tile * by.tile + place < width) finish(tile * by.tile + place, sums[place]);
}

/// Sums of pieces (pieces, width) as the terms of one more fold.
struct PartialSums {
  index_t width;
  const double* sums;
  LACUNA_HD double operator()(index_t i, index_t j) const { return sums[i * width + j]; }
};
/// Where a sum goes: to those of its piece, or without pieces to its end.
template <class Finish>
struct SumReceiver {
  double* sums;  ///< of this piece, or null
  Finish finish;
  LACUNA_DEVICE void operator()(index_t j, double sum) const {
    if (sums != nullptr)
      sums[j] = sum;
    else
      finish(j, sum);
  }
};

/// finish(j, Σ_i term(i, j) over i < rows) for j < width, in one launch. One thread asks for a term, perhaps twice, and
/// then calls effect(i, j, the term), which may write over what the term was made of.
/// More than 16384 rows, which would keep too few blocks busy for too long, are cut into pieces first.
template <class Run, class F, class Finish, class Effect = NoEffect>
void fold_into(const char* name, index_t rows, index_t width, F term, Finish finish, Effect effect = {}) {
  using Block = typename Run::Block;
  constexpr int threads = ColumnTiles::places;
  constexpr std::size_t shared = threads * sizeof(double);
  if (width <= 0) return;
  const Pieces cut = rows > 16384 ? pieces_of(rows, 4096, 64) : Pieces{rows, rows, 1};
  const ColumnTiles by = ColumnTiles::of(cut.length, width);
  const Buffer<double, Run> parts(cut.pieces > 1 ? cut.pieces * width : 0);
  double* const part = parts.data();
  Run::template blocks<threads>(name, cut.pieces * by.blocks, shared, [=] LACUNA_DEVICE(index_t b, Block block) {
    const index_t p = b / by.blocks;
    fold_tile(block, by, b - p * by.blocks, cut.begin(p), cut.end(p), width, term,
              SumReceiver<Finish>{part ? part + p * width : nullptr, finish}, effect);
  });
  if (part == nullptr) return;
  const ColumnTiles few = ColumnTiles::of(cut.pieces, width);
  Run::template blocks<threads>(name, few.blocks, shared, [=] LACUNA_DEVICE(index_t b, Block block) {
    fold_tile(block, few, b, 0, cut.pieces, width, PartialSums{width, part}, finish);
  });
}

/// total_j = Σ_i term(i, j) over i < rows, for j < width.
template <class Run, class F>
void fold(const char* name, index_t rows, index_t width, F term, double* total) {
  fold_into<Run>(name, rows, width, term, [=] LACUNA_DEVICE(index_t j, double sum) { total[j] = sum; });
}

}  // namespace lacuna::cuda
