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
/// - It records steps and replays them (tape.hpp): what a replay finds in memory that the step took is NaN again.
#pragma once

#include <sys/mman.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <unordered_map>
#include <unordered_set>

#include "cuda/fiber.hpp"
#include "cuda/tape.hpp"
#include "lacuna/core/caching_pool.hpp"
#include "lacuna/core/graph_replay.hpp"
#include "lacuna/core/replay.hpp"
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

/// Where recorded work gets its memory.
struct RecordedMemory {
  static void* take(std::size_t bytes) {
    void* const block = Arena::instance().take(bytes);
    sizes()[block] = bytes;
    return block;
  }
  static void give(void* block) noexcept { Arena::instance().give(block, sizes()[block]); }
  static bool exact() { return false; }

 private:
  static std::unordered_map<void*, std::size_t>& sizes() {
    static auto* const all = new std::unordered_map<void*, std::size_t>;
    return *all;
  }
};
using RecordedPool = lacuna::detail::CachingPool<RecordedMemory>;

struct Emulated {
  static constexpr const char* name = "emulated";
  static constexpr bool reduces_precision = true;
  static void* allocate(std::size_t bytes) {
    if (Tape::now() == nullptr) return Arena::instance().take(bytes);
    void* const block = RecordedPool::instance().take(bytes);
    recorded_blocks().insert(block);
    fill(block, 0xFF, bytes);  // NaN, in every replay
    return block;
  }
  static void deallocate(void* block, std::size_t bytes) noexcept {
    if (recorded_blocks().erase(block) > 0)
      RecordedPool::instance().give(block, bytes);
    else if (Tape::now() == nullptr)
      Arena::instance().give(block, bytes);
    else
      retired().emplace_back(block, bytes);  // recorded work may use it: nobody gets it again
  }
  static void copy(void* to, const void* from, std::size_t bytes) {
    if (Tape::takes([=] { copy(to, from, bytes); })) return;
    const Open open;
    ++works;
    if (bytes) std::memcpy(to, from, bytes);
  }
  /// Copies from the host and to it so far; the latter wait for a device. Launches, products, copies and fills, those of
  /// replays left out; and launches of recordings.
  static inline int uploads = 0, waits = 0, works = 0, launched = 0;
  static void copy_from_host(void* to, const void* from, std::size_t bytes) {
    Tape::refuse("a copy from the host");
    const Open open;
    if (bytes) std::memcpy(to, from, bytes);
    ++uploads;
  }
  static void copy_to_host(void* to, const void* from, std::size_t bytes) {
    Tape::refuse("a copy to the host");
    const Open open;
    if (bytes) std::memcpy(to, from, bytes);
    ++waits;
  }
  static void fill(void* to, unsigned char byte, std::size_t bytes) {
    if (Tape::takes([=] { fill(to, byte, bytes); })) return;
    const Open open;
    ++works;
    if (bytes) std::memset(to, byte, bytes);
  }
  static void replays(const Tape& tape) {
    const int before = works;
    tape.launch();
    works = before;
    ++launched;
  }
  static void trim() noexcept {}
  static void after_packing() noexcept {}
  static int violations() { return Arena::instance().violations; }

 private:
  static std::vector<std::pair<void*, std::size_t>>& retired() {
    static auto* const blocks = new std::vector<std::pair<void*, std::size_t>>;
    return *blocks;
  }
  static std::unordered_set<void*>& recorded_blocks() {
    static auto* const blocks = new std::unordered_set<void*>;
    return *blocks;
  }
};

/// The threads of a block: stacks that take turns, in teams of 32.
class Crew {
 public:
  static constexpr int lanes = cuda::warp_lanes, most = 2 * lanes;
  static Crew& instance() {
    static Crew* const crew = new Crew;
    return *crew;
  }
  /// f(thread) for each of `count` threads, a multiple of 32, from one common call to the next.
  template <class F>
  void run(int count, const F& f, bool reversed) {
    entry_ = [](const void* body, int thread) { (*static_cast<const F*>(body))(thread); };
    body_ = &f;
    count_ = count;
    for (int k = 0; k < count; ++k) {
      state_[k] = State::ready;
      if (!standing_[k]) fiber_[k].start(&Crew::work);
      standing_[k] = false;
    }
    for (auto& meeting : meeting_) meeting.arrived = 0;
    for (int working = count; working > 0;) {
      bool moved = false;
      for (int k = 0; k < count; ++k) {
        running_ = reversed ? count - 1 - k : k;
        if (state_[running_] != State::ready) continue;
        fiber_[running_].enter();
        moved = true;
        working -= state_[running_] == State::done;
      }
      if (!moved) {  // some wait for a call that others never make
        ++Arena::instance().violations;
        return;
      }
    }
  }
  /// What combine(own, other) over the butterfly of a team gives to the calling thread. `kind` tells calls apart.
  template <class T, class F>
  T together(int kind, T x, F combine) {
    static_assert(sizeof(T) <= sizeof(Slot));
    const int own = running_, first = own / lanes * lanes;
    std::memcpy(&slot_[own], &x, sizeof(T));
    meet(own / lanes, kind, first, lanes, [&] {
      T now[lanes], next[lanes];
      for (int l = 0; l < lanes; ++l) std::memcpy(&now[l], &slot_[first + l], sizeof(T));
      for (int apart = lanes / 2; apart > 0; apart /= 2) {
        for (int l = 0; l < lanes; ++l) next[l] = combine(now[l], now[l ^ apart]);
        std::copy_n(next, lanes, now);
      }
      for (int l = 0; l < lanes; ++l) std::memcpy(&result_[first + l], &now[l], sizeof(T));
    });
    T result;
    std::memcpy(&result, &result_[own], sizeof(T));
    return result;
  }
  /// All threads of the block.
  void sync() {
    meet(most / lanes, 3, 0, count_, [] {});
  }

 private:
  using Slot = double;
  enum class State { ready, waiting, done };
  struct Meeting {
    int arrived = 0, kind = 0;
  };

  /// Waits until `count` threads from `first` on are here; the last one to come calls f.
  template <class F>
  void meet(int where, int kind, int first, int count, F f) {
    const int own = running_;
    Meeting& meeting = meeting_[where];
    if (meeting.arrived > 0 && meeting.kind != kind) ++Arena::instance().violations;
    meeting.kind = kind;
    state_[own] = State::waiting;
    if (++meeting.arrived == count) {
      f();
      meeting.arrived = 0;
      for (int k = first; k < first + count; ++k) state_[k] = State::ready;
    }
    fiber_[own].leave();
  }
  /// What a thread does, run after run.
  static void work() {
    Crew& crew = instance();
    const int own = crew.running_;
    for (crew.fiber_[own].arrived();; crew.fiber_[own].leave()) {
      crew.entry_(crew.body_, own);
      crew.state_[own] = State::done;
      crew.standing_[own] = true;
    }
  }

  Fiber fiber_[most];
  State state_[most];
  bool standing_[most] = {};  ///< at the end of `work`
  Slot slot_[most], result_[most];
  Meeting meeting_[most / lanes + 1];
  int running_ = 0, count_ = 0;
  void (*entry_)(const void*, int) = nullptr;
  const void* body_ = nullptr;
};

class EmulatedTeam {
 public:
  EmulatedTeam(int lane, int lanes) : lane_(lane), lanes_(lanes) {}
  int lane() const { return lane_; }
  int lanes() const { return lanes_; }
  void sync() const {
    if (lanes_ > 1) Crew::instance().together(0, 0, [](int a, int) { return a; });
  }
  template <class T>
  T sum(T x) const {
    return lanes_ > 1 ? Crew::instance().together(1, x, [](T a, T b) { return a + b; }) : x;
  }
  template <class T>
  T largest(T x) const {
    return lanes_ > 1 ? Crew::instance().together(2, x, [](T a, T b) { return b > a ? b : a; }) : x;
  }
  template <class T, int N, class F>
  void sums(T (&x)[N], F put) const {
    static_assert(N <= Crew::lanes && (N & (N - 1)) == 0);
    for (int k = 0; k < N; ++k) {
      const T total = sum(x[k]);
      if (lane_ == k * (lanes_ / N)) put(k, total);
      x[k] = T(NAN);
    }
  }

 private:
  int lane_, lanes_;
};

/// Two teams of 32 lanes, or a single thread.
class EmulatedBlock {
 public:
  EmulatedBlock(int thread, int threads, std::byte* memory) : thread_(thread), threads_(threads), memory_(memory) {}
  int thread() const { return thread_; }
  int threads() const { return threads_; }
  int teams() const { return threads_ == 1 ? 1 : threads_ / Crew::lanes; }
  int team_number() const { return thread_ / Crew::lanes; }
  EmulatedTeam team() const {
    return threads_ == 1 ? EmulatedTeam(0, 1) : EmulatedTeam(thread_ % Crew::lanes, Crew::lanes);
  }
  void sync() const {
    if (threads_ > 1) Crew::instance().sync();
  }
  template <class T>
  T* memory(std::size_t offset = 0) const {
    return reinterpret_cast<T*>(memory_ + offset);
  }

 private:
  int thread_, threads_;
  std::byte* memory_;
};

struct EmulatedRun {
  using device = Emulated;
  using Team = EmulatedTeam;
  using Block = EmulatedBlock;
  static inline int lanes = 1;
  static inline bool reversed = false;

  template <class F>
  static void each(const char* name, index_t n, const F& f) {
    if (Tape::takes_kernel(&each_again<F>, name, n, 0, f)) return;
    const Open open;
    Emulated::works += n > 0;
    for (index_t k = 0; k < n; ++k) f(reversed ? n - 1 - k : k);
  }
  template <class F>
  static void rows(const char* name, index_t n, const F& f) {
    if (Tape::takes_kernel(&rows_again<F>, name, n, 0, f)) return;
    const Open open;
    Emulated::works += n > 0;
    for (index_t k = 0; k < n; ++k) {
      const index_t i = reversed ? n - 1 - k : k;
      if (lanes == 1)
        f(i, Team(0, 1));
      else
        Crew::instance().run(
            Crew::lanes, [&](int lane) { f(i, Team(lane, Crew::lanes)); }, reversed);
    }
  }
  static inline std::size_t shared = std::size_t(48) << 10;
  static std::size_t most_shared() { return shared; }
  template <int Threads, class F>
  static void blocks(const char* name, index_t n, std::size_t shared_bytes, const F& f) {
    if (Tape::takes_kernel(&blocks_again<Threads, F>, name, n, shared_bytes, f)) return;
    Emulated::works += n > 0;
    if (shared_bytes > most_shared()) ++Arena::instance().violations;
    const Open open;
    const std::size_t guard = Arena::guard;
    const auto memory = std::make_unique<std::byte[]>(shared_bytes + 2 * guard);
    for (index_t k = 0; k < n; ++k) {
      const index_t i = reversed ? n - 1 - k : k;
      std::memset(memory.get(), 0xA5, shared_bytes + 2 * guard);
      std::memset(memory.get() + guard, 0xFF, shared_bytes);  // NaN
      std::byte* const inside = memory.get() + guard;
      if (lanes == 1)
        f(i, Block(0, 1, inside));
      else
        Crew::instance().run(
            Crew::most, [&](int thread) { f(i, Block(thread, Crew::most, inside)); }, reversed);
      for (std::size_t g = 0; g < guard; ++g)
        if (memory[g] != std::byte(0xA5) || inside[shared_bytes + g] != std::byte(0xA5)) {
          ++Arena::instance().violations;
          break;
        }
    }
  }
  template <class T>
  static void gemm(index_t m, index_t n, index_t k, cpu::Operand<T> a, cpu::Operand<T> b, T beta, T* c, index_t ldc,
                   const cuda::GemmBatch& batch = {}) {
    if (Tape::takes([=] { gemm(m, n, k, a, b, beta, c, ldc, batch); })) return;
    const Open open;
    ++Emulated::works;
    const auto call = cuda::BlasCall<T>::of(m, n, k, a, b, batch);
    blas(call, beta, c, ldc);
  }
  /// As cuBLASLt does it: for float alone, the bias along the rows of what it sees by columns.
  template <class T>
  static bool gemm_finished(index_t m, index_t n, index_t k, cpu::Operand<T> a, cpu::Operand<T> b, const T* bias,
                            cuda::MatmulFinish finish, T* c, const cuda::GemmBatch& batch = {}) {
    if (sizeof(T) != sizeof(float)) return false;
    if (Tape::takes([=] { gemm_finished(m, n, k, a, b, bias, finish, c, batch); })) return true;
    const Open open;
    ++Emulated::works;
    const auto call = cuda::BlasCall<T>::of(m, n, k, a, b, batch);
    blas(call, T(0), c, n);
    for (index_t one = 0; one < call.count; ++one)
      for (index_t column = 0; column < call.columns; ++column)
        for (index_t row = 0; row < call.rows; ++row) {
          T& number = c[one * call.result_step + column * n + row];
          number += bias[one * call.bias_step + row];
          if (finish == cuda::MatmulFinish::bias_relu && number <= T(0))
            number = T(0);  // NaN stays, as cuBLASLt has it
        }
    return true;
  }

 private:
  /// Operands as tensor cores read them: floats with 10 bits behind the leading one (TF32), or 7 (bfloat16).
  template <class T>
  static Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> in_precision(
      Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> x) {
    const Precision precision = matmul_precision();
    if constexpr (sizeof(T) == sizeof(float)) {
      const int dropped = precision == Precision::tf32 ? 13 : precision == Precision::bf16 ? 16 : 0;
      for (index_t i = 0; dropped > 0 && i < x.size(); ++i) {
        const auto bits = std::bit_cast<std::uint32_t>(x.data()[i]);
        const std::uint32_t half = (std::uint32_t(1) << (dropped - 1)) - 1 + ((bits >> dropped) & 1);
        if (std::isfinite(x.data()[i])) x.data()[i] = std::bit_cast<float>(((bits + half) >> dropped) << dropped);
      }
    }
    return x;
  }
  template <class F>
  static void each_again(const char* name, index_t n, std::size_t, const void* f) {
    each(name, n, *static_cast<const F*>(f));
  }
  template <class F>
  static void rows_again(const char* name, index_t n, std::size_t, const void* f) {
    rows(name, n, *static_cast<const F*>(f));
  }
  template <int Threads, class F>
  static void blocks_again(const char* name, index_t n, std::size_t shared_bytes, const void* f) {
    blocks<Threads>(name, n, shared_bytes, *static_cast<const F*>(f));
  }
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
      if (transposed) return in_precision<T>(View(data, columns, rows, Eigen::OuterStride<>(stride)).transpose());
      return in_precision<T>(View(data, rows, columns, Eigen::OuterStride<>(stride)));
    };
    if (call.count > 1 && call.result_step < (call.columns - 1) * ldc + call.rows) ++Arena::instance().violations;
    for (index_t one = 0; one < call.count; ++one) {
      const T* const first = call.first + one * call.first_step;
      const T* const second = call.second + one * call.second_step;
      Eigen::Map<Matrix, 0, Eigen::OuterStride<>> result(c + one * call.result_step, call.rows, call.columns,
                                                         Eigen::OuterStride<>(ldc));
      const Matrix product = view(first, call.first_stride, call.first_transposed, call.rows, call.depth) *
                             view(second, call.second_stride, call.second_transposed, call.depth, call.columns);
      result = beta == T(0) ? product : Matrix(beta * result + product);
    }
  }
};

}  // namespace lacuna::test

namespace lacuna {
template <>
struct Kernels<test::Emulated> : cuda::KernelsOn<test::EmulatedRun> {};
template <>
class Replay<test::Emulated>
    : public detail::GraphReplay<test::Emulated, test::TapeGraph<test::RecordedPool, test::Emulated>> {};
}  // namespace lacuna
