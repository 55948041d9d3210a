/// One level of parallelism. Work is cut into chunks whose borders depend on the sizes alone, so results have the same
/// bits with any number of threads. Without OpenMP everything runs on the calling thread.
#pragma once

#ifdef _OPENMP
#include <omp.h>
#include <pthread.h>
#endif

#include <atomic>
#include <exception>

#include "lacuna/core/list.hpp"
#include "lacuna/core/shape.hpp"

namespace lacuna {
namespace detail {

inline std::atomic<int>& thread_setting() {
  static std::atomic<int> count{0};
  return count;
}
inline constinit thread_local bool serial_thread = false;  ///< this thread works beside others, alone

#ifdef _OPENMP
/// True in a child that was forked after a team had run: the team stayed behind, and OpenMP would wait for it for ever.
inline std::atomic<bool>& without_team() {
  static std::atomic<bool> left{false};
  return left;
}
/// Before a team begins to work.
inline void note_team() {
  static const int noted = ::pthread_atfork(nullptr, nullptr, [] { without_team() = true; });
  (void)noted;
}
#endif

}  // namespace detail

/// Threads used by every operation from now on; 0 = what OpenMP offers. Throws OptionError when negative.
inline void set_threads(int count) {
  if (count < 0) throw OptionError(detail::cat("set_threads: ", count, " is negative; use 0 for all cores"));
  detail::thread_setting() = count;
}

/// 1 in a process that was forked after its parent had used several (docs/embedding.md): the same bits, on one thread.
inline int threads() {
  if (detail::serial_thread) return 1;
#ifdef _OPENMP
  if (detail::without_team()) return 1;
  const int count = detail::thread_setting();
  return count > 0 ? count : omp_get_max_threads();
#else
  return 1;
#endif
}

namespace detail {
/// Threads that work begun here can have: one inside a parallel region.
inline int team() {
#ifdef _OPENMP
  if (omp_in_parallel()) return 1;
#endif
  return threads();
}
}  // namespace detail

/// Calls f(begin, end) over [0, count) in chunks of `grain`. Serial for one chunk and inside a parallel region.
/// An exception of f reaches the caller; in parallel, after all chunks have run.
template <class F>
void parallel_for(index_t count, index_t grain, F&& f) {
  if (count <= 0) return;
  if (grain < 1) grain = 1;
  const index_t chunks = (count + grain - 1) / grain;
  const auto chunk = [&](index_t i) { f(i * grain, (i + 1) * grain < count ? (i + 1) * grain : count); };
#ifdef _OPENMP
  // always the whole team: for one of another size OpenMP would end threads and start new ones
  const int team = chunks > 1 ? threads() : 1;
  if (team > 1 && !omp_in_parallel()) {
    detail::note_team();
    std::exception_ptr problem;  // an exception must not leave a thread of the team
#pragma omp parallel for num_threads(team) schedule(static)
    for (index_t i = 0; i < chunks; ++i) {
      try {
        chunk(i);
      } catch (...) {
#pragma omp critical(lacuna_parallel_for)
        if (!problem) problem = std::current_exception();
      }
    }
    if (problem) std::rethrow_exception(problem);
    return;
  }
#endif
  for (index_t i = 0; i < chunks; ++i) chunk(i);
}

/// Sum of f(begin, end) -> double over chunks, combined in order.
template <class F>
double parallel_sum(index_t count, index_t grain, F&& f) {
  if (count <= 0) return 0;
  const index_t chunks = (count + grain - 1) / grain;
  if (chunks == 1) return f(index_t(0), count);
  List<double> partial(std::size_t(chunks), 0.0);
  parallel_for(count, grain, [&](index_t begin, index_t end) { partial[std::size_t(begin / grain)] = f(begin, end); });
  double sum = 0;
  for (const double part : partial) sum += part;
  return sum;
}

namespace detail {
/// Elements per chunk of a memory-bound loop: small work stays serial.
inline constexpr index_t element_grain = 16384;
inline index_t row_grain(index_t columns) {
  const index_t rows = element_grain / (columns > 0 ? columns : 1);
  return rows > 0 ? rows : 1;
}
}  // namespace detail
}  // namespace lacuna
