/// `Replay<Cuda>`: a step recorded into a CUDA graph. What a body must keep to: replay.hpp.
///
/// The first call runs the body as it is: memory is found, algorithms of products are chosen. The second records it on
/// a stream of its own, with an arena of memory that stays with the graph; nothing runs then, and the graph is
/// launched. Other threads may go on working meanwhile. With LACUNA_CUDA_CHECK set, nothing is recorded.
#pragma once

#include <optional>

#include "lacuna/core/cuda.cuh"
#include "lacuna/core/replay.hpp"

namespace lacuna {

template <>
class Replay<Cuda> {
 public:
  Replay() = default;
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;
  ~Replay() { reset(); }

  template <class F>
  void operator()(Random& random, F&& body) {
    if (graph_ != nullptr && random.key() != key_) reset();  // another source: its key is part of the recording
    if (graph_ == nullptr && (calls_++ == 0 || detail::cuda_checks())) {
      body();
      return;
    }
    const bool first = graph_ == nullptr;
    const std::uint64_t now = random.next();
    if (first) record(random, body);
    const std::uint64_t ahead = now - first_stream_;
    Cuda::copy_from_host(ahead_, &ahead, sizeof(ahead));
    detail::expect_cuda("replay of a step", cudaGraphLaunch(graph_, Cuda::stream()));
    if (!first) random.skip(streams_);
  }
  void reset() {
    if (graph_ != nullptr) {
      (void)cudaStreamSynchronize(Cuda::stream());  // it may still run
      (void)cudaGraphExecDestroy(graph_);
    }
    graph_ = nullptr;
    arena_.reset();
    if (ahead_ != nullptr) Cuda::deallocate(ahead_, sizeof(std::uint64_t));
    ahead_ = nullptr;
    calls_ = 0;
  }
  bool recorded() const { return graph_ != nullptr; }
  /// Kernels and copies of the recording.
  std::size_t nodes() const { return nodes_; }

 private:
  using Arena = detail::CudaPool::Arena;

  /// A stream that is recorded, and everything back in its place when the body throws.
  struct Recording {
    explicit Recording(Arena& arena, Random& source) : random(source) {
      detail::expect_cuda("record a step", cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
      const cudaError_t begun = cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed);
      if (begun != cudaSuccess) {
        (void)cudaStreamDestroy(stream);
        detail::expect_cuda("record a step", begun);
      }
      detail::recording_stream() = stream;
      arena.enter();
    }
    ~Recording() {
      Arena::leave();
      detail::recording_stream() = nullptr;
      random.run_ahead(nullptr);
      cudaGraph_t rest = nullptr;
      if (!ended) (void)cudaStreamEndCapture(stream, &rest);
      if (rest != nullptr) (void)cudaGraphDestroy(rest);
      (void)cudaStreamDestroy(stream);
    }
    cudaGraph_t end() {
      cudaGraph_t graph = nullptr;
      ended = true;
      detail::expect_cuda("record a step", cudaStreamEndCapture(stream, &graph));
      return graph;
    }

    Random& random;
    cudaStream_t stream = nullptr;
    bool ended = false;
  };

  template <class F>
  void record(Random& random, F& body) {
    detail::CudaPool::instance().trim();  // what the first run kept, in its classes, is of no use to the recording
    if (ahead_ == nullptr) ahead_ = static_cast<std::uint64_t*>(Cuda::allocate(sizeof(std::uint64_t)));
    arena_.emplace();
    key_ = random.key();
    first_stream_ = random.next();
    cudaGraph_t graph = nullptr;
    {
      Recording recording(*arena_, random);
      random.run_ahead(ahead_);
      body();
      graph = recording.end();
    }
    streams_ = random.next() - first_stream_;
    (void)cudaGraphGetNodes(graph, nullptr, &nodes_);
    const cudaError_t made = cudaGraphInstantiate(&graph_, graph, 0);
    (void)cudaGraphDestroy(graph);
    detail::expect_cuda("record a step", made);
  }

  cudaGraphExec_t graph_ = nullptr;
  std::optional<Arena> arena_;
  std::uint64_t* ahead_ = nullptr;
  std::uint64_t key_ = 0, first_stream_ = 0, streams_ = 0;
  std::size_t nodes_ = 0;
  int calls_ = 0;
};

}  // namespace lacuna
