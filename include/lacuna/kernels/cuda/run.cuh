/// What the kernel families of a device with many threads are written in.
///
/// A family is a struct template over `Run`, which says where work is done. `Run` has
///   each(name, n, f)     f(i) for every i < n, in any order, one thread each
///   rows(name, n, f)     f(i, team) for every i < n: the lanes of a team share a row. Every lane calls, in the same
///                        order, team.sum(x) and team.largest(x), which give all of them the same number; a lane's own
///                        part is j = team.lane(), j + team.lanes(), ...
///   blocks<Threads>(name, n, bytes, f)
///                        f(i, block) for every i < n: the threads of a block share a row and `bytes` of memory,
///                        block.memory<T>(offset), uninitialised. Every thread calls block.sync() in the same order;
///                        in between, teams go their own ways: team block.team_number() of block.teams(), with its
///                        lanes in block.team(). `Threads` at most on a GPU; the body must be right for any number of
///                        threads: use block.threads() and block.teams(). At most `most_shared()` bytes.
///   gemm(...)            as cpu::Gemm::gemm, without `finish`
///   gemm_finished(...)   the same with a bias, and max(x, 0) where asked, behind it; false where there is no such
///   device               the device type: allocate, copy_to_host, ...
/// Work of one call never depends on other work of the same call. Calls run in their order. `CudaRun` (launch.cuh)
/// launches; tests/cuda/emulated.hpp walks the same bodies on the host, so that everything here is tested without a
/// GPU.
///
/// Here: buffers, and the two reductions that all families share. Policy: no atomics. A sum is cut into pieces whose
/// borders depend on the sizes alone, each summed by one team (`sum`) or thread (`fold`), and the pieces are added in
/// order.
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

/// Σ term(i) over i < n, in double.
template <class Run, class F>
double sum(const char* name, index_t n, F term) {
  if (n <= 0) return 0;
  const Pieces cut = pieces_of(n, 2048, 1024);
  const Buffer<double, Run> parts(cut.pieces);
  double* const to = parts.data();
  Run::rows(name, cut.pieces, [=] LACUNA_DEVICE(index_t p, typename Run::Team team) {
    double part = 0;
    for (index_t i = cut.begin(p) + team.lane(); i < cut.end(p); i += team.lanes()) part += term(i);
    part = team.sum(part);
    if (team.lane() == 0) to[p] = part;
  });
  double total = 0;
  for (const double part : parts.to_host()) total += part;
  return total;
}

/// total_j = Σ_i term(i, j) over i < rows, for j < width.
template <class Run, class F>
void fold(const char* name, index_t rows, index_t width, F term, double* total) {
  if (width <= 0) return;
  const Pieces cut = pieces_of(rows, 64, 64);
  const Buffer<double, Run> parts(cut.pieces * width);
  double* const to = parts.data();
  Run::each(name, cut.pieces * width, [=] LACUNA_DEVICE(index_t at) {
    const index_t p = at / width, j = at % width;
    double part = 0;
    for (index_t i = cut.begin(p); i < cut.end(p); ++i) part += term(i, j);
    to[at] = part;
  });
  Run::each(name, width, [=] LACUNA_DEVICE(index_t j) {
    double all = 0;
    for (index_t p = 0; p < cut.pieces; ++p) all += to[p * width + j];
    total[j] = all;
  });
}

}  // namespace lacuna::cuda
