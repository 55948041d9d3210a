/// The templates that are compiled once, for float and double on the CPU, into lacuna::precompiled.
///
/// With that library linked (it defines LACUNA_PRECOMPILED) every file that includes this header finds them there instead of
/// instantiating its own copy. Header-only programs never see it. Listed here: what costs compile time in many files.
#pragma once

#include "lacuna/models/sdumc/sdumc.hpp"
#include "lacuna/optim/adam.hpp"

#ifdef LACUNA_PRECOMPILED_IMPLEMENTATION
#define LACUNA_DETAIL_EXTERN
#else
#define LACUNA_DETAIL_EXTERN extern
#endif

#define LACUNA_DETAIL_INSTANTIATE_RANK(T, R)                                                                       \
  LACUNA_DETAIL_EXTERN template Variable<T, R, Cpu> linear(const Variable<T, R, Cpu>&, const Variable<T, 2, Cpu>&, \
                                                           const Variable<T, 1, Cpu>&, Activation);                \
  LACUNA_DETAIL_EXTERN template Variable<T, R, Cpu> dropout(const Variable<T, R, Cpu>&, double, const Context&);   \
  LACUNA_DETAIL_EXTERN template Variable<T, R, Cpu> add(const Variable<T, R, Cpu>&, const Variable<T, R, Cpu>&);   \
  LACUNA_DETAIL_EXTERN template Variable<T, R, Cpu> scale(const Variable<T, R, Cpu>&, double);                     \
  LACUNA_DETAIL_EXTERN template Variable<T, 0, Cpu> sum(const Variable<T, R, Cpu>&);                               \
  LACUNA_DETAIL_EXTERN template Variable<T, R, Cpu> concat(const List<Variable<T, R, Cpu>>&, int);                 \
  LACUNA_DETAIL_EXTERN template Variable<T, R + 1, Cpu> stack(const List<Variable<T, R, Cpu>>&, int);

#define LACUNA_DETAIL_INSTANTIATE(T)                                                                                    \
  LACUNA_DETAIL_EXTERN template void cpu::Gemm::gemm_serial(index_t, index_t, index_t, cpu::Operand<T>,                 \
                                                            cpu::Operand<T>, T, T*, index_t);                           \
  LACUNA_DETAIL_INSTANTIATE_RANK(T, 2)                                                                                  \
  LACUNA_DETAIL_INSTANTIATE_RANK(T, 3)                                                                                  \
  LACUNA_DETAIL_EXTERN template class optim::Adam<T, Cpu>;                                                                 \
  namespace models {                                                                                                    \
  LACUNA_DETAIL_EXTERN template struct SdumcNetwork<T, Cpu>;                                                            \
  LACUNA_DETAIL_EXTERN template struct DecoderSimulator<T, Cpu>;                                                        \
  LACUNA_DETAIL_EXTERN template struct SdumcImputation<T, Cpu>;                                                         \
  LACUNA_DETAIL_EXTERN template struct Model<SdumcImputation<T, Cpu>>;                                                  \
  LACUNA_DETAIL_EXTERN template SdumcFlows<T, Cpu> both_flows(                                                          \
      const SdumcNetwork<T, Cpu>&, const Streams<T, Cpu>&, const data::Stream<T, Cpu>&, const Context&, \
      const Context&);                                                                                                  \
  LACUNA_DETAIL_EXTERN template SdumcLosses<T, Cpu> sdumc_objective(const SdumcFlows<T, Cpu>&, const Labels<Cpu, T>&,    \
                                                                    const SdumcWeights&, RankNContrastOptions,          \
                                                                    const Present<Cpu>&);                               \
  LACUNA_DETAIL_EXTERN template SdumcLosses<T, Cpu> sdumc_class_objective(                                              \
      const SdumcFlows<T, Cpu>&, const Labels<Cpu>&, const SdumcWeights&, SupConOptions, const Present<Cpu>&);          \
  }

namespace lacuna {

LACUNA_DETAIL_INSTANTIATE(float)
LACUNA_DETAIL_INSTANTIATE(double)

}  // namespace lacuna

#undef LACUNA_DETAIL_INSTANTIATE
#undef LACUNA_DETAIL_INSTANTIATE_RANK
#undef LACUNA_DETAIL_EXTERN
