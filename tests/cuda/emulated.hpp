/// `Emulated`: a device on the host that runs the kernel families of lacuna/kernels/cuda as a GPU would be asked to,
/// and is stricter than one.
///
/// - Its memory cannot be touched outside kernels and copies: a host access to a device tensor ends the program.
/// - Fresh memory holds NaN, and every block stands between guard bytes: what is read before it is written shows in the
///   numbers, what is written outside is counted in `Emulated::violations()`.
/// - `EmulatedRun::lanes` = 32 gives every lane of a team a stack of its own, which is left at every call that the
/// lanes
///   make together; lanes that disagree about the next such call are a violation, as on a GPU they would hang. Lanes
///   and indices can go backwards (`reversed`): numbers that two threads race for come out different.
#pragma once

#include <sys/mman.h>

#include <cstring>
#include <memory>
#include <new>

#include "cuda/fiber.hpp"
#include "lacuna/kernels/cuda/kernels.cuh"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna::test {

/// One address range, locked unless somebody has it open. Locking takes time by the page: blocks above 1 KiB live
/// outside and stay open. Every operation has cases that are smaller.
class Arena {
 public:
  static constexpr std::size_t size = std::size_t(1) << 30, guard = 64, largest = 1024;

  static Arena& instance() {
    static Arena* const arena = new Arena;
    return *arena;
  }
  void open() {
    if (opened_++ == 0 && used_ > 0) protect(PROT_READ | PROT_WRITE);
  }
  void close() {
    if (--opened_ == 0 && used_ > 0) protect(PROT_NONE);
  }

  void* take(std::size_t bytes) {
    int group = 0;
    const std::size_t room = lacuna::detail::BlockPool::round(bytes + 2 * guard, group);
    std::byte* block = nullptr;
    if (!free_[group].empty()) {
      block = free_[group].back();
      free_[group].pop_back();
    } else if (bytes > largest) {
      block = new std::byte[room];
    } else {
      const std::size_t pages = (used_ + room + page - 1) / page * page;
      if (pages > size) throw std::bad_alloc();
      block = base_ + used_;
      used_ += room;
      committed_ = pages;
    }
    ++opened_;
    protect(PROT_READ | PROT_WRITE);  // the block may lie in new pages
    std::memset(block, 0xA5, guard);
    std::memset(block + guard, 0xFF, bytes);  // NaN
    std::memset(block + guard + bytes, 0xA5, guard);
    close();
    return block + guard;
  }
  void give(void* data, std::size_t bytes) noexcept {
    auto* const block = static_cast<std::byte*>(data) - guard;
    open();
    for (std::size_t i = 0; i < guard; ++i)
      if (block[i] != std::byte(0xA5) || block[guard + bytes + i] != std::byte(0xA5)) {
        ++violations;
        break;
      }
    close();
    int group = 0;
    lacuna::detail::BlockPool::round(bytes + 2 * guard, group);
    free_[group].push_back(block);
  }
  int violations = 0;

 private:
  static constexpr std::size_t page = 4096;
  Arena()
      : base_(static_cast<std::byte*>(
            mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
    if (base_ == MAP_FAILED) throw std::bad_alloc();
  }
  void protect(int how) { mprotect(base_, committed_, how); }

  std::byte* base_;
  std::size_t used_ = 0, committed_ = 0;
  int opened_ = 0;
  std::vector<std::byte*> free_[260];
};

struct Open {
  Open() { Arena::instance().open(); }
  ~Open() { Arena::instance().close(); }
};

struct Emulated {
  static constexpr const char* name = "emulated";
  static void* allocate(std::size_t bytes) { return Arena::instance().take(bytes); }
  static void deallocate(void* block, std::size_t bytes) noexcept { Arena::instance().give(block, bytes); }
  static void copy(void* to, const void* from, std::size_t bytes) {
    const Open open;
    if (bytes) std::memcpy(to, from, bytes);
  }
  static void copy_from_host(void* to, const void* from, std::size_t bytes) { copy(to, from, bytes); }
  static void copy_to_host(void* to, const void* from, std::size_t bytes) { copy(to, from, bytes); }
  static void trim() noexcept {}
  static int violations() { return Arena::instance().violations; }
};

/// 32 stacks that take turns.
class Warp {
 public:
  static constexpr int lanes = cuda::warp_lanes;
  static Warp& instance() {
    static Warp* const warp = new Warp;
    return *warp;
  }
  /// f(lane) for every lane, from one common call to the next.
  template <class F>
  void run(const F& f, bool reversed) {
    entry_ = [](const void* body, int lane) { (*static_cast<const F*>(body))(lane); };
    body_ = &f;
    for (int l = 0; l < lanes; ++l) {
      done_[l] = false;
      if (!waiting_) fiber_[l].start(&Warp::work);
    }
    waiting_ = false;
    for (bool working = true; working;) {
      arrived_ = 0;
      int finished = 0;
      for (int k = 0; k < lanes; ++k) {
        running_ = reversed ? lanes - 1 - k : k;
        fiber_[running_].enter();
        finished += done_[running_];
      }
      working = finished == 0;
      if (finished != 0 && finished != lanes) {  // some wait for a call that others never make
        ++Arena::instance().violations;
        return;
      }
    }
    waiting_ = true;
  }
  /// What combine(own, other) over the butterfly gives to the calling lane. `kind` tells calls apart.
  template <class T, class F>
  T together(int kind, T x, F combine) {
    static_assert(sizeof(T) <= sizeof(Slot));
    const int lane = running_;
    std::memcpy(&slot_[lane], &x, sizeof(T));
    if (arrived_ > 0 && kind_ != kind) ++Arena::instance().violations;
    kind_ = kind;
    if (++arrived_ == lanes) {
      T now[lanes], next[lanes];
      for (int l = 0; l < lanes; ++l) std::memcpy(&now[l], &slot_[l], sizeof(T));
      for (int apart = lanes / 2; apart > 0; apart /= 2) {
        for (int l = 0; l < lanes; ++l) next[l] = combine(now[l], now[l ^ apart]);
        std::copy_n(next, lanes, now);
      }
      for (int l = 0; l < lanes; ++l) std::memcpy(&result_[l], &now[l], sizeof(T));
    }
    fiber_[lane].leave();
    T result;
    std::memcpy(&result, &result_[lane], sizeof(T));
    return result;
  }

 private:
  using Slot = double;

  /// What a lane does, run after run.
  static void work() {
    Warp& warp = instance();
    const int lane = warp.running_;
    for (warp.fiber_[lane].arrived();; warp.fiber_[lane].leave()) {
      warp.entry_(warp.body_, lane);
      warp.done_[lane] = true;
    }
  }

  Fiber fiber_[lanes];
  bool done_[lanes];
  bool waiting_ = false;  // all lanes stand at the end of `work`
  Slot slot_[lanes], result_[lanes];
  int running_ = 0, arrived_ = 0, kind_ = 0;
  void (*entry_)(const void*, int) = nullptr;
  const void* body_ = nullptr;
};

class EmulatedTeam {
 public:
  EmulatedTeam(int lane, int lanes) : lane_(lane), lanes_(lanes) {}
  int lane() const { return lane_; }
  int lanes() const { return lanes_; }
  void sync() const {
    if (lanes_ > 1) Warp::instance().together(0, 0, [](int a, int) { return a; });
  }
  template <class T>
  T sum(T x) const {
    return lanes_ > 1 ? Warp::instance().together(1, x, [](T a, T b) { return a + b; }) : x;
  }
  template <class T>
  T largest(T x) const {
    return lanes_ > 1 ? Warp::instance().together(2, x, [](T a, T b) { return b > a ? b : a; }) : x;
  }

 private:
  int lane_, lanes_;
};

struct EmulatedRun {
  using device = Emulated;
  using Team = EmulatedTeam;
  static inline int lanes = 1;
  static inline bool reversed = false;

  template <class F>
  static void each(const char*, index_t n, const F& f) {
    const Open open;
    for (index_t k = 0; k < n; ++k) f(reversed ? n - 1 - k : k);
  }
  template <class F>
  static void rows(const char*, index_t n, const F& f) {
    const Open open;
    for (index_t k = 0; k < n; ++k) {
      const index_t i = reversed ? n - 1 - k : k;
      if (lanes == 1)
        f(i, Team(0, 1));
      else
        Warp::instance().run([&](int lane) { f(i, Team(lane, Warp::lanes)); }, reversed);
    }
  }
  template <class T>
  static void gemm(index_t m, index_t n, index_t k, cpu::Operand<T> a, cpu::Operand<T> b, T beta, T* c, index_t ldc) {
    const Open open;
    const auto call = cuda::BlasCall<T>::of(m, n, k, a, b);
    blas(call, beta, c, ldc);
  }
  /// As cuBLASLt does it: for float alone, the bias along the rows of what it sees by columns.
  template <class T>
  static bool gemm_finished(index_t m, index_t n, index_t k, cpu::Operand<T> a, cpu::Operand<T> b, const T* bias,
                            cuda::MatmulFinish finish, T* c) {
    if (sizeof(T) != sizeof(float)) return false;
    const Open open;
    const auto call = cuda::BlasCall<T>::of(m, n, k, a, b);
    blas(call, T(0), c, n);
    for (index_t column = 0; column < call.columns; ++column)
      for (index_t row = 0; row < call.rows; ++row) {
        T& number = c[column * n + row];
        number += bias[row];
        if (finish == cuda::MatmulFinish::bias_relu && !(number > T(0))) number = T(0);
      }
    return true;
  }

 private:
  /// What a BLAS does, by columns: C (rows, columns) = beta C + op(first) op(second), and what it refuses.
  template <class T>
  static void blas(const cuda::BlasCall<T>& call, T beta, T* c, index_t ldc) {
    const auto fits = [](index_t stride, bool transposed, index_t rows, index_t columns) {
      return stride >= (transposed ? columns : rows);
    };
    if (!fits(call.first_stride, call.first_transposed, call.rows, call.depth) ||
        !fits(call.second_stride, call.second_transposed, call.depth, call.columns) || ldc < call.rows ||
        call.rows < 1 || call.columns < 1 || call.depth < 1)
      ++Arena::instance().violations;
    using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
    using View = Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>;
    const auto view = [](const T* data, index_t stride, bool transposed, index_t rows, index_t columns) -> Matrix {
      if (transposed) return View(data, columns, rows, Eigen::OuterStride<>(stride)).transpose();
      return View(data, rows, columns, Eigen::OuterStride<>(stride));
    };
    Eigen::Map<Matrix, 0, Eigen::OuterStride<>> result(c, call.rows, call.columns, Eigen::OuterStride<>(ldc));
    const Matrix product = view(call.first, call.first_stride, call.first_transposed, call.rows, call.depth) *
                           view(call.second, call.second_stride, call.second_transposed, call.depth, call.columns);
    result = beta == T(0) ? product : Matrix(beta * result + product);
  }
};

}  // namespace lacuna::test

namespace lacuna {
template <>
struct Kernels<test::Emulated> : cuda::KernelsOn<test::EmulatedRun> {};
}  // namespace lacuna
