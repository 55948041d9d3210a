/// `Replay<Cuda>`: a step recorded into a CUDA graph. What a body must keep to: replay.hpp.
///
/// The first call runs the body as it is: memory is found, algorithms of products are chosen. The second records it on
/// a stream of its own, with an arena of memory that stays with the graph; nothing runs then, and the graph is
/// launched. Other threads may go on working meanwhile. With LACUNA_CUDA_CHECK set, nothing is recorded.
#pragma once

#include "lacuna/core/cuda.cuh"
#include "lacuna/core/graph_replay.hpp"
#include "lacuna/core/replay.hpp"

namespace lacuna {
namespace detail {

class CudaGraph {
 public:
  using Pool = CudaPool;

  static bool possible() { return !cuda_checks(); }
  void begin() {
    expect_cuda("record a step", cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    const cudaError_t begun = cudaStreamBeginCapture(stream_, cudaStreamCaptureModeRelaxed);
    if (begun != cudaSuccess) {
      (void)cudaStreamDestroy(stream_);
      expect_cuda("record a step", begun);
    }
    recording_stream() = stream_;
  }
  void end() {
    recording_stream() = nullptr;
    cudaGraph_t graph = nullptr;
    const cudaError_t ended = cudaStreamEndCapture(stream_, &graph);
    (void)cudaStreamDestroy(stream_);
    expect_cuda("record a step", ended);
    (void)cudaGraphGetNodes(graph, nullptr, &nodes_);
    const cudaError_t made = cudaGraphInstantiate(&graph_, graph, 0);
    (void)cudaGraphDestroy(graph);
    if (made != cudaSuccess) graph_ = nullptr;
    expect_cuda("record a step", made);
  }
  void abandon() {
    recording_stream() = nullptr;
    cudaGraph_t rest = nullptr;
    (void)cudaStreamEndCapture(stream_, &rest);
    if (rest != nullptr) (void)cudaGraphDestroy(rest);
    (void)cudaStreamDestroy(stream_);
    (void)cudaGetLastError();  // a capture that was broken off
  }
  void launch() { expect_cuda("replay of a step", cudaGraphLaunch(graph_, Cuda::stream())); }
  void drop() {
    (void)cudaStreamSynchronize(Cuda::stream());  // it may still run
    (void)cudaGraphExecDestroy(graph_);
    graph_ = nullptr;
  }
  bool made() const { return graph_ != nullptr; }
  std::size_t nodes() const { return nodes_; }

 private:
  cudaStream_t stream_ = nullptr;
  cudaGraphExec_t graph_ = nullptr;
  std::size_t nodes_ = 0;
};

}  // namespace detail

template <>
class Replay<Cuda> : public detail::GraphReplay<Cuda, detail::CudaGraph> {};

}  // namespace lacuna
