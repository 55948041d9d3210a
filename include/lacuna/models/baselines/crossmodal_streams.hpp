/// Three sequences that look at each other: the trunk of MulT, DMD, DiCMoR and IMDer.  (Tsai et al., ACL 2019)
///
///   h_m = E_m([E_mn(x_m; x_n) ; E_mo(x_m; x_o)])        n, o the other two; crossmodal Transformers (nn/crossmodal.hpp)
///
/// x_m (B, T_m, d) → h_m (B, T_m, 2d), lengths may differ. Order of the streams: text, audio, vision; of the halves: for
/// text audio then vision, for audio text then vision, for vision text then audio. Absent frames are no keys.
#pragma once

#include "lacuna/models/baselines/sequences.hpp"
#include "lacuna/nn/conv1d.hpp"
#include "lacuna/nn/crossmodal.hpp"

namespace lacuna::models {

struct CrossmodalStreamsOptions {
  CrossmodalOptions layer;                         ///< of the six pairs, its dropout of attention set aside
  index_t memory_layers = 4;                       ///< of the three that follow, of twice the width
  std::vector<double> source_dropout = {0, 0, 0};  ///< of attention, by the stream that is asked
  bool published = false;                          ///< padding is seen, attention is causal
};

template <class T = float, class D = Cpu>
struct CrossmodalStreams {
  struct Result {
    std::vector<Variable<T, 3, D>> pairs, memory;  ///< six in the order of `pair`, three
  };
  static constexpr int pair[6][2] = {{0, 1}, {0, 2}, {1, 0}, {1, 2}, {2, 0}, {2, 1}};
  static constexpr const char* pair_names[6] = {"trans_l_with_a", "trans_l_with_v", "trans_a_with_l",
                                                "trans_a_with_v", "trans_v_with_l", "trans_v_with_a"};
  static constexpr const char* memory_names[3] = {"trans_l_mem", "trans_a_mem", "trans_v_mem"};

  bool published = false;
  std::vector<CrossmodalTransformer<T, D>> pairs, memory;

  CrossmodalStreams() = default;
  CrossmodalStreams(const CrossmodalStreamsOptions& o, Random& random) : published(o.published) {
    if (o.source_dropout.size() != 3)
      throw OptionError(
          detail::cat("attention_dropout has ", o.source_dropout.size(), " numbers, expected 3: text/first/second"));
    for (const auto& [to, from] : pair) {
      CrossmodalOptions layer = o.layer;
      layer.causal = o.published;
      layer.attention_dropout = o.source_dropout[std::size_t(from)];
      pairs.emplace_back(layer, random);
    }
    for (int m = 0; m < 3; ++m) {
      CrossmodalOptions layer = o.layer;
      layer.causal = o.published;
      layer.embed_dim *= 2;
      layer.layers = o.memory_layers;
      layer.attention_dropout = o.source_dropout[0];
      memory.emplace_back(layer, random);
    }
  }

  Result operator()(const Sequences<T, D>& x, const Context& context) const {
    Result r;
    for (std::size_t p = 0; p < 6; ++p) {
      const auto &to = x[std::size_t(pair[p][0])], &from = x[std::size_t(pair[p][1])];
      r.pairs.push_back(pairs[p](to.frames, to.seen(published), from.frames, from.seen(published), context));
    }
    for (std::size_t m = 0; m < 3; ++m)
      r.memory.push_back(memory[m](concat({r.pairs[2 * m], r.pairs[2 * m + 1]}, -1), x[m].seen(published), context));
    return r;
  }
  static void reflect(auto& self, auto&& visit) {
    for (std::size_t p = 0; p < self.pairs.size(); ++p) visit(pair_names[p], self.pairs[p]);
    for (std::size_t m = 0; m < self.memory.size(); ++m) visit(memory_names[m], self.memory[m]);
  }
};

/// A bias-free convolution of every stream to a common width d. Frames keep their places: half of the kernel of zeros on
/// either side, absent frames stay 0. published: no zeros outside, so that T' = T − k + 1, and no convolution at all for a
/// stream that has d features already (its weight is kept, and gets no gradient).
template <class T = float, class D = Cpu>
struct StreamProjections {
  bool published = false;
  index_t width = 0;
  std::vector<Conv1d<T, D>> projection;

  StreamProjections() = default;
  StreamProjections(const std::vector<index_t>& in, index_t d, const std::vector<index_t>& kernels, bool as_published,
                    Random& random)
      : published(as_published), width(d) {
    if (kernels.size() != in.size())
      throw OptionError(
          detail::cat("kernels has ", kernels.size(), " numbers, expected ", in.size(), ": text/first/second"));
    for (std::size_t m = 0; m < in.size(); ++m)
      projection.emplace_back(typename Conv1d<T, D>::Options{.in_channels = in[m],
                                                             .out_channels = d,
                                                             .kernel = kernels[m],
                                                             .pad_left = published ? 0 : -1,
                                                             .pad_right = published ? 0 : -1,
                                                             .bias = false},
                              random);
  }
  Sequences<T, D> operator()(const Sequences<T, D>& x) const {
    Sequences<T, D> all;
    for (std::size_t m = 0; m < x.size(); ++m) {
      if (published && x[m].frames.extent(2) == width)
        all.push_back(x[m]);
      else if (published)
        all.push_back({projection[m](x[m].frames), {}});
      else
        all.push_back({apply_mask(projection[m](x[m].frames), x[m].present), x[m].present});
    }
    return all;
  }
  static void reflect(auto& self, auto&& visit) {
    static constexpr const char* names[3] = {"proj_l", "proj_a", "proj_v"};
    for (std::size_t m = 0; m < self.projection.size(); ++m) visit(names[m], self.projection[m]);
  }
};

}  // namespace lacuna::models
