/// What a flow of SDUMC takes and hands out, and rows of several flows as one array.
#pragma once

#include <span>

#include "lacuna/autograd/variable.hpp"
#include "lacuna/core/context.hpp"
#include "lacuna/core/list.hpp"
#include "lacuna/core/mask.hpp"
#include "lacuna/ops/shape.hpp"
#include "lacuna/ops/slice.hpp"

namespace lacuna::detail {

/// Rows of several arrays (B, ...) one behind the other; a single one is itself.
template <class T, int R, class D>
Variable<T, R, D> rows_joined(const List<Variable<T, R, D>>& parts) {
  return parts.size() == 1 ? parts[0] : concat(parts, 0);
}
/// The way back, into `count` equal parts.
template <class T, int R, class D>
List<Variable<T, R, D>> rows_parted(const Variable<T, R, D>& all, std::size_t count) {
  if (count == 1) return {all};
  List<Variable<T, R, D>> parts;
  const index_t rows = all.extent(0) / index_t(count);
  for (std::size_t k = 0; k < count; ++k) parts.push_back(slice(all, 0, index_t(k) * rows, rows));
  return parts;
}

}  // namespace lacuna::detail

namespace lacuna::models {

/// Everything a flow computed, in the order above. Vectors have one entry per modality, or per view where stated.
template <class T, class D = Cpu>
struct SdumcFlow {
  List<Variable<T, 3, D>> frames;
  List<Variable<T, 3, D>> keys;  ///< of UMCA stage 2, in inference, for another flow over the same frames
  List<Variable<T, 2, D>> pooled;
  List<Tensor<T, 4, D>> pooling_weights;  ///< (B, 1, 1, T_m)
  List<Variable<T, 2, D>> hidden;         ///< before MIA₁
  Variable<T, 2, D> imagined_hidden;      ///< undefined when MIA is off or the flow is complete
  Variable<T, 2, D> gate_hidden, gates;
  List<Variable<T, 2, D>> mixes;    ///< per view; of one modality: its H
  List<Variable<T, 2, D>> queries;  ///< per view
  List<Variable<T, 3, D>> attended;
  List<Tensor<T, 4, D>> attention_weights;  ///< (B, 1, V, T_m)
  List<Variable<T, 3, D>> content;          ///< before MIA₂
  Variable<T, 3, D> imagined_content;
  Variable<T, 2, D> view_hidden, view_weights;
  Variable<T, 2, D> fused;       ///< z
  Variable<T, 2, D> prediction;  ///< (B, 1); with K classes their scores (B, K)
  Variable<T, 2, D> contrast;    ///< ρ

  index_t missing = 0;
  /// Query of the view that is the missing modality alone: the text query of the paper.
  const Variable<T, 2, D>& missing_query() const {
    return queries[queries.size() - frames.size() + std::size_t(missing)];
  }
  /// Content of the missing modality, after MIA₂ where it is on.
  const Variable<T, 3, D>& missing_content() const {
    return imagined_content.defined() ? imagined_content : content[std::size_t(missing)];
  }
};

/// One flow on its way through the network: the arguments of SdumcNetwork's call, and what came out.
template <class T, class D = Cpu>
struct SdumcPass {
  std::span<const Variable<T, 3, D>> frames;
  std::span<const Mask<2, D>> present;
  bool imagine;
  const Context* context;
  const SdumcFlow<T, D>* beside;
  SdumcFlow<T, D> flow;
};

/// Gives every pass its rows of an array of all of them.
template <class T, int R, class D>
void deal(const Variable<T, R, D>& all, std::span<SdumcPass<T, D>> passes, Variable<T, R, D> SdumcFlow<T, D>::*member) {
  const auto parts = detail::rows_parted(all, passes.size());
  for (std::size_t k = 0; k < passes.size(); ++k) passes[k].flow.*member = parts[k];
}
/// The same, behind what the list of each holds.
template <class T, int R, class D>
void deal(const Variable<T, R, D>& all, std::span<SdumcPass<T, D>> passes,
          List<Variable<T, R, D>> SdumcFlow<T, D>::*member) {
  const auto parts = detail::rows_parted(all, passes.size());
  for (std::size_t k = 0; k < passes.size(); ++k) (passes[k].flow.*member).push_back(parts[k]);
}
/// Modality i of every pass as one array. Where i is `lost` and the pass imagines, `net` makes it of all modalities, and
/// the pass keeps it as `imagined`.
template <class T, int R, class D, class Net>
Variable<T, R, D> gather(std::span<SdumcPass<T, D>> passes, std::size_t i,
                         List<Variable<T, R, D>> SdumcFlow<T, D>::*member, Variable<T, R, D> SdumcFlow<T, D>::*imagined,
                         const Net* net, std::size_t lost) {
  List<Variable<T, R, D>> each;
  for (SdumcPass<T, D>& pass : passes) {
    const auto& all = pass.flow.*member;
    const bool made = pass.imagine && i == lost;
    if (made) pass.flow.*imagined = (*net)(all, lost);
    each.push_back(made ? pass.flow.*imagined : all[i]);
  }
  return detail::rows_joined(each);
}

}  // namespace lacuna::models
