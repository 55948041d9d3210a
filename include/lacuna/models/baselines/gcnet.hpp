/// GCNet: completes and understands conversations by graphs over speakers and time.  (Lian, Chen, Sun, Liu & Tao, TPAMI
/// 2023, arXiv 2203.02177)
///
///   r   = two-layer bidirectional LSTM over the utterances of a conversation, all modalities side by side   (C, U, 2h)
///   per graph (nn/graph.hpp): c = GraphConv(RelationalGraphConv(r)),  q = bidirectional LSTM over [r; c]
///         q_t ← Σ_u softmax_u(tanh ⟨W q_t + b, q_u⟩) q_u  with time_attention,  hidden = relu(V q)
///   hidden = temporal + speaker,  z = W hidden,  x̂ = W' hidden
///   L   = task + recon · Σ_m (squared errors of x̂_m / D_m over the utterances whose modality m was taken away) / utterances
///
/// A sample is an utterance; the data say which conversation it belongs to and who speaks (data::Conversations). Without
/// that every sample is a conversation of one. An utterance is the mean of its frames, an absent modality 0. Answers
/// depend on the other utterances of the conversation, and on no other conversation.
///
/// With `published` (github.com/zeroQiaoba/GCNet): padding is read by the LSTMs, the window is laid around who is heard,
/// and the mask of the reconstruction is read in the wrong order. Left out: its GRU, which is never used. Defaults: its
/// grid; one speaker as on MOSI there, 2 for IEMOCAP.
#pragma once

#include "lacuna/models/baselines/conversation_layout.hpp"
#include "lacuna/models/baselines/sequences.hpp"
#include "lacuna/models/baselines/utterance_encoders.hpp"
#include "lacuna/nn/graph.hpp"
#include "lacuna/nn/recurrent.hpp"
#include "lacuna/ops/softmax.hpp"

namespace lacuna::models {

struct GcnetOptions {
  std::vector<index_t> inputs = {};
  index_t hidden = 100, graph_hidden = 50;
  index_t past = 2, future = 2;  ///< utterances that are heard; -1: all
  index_t speakers = 1;
  bool time_attention = true;
  double recon = 1;
  double dropout = 0.5;  ///< of hidden
  bool published = false;
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::mse;
  missing::MrmOptions drop = missing::mrm_preset("gcnet");
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("hidden", self.hidden);
    visit("graph_hidden", self.graph_hidden);
    visit("past", self.past);
    visit("future", self.future);
    visit("speakers", self.speakers);
    visit("time_attention", self.time_attention);
    visit("recon", self.recon);
    visit("dropout", self.dropout);
    visit("published", self.published);
  }
};

template <class T = float, class D = Cpu>
struct GcnetNetwork {
  using scalar = T;
  using device = D;
  using Options = GcnetOptions;
  using Rows = Variable<T, 2, D>;
  using Frames = Variable<T, 3, D>;
  using Number = Variable<T, 0, D>;
  static constexpr const char* name = "GCNet";
  static constexpr bool conversations = true;

  struct Graph {
    RelationalGraphConv<T, D> relational;
    GraphConv<T, D> plain;
    Lstm<T, D> fusion;
    std::vector<Linear<T, D>> attention;  ///< one, or none
    Linear<T, D> linear;
    static void reflect(auto& self, auto&& visit) {
      visit("conv1", self.relational);
      visit("conv2", self.plain);
      visit("grufusion", self.fusion);
      visit("attention", self.attention);
      visit("linear", self.linear);
    }
  };
  struct Branch {
    Rows conv1, conv2;
    Frames fused, hidden;
  };
  struct Forward {
    Frames read, hidden, scores, made;
    std::array<Branch, 2> branch;  ///< temporal, speaker
    Rows score;                    ///< of the samples
  };

  Options options;
  Lstm<T, D> lstm;
  std::vector<Graph> graph;
  Linear<T, D> head, rebuild;

  GcnetNetwork() = default;
  GcnetNetwork(const Options& o, Random& random) : options(o) {
    expect_sizes(name, {o.hidden, o.graph_hidden, o.speakers});
    if (o.past < -1 || o.future < -1)
      throw OptionError(detail::cat(name, ": a window of ", o.past, " and ", o.future, ", expected -1 or more"));
    index_t all = 0;
    for (const index_t in : o.inputs) all += in;
    const index_t h = o.hidden, width = 2 * h + o.graph_hidden;
    lstm = Lstm<T, D>({.in = all, .hidden = h, .layers = 2, .bidirectional = true}, random);
    for (const index_t relations : {index_t(3), o.speakers * o.speakers}) {
      graph.push_back({RelationalGraphConv<T, D>({2 * h, o.graph_hidden, relations}, random),
                       GraphConv<T, D>({o.graph_hidden, o.graph_hidden}, random),
                       Lstm<T, D>({.in = width, .hidden = width, .layers = 2, .bidirectional = true}, random),
                       {},
                       Linear<T, D>({.in_features = 2 * width, .out_features = width}, random)});
      if (o.time_attention)
        graph.back().attention.emplace_back(
            typename Linear<T, D>::Options{.in_features = 2 * width, .out_features = 2 * width}, random);
    }
    head = Linear<T, D>({.in_features = width, .out_features = outputs_for(o.classes)}, random);
    rebuild = Linear<T, D>({.in_features = width, .out_features = all}, random);
  }

  ConversationGraph edges(const ConversationLayout& layout) const {
    return conversation_graph(layout.lengths, layout.speakers,
                              {options.past, options.future, options.speakers, options.published});
  }
  /// x (C, U, ΣD), padding 0.
  Forward forward(const Frames& x, const ConversationLayout& layout, const ConversationGraph& edges,
                  const Context& context) const {
    Forward r;
    const Mask<2, D> there = to_device<D>(layout.present()), seen = options.published ? Mask<2, D>() : there;
    r.read = lstm(x, seen, context).y;
    const auto nodes = layout.nodes(r.read);
    for (std::size_t g = 0; g < 2; ++g) {
      const Graph& own = graph[g];
      Branch& b = r.branch[g];
      const GraphEdges& along = g == 0 ? edges.time : edges.speaker;
      b.conv1 = own.relational(nodes, along);
      b.conv2 = own.plain(b.conv1, along);
      auto q = own.fusion(layout.padded_nodes(concat<T, 2, D>({nodes, b.conv2}, -1)), seen, context).y;
      b.fused = q;
      for (const auto& ask : own.attention) {
        const auto similar = tanh(matmul(ask(q), q, {.transpose_b = true}));
        q = matmul(softmax(similar, 2, keys(there)), q);
      }
      b.hidden = dropout(own.linear(q, Activation::relu), options.dropout, context);
    }
    r.hidden = r.branch[0].hidden + r.branch[1].hidden;
    r.scores = head(r.hidden);
    r.made = rebuild(r.hidden);
    r.score = layout.rows(r.scores);
    return r;
  }
  /// gone[m] (C · U): 1 where modality m is to be made. shuffled: the defect of `published`.
  Number reconstruction(const Frames& made, const Frames& target, const std::vector<std::vector<std::uint8_t>>& gone,
                        const ConversationLayout& layout, bool shuffled) const {
    const index_t count = layout.count(), length = layout.length, utterances = index_t(layout.real.size());
    const std::vector<std::uint8_t> there = layout.present().to_vector();
    const auto x = layout.flat(made), y = layout.flat(target);
    Number total;
    index_t at = 0;
    for (std::size_t m = 0; m < gone.size(); at += options.inputs[m++]) {
      auto counted = gone[m];
      for (index_t c = 0; c < count; ++c)
        for (index_t u = 0; u < length; ++u) {
          auto& one = counted[std::size_t(c * length + u)];
          one = one && there[std::size_t(shuffled ? u * count + c : c * length + u)];
        }
      const index_t width = options.inputs[m];
      const auto error = mse_loss(slice(x, 1, at, width), slice(y, 1, at, width), {.reduction = Reduction::sum},
                                  Mask<1, D>::from({count * length}, counted));
      const auto term = scale(error, 1.0 / (double(width) * double(std::max<index_t>(utterances, 1))));
      total = m == 0 ? term : total + term;
    }
    return total;
  }
  LossTerms<T, D> losses(const Forward& r, const Number& recon, const TrainingBatch<T, D>& batch) const {
    return Objective<T, D>().add("task", 1, batch.task_loss(r.score)).add("recon", options.recon, recon).result();
  }
  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context& context) const {
    const ConversationLayout layout(batch.conversations, batch.size());
    const Forward r = forward(layout.padded(joined(batch.seen)), layout, edges(layout), context);
    const auto taken = (options.published ? batch.here() : batch.taken()).to_vector();
    const std::size_t modalities = options.inputs.size();
    std::vector<std::vector<std::uint8_t>> gone(modalities);
    for (std::size_t m = 0; m < modalities; ++m)
      for (const index_t b : layout.sample) {
        const bool set = b < batch.size() && taken[std::size_t(b) * modalities + m];
        gone[m].push_back(options.published ? !set : set);
      }
    return losses(r, reconstruction(r.made, layout.padded(joined(batch.whole)), gone, layout, options.published),
                  batch);
  }

  /// hidden (B, ·) of every utterance.
  Rows embed(const Streams<T, D>& streams, const data::Conversations& talk, const Context& context) const {
    const ConversationLayout layout(talk, streams[0].frames.extent(0));
    return layout.rows(forward(layout.padded(joined(streams)), layout, edges(layout), context).hidden);
  }
  Rows operator()(const Streams<T, D>& streams, const data::Conversations& talk, const Context& context) const {
    const ConversationLayout layout(talk, streams[0].frames.extent(0));
    return forward(layout.padded(joined(streams)), layout, edges(layout), context).score;
  }
  /// Every sample by itself.
  Rows embed(const Streams<T, D>& streams, const Context& context) const { return embed(streams, {}, context); }
  Rows operator()(const Streams<T, D>& streams, const Context& context) const { return (*this)(streams, {}, context); }

  static void reflect(auto& self, auto&& visit) {
    visit("lstm", self.lstm);
    visit("graph", self.graph);
    visit("smax_fc", self.head);
    visit("linear_rec", self.rebuild);
  }

 private:
  /// The modalities of every utterance side by side (B, ΣD).
  static Rows joined(const Streams<T, D>& streams) {
    std::vector<Rows> all;
    for (const auto& stream : streams) all.push_back(utterance_of(stream));
    return concat(all, -1);
  }
  /// (C, U, U): which utterances every utterance may hear.
  static Mask<3, D> keys(const Mask<2, D>& there) {
    const index_t count = there.extent(0), length = there.extent(1);
    const auto row = there.to_vector();
    std::vector<std::uint8_t> all;
    for (index_t c = 0; c < count; ++c)
      for (index_t u = 0; u < length; ++u)
        all.insert(all.end(), row.begin() + c * length, row.begin() + (c + 1) * length);
    return Mask<3, D>::from({count, length, length}, all);
  }
};

template <class T = float, class D = Cpu>
using Gcnet = Model<GcnetNetwork<T, D>>;

}  // namespace lacuna::models
