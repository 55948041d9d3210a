// The models of lacuna_cuda that compute on a GPU: lacuna_cuda train --device cuda.
#include "lacuna/cuda.cuh"
#include "lacuna/zoo/models.hpp"

namespace {

/// A GPU that is not there is found out before anything is trained or loaded.
lacuna::zoo::Backend on_gpu(lacuna::zoo::Backend backend) {
  backend.make = [make = backend.make](const auto&... what) {
    lacuna::Cuda::require();
    return make(what...);
  };
  backend.load = [load = backend.load](const lacuna::State& state) {
    lacuna::Cuda::require();
    return load(state);
  };
  return backend;
}

template <class T>
void add() {
  using namespace lacuna;
  zoo::Registry& to = zoo::registry();
  to.add_backend("sdumc", on_gpu(zoo::sdumc_backend<T, Cuda>(zoo::SdumcKind::one)));
  to.add_backend("sdumc-any", on_gpu(zoo::sdumc_backend<T, Cuda>(zoo::SdumcKind::any)));
  to.add_backend("sdumc-published", on_gpu(zoo::sdumc_backend<T, Cuda>(zoo::SdumcKind::published)));
  to.add_backend("corrkd", on_gpu(zoo::corrkd_backend<T, Cuda>("paper")));
  to.add_backend("corrkd-robust", on_gpu(zoo::corrkd_backend<T, Cuda>("robust")));
}

const bool added = (add<float>(), add<double>(), true);

}  // namespace
