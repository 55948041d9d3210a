/// MFN and Graph-MFN: three LSTMs side by side, and a memory that watches their cells.  (Zadeh, Liang, Mazumder, Poria,
/// Cambria & Morency, AAAI 2018, arXiv 1802.00927; Graph-MFN: Zadeh, Liang, Poria, Cambria & Morency, ACL 2018)
///
///   h_t, c_t  of an LSTM per modality
///   MFN        c* = [c_{t−1}; c_t],  ĉ = softmax(A c*) ∘ c*
///   Graph-MFN  ĉ = what a graph makes of v_m = relu(W_m [h_{t−1}; h_t])      (dynamic fusion graph, below)
///   û = tanh(B ĉ),  γ₁, γ₂ = σ(G [ĉ; u_{t−1}]),  u_t = γ₁ ∘ u_{t−1} + γ₂ ∘ û
///   M = W [h_T of every modality, u_T],  L = mean |M − label|
/// A, B, G and W are perceptrons of one hidden layer. The graph: vertices of the pairs and of all three, each two linear
/// layers of its subsets, singles before pairs, every subset times an efficacy ε; ε, 19 numbers, are three linear layers of
/// [v_l; v_a; v_v], and ĉ two linear layers of all seven vertices times ε. The paper has a sigmoid on ε: so has this,
/// without `published`.
///
/// Frames must be aligned: as many in every modality; a modality of one vector is read at the first. What is absent is not read:
/// its LSTM stays as it is, and the memory stays where nothing is present. With `published` (github.com/thuiar/MMSA) all
/// rows are read, padding included, and the vertices of Graph-MFN are not trained. Defaults: MOSI there.
#pragma once

#include "lacuna/models/baselines/fusion_graph.hpp"
#include "lacuna/models/baselines/sequence_network.hpp"
#include "lacuna/ops/softmax.hpp"

namespace lacuna::models {

struct MfnOptions {
  std::vector<index_t> inputs = {};
  index_t text = 0;                                                   ///< which of them
  index_t text_hidden = 256, first_hidden = 32, second_hidden = 256;  ///< of the LSTMs
  index_t memory = 400;                                               ///< size of u
  index_t attention_hidden = 32, update_hidden = 64, keep_hidden = 256, write_hidden = 32,
          hidden = 128;                    ///< A, B, γ₁, γ₂, W
  index_t inner = 64;                      ///< of the vertices of Graph-MFN
  double dropout = 0.2, head_dropout = 0;  ///< of A; of W
  bool graph = false;                      ///< Graph-MFN
  bool published = false;
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::l1;
  missing::MrmOptions drop = missing::mrm_preset("none");
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("text", self.text);
    visit("text_hidden", self.text_hidden);
    visit("first_hidden", self.first_hidden);
    visit("second_hidden", self.second_hidden);
    visit("memory", self.memory);
    visit("attention_hidden", self.attention_hidden);
    visit("update_hidden", self.update_hidden);
    visit("keep_hidden", self.keep_hidden);
    visit("write_hidden", self.write_hidden);
    visit("hidden", self.hidden);
    visit("inner", self.inner);
    visit("dropout", self.dropout);
    visit("head_dropout", self.head_dropout);
    visit("graph", self.graph);
    visit("published", self.published);
  }
};

template <class T = float, class D = Cpu>
struct MfnNetwork : SequenceNetwork<MfnNetwork<T, D>, T, D> {
  using Options = MfnOptions;
  using Rows = Variable<T, 2, D>;
  static constexpr const char* name = "MFN";

  struct Forward {
    std::vector<Rows> memory, efficacies;  ///< of every frame
    std::vector<Rows> last;                ///< h_T of every modality
    Rows joined, score;
  };

  Options options;
  std::vector<RecurrentCell<T, D>> cells;
  std::vector<Linear<T, D>> transform;  ///< of Graph-MFN
  std::optional<FusionGraph<T, D>> graph;
  std::optional<TwoLayers<T, D>> attention;
  TwoLayers<T, D> update, keep, write, out;

  MfnNetwork() = default;
  MfnNetwork(const Options& o, Random& random) : options(o) {
    const auto in = three_inputs(name, o);
    expect_sizes(name, {o.text_hidden, o.first_hidden, o.second_hidden, o.memory, o.attention_hidden, o.update_hidden,
                        o.keep_hidden, o.write_hidden, o.hidden, o.inner});
    const std::vector<index_t> hidden{o.text_hidden, o.first_hidden, o.second_hidden};
    const index_t total = o.text_hidden + o.first_hidden + o.second_hidden;
    for (std::size_t m = 0; m < 3; ++m) cells.emplace_back(4, in[m], hidden[m], true, random);
    if (o.graph) {
      for (const index_t h : hidden)
        transform.push_back(Linear<T, D>({.in_features = 2 * h, .out_features = h}, random));
      graph.emplace(hidden, o.inner, o.inner, !o.published, random);
      if (o.published) freeze(graph->vertex);
    } else {
      attention.emplace(2 * total, o.attention_hidden, 2 * total, random);
    }
    const index_t watched = o.graph ? o.inner : 2 * total;
    update = {watched, o.update_hidden, o.memory, random};
    keep = {watched + o.memory, o.keep_hidden, o.memory, random};
    write = {watched + o.memory, o.write_hidden, o.memory, random};
    out = {total + o.memory, o.hidden, outputs_for(o.classes), random};
  }

  Forward forward(const Sequences<T, D>& given, const Context& context) const {
    const Sequences<T, D> x = aligned(given);
    const index_t batch = x[0].frames.extent(0), frames = x[0].frames.extent(1);
    Forward r;
    std::vector<Variable<T, 3, D>> gates;
    std::vector<Rows> h, c;
    for (std::size_t m = 0; m < 3; ++m) {
      gates.push_back(linear<T, 3, D>(x[m].frames, cells[m].weight_x, cells[m].bias_x));
      h.push_back(zeros(batch, cells[m].weight_h.extent(1)));
      c.push_back(h.back());
    }
    Rows u = zeros(batch, options.memory);
    for (index_t t = 0; t < frames; ++t) {
      std::vector<Rows> before = options.graph ? h : c, after;
      std::vector<std::uint8_t> any(std::size_t(batch), 0);
      for (std::size_t m = 0; m < 3; ++m) {
        Mask<2, D> here;
        if (!options.published) {
          here = column(x[m].present, t);
          const auto now = here.to_vector();
          for (std::size_t b = 0; b < any.size(); ++b) any[b] |= now[b];
        }
        const auto step = recurrent<T, D>(Recurrence::lstm, slice(gates[m], 1, t, 1), cells[m].weight_h,
                                          cells[m].bias_h, h[m], c[m], here, false);
        h[m] = step.h, c[m] = step.c;
      }
      after = options.graph ? h : c;
      Rows seen;
      if (options.graph) {
        std::vector<Rows> v;
        for (std::size_t m = 0; m < 3; ++m)
          v.push_back(transform[m](concat({before[m], after[m]}, -1), Activation::relu));
        auto [summary, efficacies] = (*graph)(v);
        seen = summary;
        r.efficacies.push_back(efficacies);
      } else {
        before.insert(before.end(), after.begin(), after.end());
        const auto both = concat(before, -1);
        seen = softmax((*attention)(both, options.dropout, context)) * both;
      }
      const auto with = concat({seen, u}, -1);
      const auto next = sigmoid(keep(with)) * u + sigmoid(write(with)) * tanh(update(seen));
      u = options.published ? next : where(Mask<2, D>::from({batch, 1}, any), next, u);
      r.memory.push_back(u);
    }
    r.last = h;
    r.joined = concat<T, 2, D>({h[0], h[1], h[2], u}, -1);
    r.score = out(r.joined, options.head_dropout, context);
    return r;
  }

  /// Throws OptionError for sequences of different lengths.
  void fit(const Options&, const data::Dataset& data, Random&) {
    index_t frames = 1;
    for (const auto& modality : data.train.modalities) {
      const index_t own = modality.frames.extent(1);
      if (own != 1 && frames != 1 && own != frames)
        throw OptionError(detail::cat(name, ": walks over aligned frames, ", data.name, " has modalities of ", frames,
                                      " and ", own, " frames"));
      frames = std::max(frames, own);
    }
  }
  static void reflect(auto& self, auto&& visit) {
    visit("cells", self.cells);
    visit("transform", self.transform);
    visit("graph", self.graph);
    visit("attention", self.attention);
    visit("update", self.update);
    visit("keep", self.keep);
    visit("write", self.write);
    visit("out", self.out);
  }

 private:
  static Rows zeros(index_t batch, index_t width) { return Rows(Tensor<T, 2, D>::zeros({batch, width})); }
  static Mask<2, D> column(const Mask<2, D>& present, index_t t) {
    const index_t batch = present.extent(0), frames = present.extent(1);
    const auto all = present.to_vector();
    std::vector<std::uint8_t> one;
    for (index_t b = 0; b < batch; ++b) one.push_back(all[std::size_t(b * frames + t)]);
    return Mask<2, D>::from({batch, 1}, one);
  }
  /// A batch is cut behind the last present frame of every stream.
  static Sequences<T, D> aligned(Sequences<T, D> x) {
    index_t frames = 0;
    for (const auto& one : x) frames = std::max(frames, one.frames.extent(1));
    for (auto& one : x) one = lengthened(one, frames, name);
    return x;
  }
};

template <class T = float, class D = Cpu>
using Mfn = Model<MfnNetwork<T, D>>;

}  // namespace lacuna::models
