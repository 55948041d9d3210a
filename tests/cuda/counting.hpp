/// `Counting`: a device on the host that does what a GPU would be asked to, over plain memory and with one lane, and
/// counts it: launches by name, products, copies, blocks that the pool asks for, and operands of products that do not
/// stand on 16 bytes.
#pragma once

#include <cstdlib>
#include <map>
#include <string>

#include "../benchmarks/support/watched.hpp"
#include "cuda/emulated.hpp"
#include "lacuna/core/caching_pool.hpp"

namespace lacuna::test {

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
  static void begins(bench::Asked, const char*) {}
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
  static void* allocate(std::size_t bytes) { return CountedPool::instance().take(bytes); }
  static void deallocate(void* block, std::size_t bytes) noexcept { CountedPool::instance().give(block, bytes); }
  static void copy(void* to, const void* from, std::size_t bytes) {
    if (!Tape::takes([=] { std::memcpy(to, from, bytes); })) std::memcpy(to, from, bytes);
  }
  static void copy_from_host(void* to, const void* from, std::size_t bytes) {
    Tape::refuse("a copy from the host");
    std::memcpy(to, from, bytes);
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
    if (bytes) std::memset(to, byte, bytes);
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

struct CountingRun : bench::WatchedRun<EmulatedRun, Counting, Counts> {
  using Watched = bench::WatchedRun<EmulatedRun, Counting, Counts>;

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
