/// `Counting`: a device on the host that does what a GPU would be asked to, over plain memory and with one lane, and
/// counts it: launches by name, products, copies, blocks that the pool asks for, bytes in use, and operands of products
/// that do not stand on 16 bytes. `Counts::blind` leaves the work itself out, so that steps of any size cost nothing.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "../benchmarks/support/watched.hpp"
#include "cuda/emulated.hpp"
#include "lacuna/core/caching_pool.hpp"

namespace lacuna::test {

/// Bytes of the device in use, as they were asked for.
struct Account {
  struct Block {
    std::size_t bytes;
    long number;       ///< in the order of asking
    const char* name;  ///< of what was launched next: who asked, as a rule; null: nothing was yet
  };
  std::map<void*, Block> blocks;
  std::size_t live = 0, fullest = 0;
  long asked = 0, fullest_at = 0, stop_at = -1;  ///< `stopped` is a copy of the blocks at number `stop_at`
  std::vector<Block> stopped;
  std::vector<void*> unnamed;

  static Account& now() {
    static Account account;
    return account;
  }
  /// The fullest moment is searched from here on.
  void begin(long stop = -1) { fullest = live, asked = fullest_at = 0, stop_at = stop, stopped.clear(); }
  void took(void* block, std::size_t bytes) {
    blocks[block] = {bytes, ++asked, nullptr};
    unnamed.push_back(block);
    live += bytes;
    if (live > fullest) fullest = live, fullest_at = asked;
    if (asked == stop_at)
      for (const auto& [where, one] : blocks) stopped.push_back(one);
  }
  void gave(void* block, std::size_t bytes) {
    blocks.erase(block);
    live -= bytes;
  }
  void named(const char* name) {
    for (void* const block : unnamed)
      if (const auto found = blocks.find(block); found != blocks.end() && found->second.name == nullptr)
        found->second.name = name;
    unnamed.clear();
  }
};

/// What was asked for since `clear`.
struct Counts {
  std::map<std::string, int> launches;  ///< by name, products included
  int launched = 0, products = 0, copies = 0, from_host = 0, to_host = 0;
  int unaligned = 0;  ///< products with an operand, bias or result at an address that is no multiple of 16,
  int forbidden = 0;  ///< and those of them whose rows are no multiple of 16 bytes either: nothing else can be had

  static Counts& now() {
    static Counts counts;
    return counts;
  }
  static inline bool blind = false;  ///< kernels, products and copies are counted and not done
  static void begins(bench::Asked, const char* name) { Account::now().named(name); }
  static void ends(bench::Asked what, const char* name) {
    Counts& own = now();
    if (name == nullptr) return;  // was not done
    own.copies += what == bench::Asked::copy;
    own.from_host += what == bench::Asked::from_host;
    own.to_host += what == bench::Asked::to_host;
    own.products += what == bench::Asked::product;
    if (what != bench::Asked::launch && what != bench::Asked::product) return;
    ++own.launched;
    ++own.launches[name];
  }
};

struct CountedMemory {
  static void* take(std::size_t bytes) { return std::aligned_alloc(256, (bytes + 255) / 256 * 256); }
  static void give(void* block) noexcept { std::free(block); }
  static bool exact() { return false; }
};
using CountedPool = lacuna::detail::CachingPool<CountedMemory>;

struct PlainMemory {
  static constexpr const char* name = "counting";
  static void* allocate(std::size_t bytes) {
    void* const block = CountedPool::instance().take(bytes);
    Account::now().took(block, bytes);
    return block;
  }
  static void deallocate(void* block, std::size_t bytes) noexcept {
    Account::now().gave(block, bytes);
    CountedPool::instance().give(block, bytes);
  }
  static void copy(void* to, const void* from, std::size_t bytes) {
    if (Counts::blind || Tape::takes([=] { std::memcpy(to, from, bytes); })) return;
    std::memcpy(to, from, bytes);
  }
  static void copy_from_host(void* to, const void* from, std::size_t bytes) {
    Tape::refuse("a copy from the host");
    if (!Counts::blind) std::memcpy(to, from, bytes);
  }
  static void copy_to_host(void* to, const void* from, std::size_t bytes) {
    Tape::refuse("a copy to the host");
    std::memcpy(to, from, bytes);
  }
  static void trim() noexcept { CountedPool::instance().trim(); }
  static void after_packing() noexcept {}
  static void fill(void* to, unsigned char byte, std::size_t bytes) {
    if (Tape::takes([=] { std::memset(to, byte, bytes); })) return;
    ++Counts::now().copies;
    if (bytes && !Counts::blind) std::memset(to, byte, bytes);
  }
};

/// The emulated device with one lane, or nothing at all.
struct PerhapsRun : EmulatedRun {
  template <class F>
  static void each(const char* name, index_t n, const F& f) {
    if (!Counts::blind) EmulatedRun::each(name, n, f);
  }
  template <class F>
  static void rows(const char* name, index_t n, const F& f) {
    if (!Counts::blind) EmulatedRun::rows(name, n, f);
  }
  template <int Threads, class F>
  static void blocks(const char* name, index_t n, std::size_t bytes, const F& f) {
    if (!Counts::blind) EmulatedRun::blocks<Threads>(name, n, bytes, f);
  }
  template <class T>
  static void gemm(index_t m, index_t n, index_t k, cpu::Operand<T> a, cpu::Operand<T> b, T beta, T* c, index_t ldc,
                   const cuda::GemmBatch& batch = {}) {
    if (!Counts::blind) EmulatedRun::gemm(m, n, k, a, b, beta, c, ldc, batch);
  }
  template <class T>
  static bool gemm_finished(index_t m, index_t n, index_t k, cpu::Operand<T> a, cpu::Operand<T> b, const T* bias,
                            cuda::MatmulFinish finish, T* c, const cuda::GemmBatch& batch = {}) {
    if (Counts::blind) return sizeof(T) == sizeof(float);
    return EmulatedRun::gemm_finished(m, n, k, a, b, bias, finish, c, batch);
  }
};

struct Counting : bench::WatchedDevice<PlainMemory, Counts> {
  static void replays(const Tape& tape) {
    tape.launch();
    ++Counts::now().launched;
    ++Counts::now().launches["graph"];
  }
};
/// A graph whose work leaves the counts as they are.
template <class Graph>
class CountedGraph : public Graph {
 public:
  void begin() { before_ = Counts::now(), Graph::begin(); }
  void end() { Counts::now() = before_, Graph::end(); }
  void abandon() { Counts::now() = before_, Graph::abandon(); }
  void launch() { Graph::launch(); }

 private:
  Counts before_;
};

struct CountingRun : bench::WatchedRun<PerhapsRun, Counting, Counts> {
  using Watched = bench::WatchedRun<PerhapsRun, Counting, Counts>;

  template <class T>
  static void gemm(index_t m, index_t n, index_t k, cpu::Operand<T> a, cpu::Operand<T> b, T beta, T* c, index_t ldc,
                   const cuda::GemmBatch& batch = {}) {
    look(a, b, static_cast<const T*>(nullptr), c, ldc, batch);
    Watched::gemm(m, n, k, a, b, beta, c, ldc, batch);
  }
  template <class T>
  static bool gemm_finished(index_t m, index_t n, index_t k, cpu::Operand<T> a, cpu::Operand<T> b, const T* bias,
                            cuda::MatmulFinish finish, T* c, const cuda::GemmBatch& batch = {}) {
    const bool done = Watched::gemm_finished(m, n, k, a, b, bias, finish, c, batch);
    if (done) look(a, b, bias, c, n, batch);
    return done;
  }

 private:
  template <class T>
  static void look(cpu::Operand<T> a, cpu::Operand<T> b, const T* bias, const T* c, index_t ldc,
                   const cuda::GemmBatch& batch) {
    bool wrong = false, excused = true;
    const auto one = [&](const T* address, index_t stride, index_t step) {
      if (address == nullptr || cuda::alignment_of(address, step) >= 16) return;
      wrong = true;
      excused = excused && stride * index_t(sizeof(T)) % 16 != 0;
    };
    one(a.data, a.stride, batch.a), one(b.data, b.stride, batch.b), one(c, ldc, batch.c), one(bias, 0, batch.bias);
    Counts::now().unaligned += wrong;
    Counts::now().forbidden += wrong && excused;
  }
};

}  // namespace lacuna::test

namespace lacuna {
template <>
struct Kernels<test::Counting> : cuda::KernelsOn<test::CountingRun> {};

/// What a step costs the host once it is recorded, as core/cuda_graph.cuh does it: the number that dropout runs ahead
/// by, and one launch; nothing of what is recorded counts.
template <>
class Replay<test::Counting>
    : public detail::GraphReplay<test::Counting,
                                 test::CountedGraph<test::TapeGraph<test::CountedPool, test::Counting>>> {};
}  // namespace lacuna
