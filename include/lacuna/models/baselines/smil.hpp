/// SMIL: learns to stand in for what is severely missing, by learning to learn.  (Ma, Ren, Zhao, Tulyakov, Wu & Peng,
/// AAAI 2021, arXiv 2103.05677)
///
///   c_m = relu(E_m x̄_m), x̄_m the average of the present frames              (B, d_m), 0 where m is absent
///   s_m = Σ_k ω_k C_mk / Σ_k ω_k,  ω = softplus(A_m [c of the others])       stands in for it; C_m: K centres of c_m
///   f   = [c_m, or s_m] + softplus(r₁ + ν₁ ∘ softplus(p₁)),  r₁, p₁ of c     (B, Σ d_m)
///   h   = relu(W₁ f) + softplus(r₂ + ν₂ ∘ softplus(p₂)),     r₂, p₂ of f     (B, hidden)
///   y   = W₂ dropout(h)
///
/// What is added to f and h is added to samples that lack a modality only; ν is normal noise in meta-training and 0
/// elsewhere. Half of a batch trains: A is the task's loss there. θ = (E, W) takes a step θ* of gradient descent on A;
/// with θ* the other half validates, and minimised over θ and all the rest is
///   L = A + task(y) + α mean (f_whole − f)² + β mean (h_whole − h)²           _whole: the sample with nothing taken away
/// with the gradient through the step (inner_step.hpp: second order; `second_order` off: the first-order form).
///
/// A first phase trains E and W on complete data; the centres are k-means of its codes (cluster_centres.hpp). With
/// `published` (github.com/mengmenm/SMIL): p is there and never used, the noise has deviation 1. There one modality of
/// two may be missing; here any of any number of them, and A_m reads all others. There the rate of the inner step falls
/// tenfold every 1000 iterations; here it stays. The cross-entropy of the whole validation half is not used, in either.
#pragma once

#include "lacuna/models/baselines/cluster_centres.hpp"
#include "lacuna/models/baselines/inner_step.hpp"
#include "lacuna/models/baselines/softplus_shift.hpp"
#include "lacuna/models/baselines/utterance_samples.hpp"
#include "lacuna/models/model.hpp"
#include "lacuna/nn/init.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/matmul.hpp"
#include "lacuna/ops/reduction.hpp"

namespace lacuna::models {

struct SmilOptions {
  std::vector<index_t> inputs = {};
  std::vector<index_t> widths = {64};  ///< d_m of every modality; one number: of all
  index_t hidden = 64, centres = 10;
  double alpha = 0.01, beta = 0.01;  ///< of the distances of f, of h
  double inner_rate = 1e-3, dropout = 0.5;
  bool second_order = true, published = false;
  index_t classes = 0;
  PretrainOptions pretraining = {};
  RegressionLoss loss = RegressionLoss::l1;
  missing::MrmOptions drop = modality_dropping();
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("widths", self.widths, Facts{.help = "size of every modality's representation, divided by /; one: of all"});
    visit("hidden", self.hidden);
    visit("centres", self.centres,
          Facts{.help = "centres of the prior of a missing modality", .range = Range::at_least(1)});
    visit("alpha", self.alpha,
          Facts{.help = "weight of the distance between representations", .range = Range::at_least(0)});
    visit("beta", self.beta,
          Facts{.help = "weight of the distance between hidden layers", .range = Range::at_least(0)});
    visit("inner_rate", self.inner_rate, Facts{.help = "rate of the inner step", .range = Range::at_least(0)});
    visit("second_order", self.second_order, Facts{.help = "gradients go through the inner step, too"});
    visit("dropout", self.dropout);
    PretrainOptions::reflect(self.pretraining, visit);
    visit("published", self.published);
  }
};

template <class T = float, class D = Cpu>
struct SmilNetwork {
  using scalar = T;
  using device = D;
  using Options = SmilOptions;
  using Rows = Variable<T, 2, D>;
  using Samples = UtteranceSamples<T, D>;
  static constexpr const char* name = "SMIL";

  struct Noise {
    Rows fused, hidden;  ///< ν₁, ν₂; undefined: 0
  };
  struct Half {
    Samples seen;
    TrainingBatch<T, D> taught;  ///< its labels
  };
  struct Forward {
    std::vector<Rows> codes, imputed;  ///< imputed: undefined where no sample lacks it
    Rows fused, hidden, score;
  };

  Options options;
  std::vector<Linear<T, D>> extractors, weigh;    ///< E, A
  Linear<T, D> fc1, fc2;                          ///< W
  SoftplusShift<T, D> shift_fused, shift_hidden;  ///< r₁ and p₁, r₂ and p₂
  std::vector<Buffer<T, 2, D>> centres;           ///< (K, d_m)
  bool ready = false;                             ///< the first phase is over
  PhaseRecord complete_record;                    ///< of that phase; not stored

  SmilNetwork() = default;
  SmilNetwork(const Options& o, Random& random) : options(o) {
    check_fields(name, o);
    const std::size_t modalities = o.inputs.size();
    if (modalities < 2)
      throw OptionError(detail::cat(name, ": stands in for one modality by others, the data have ", modalities));
    if (o.widths.size() != 1 && o.widths.size() != modalities)
      throw OptionError(detail::cat(name, ": widths has ", o.widths.size(), " numbers, expected 1 or ", modalities));
    const auto width = [&](std::size_t m) { return o.widths[o.widths.size() == 1 ? 0 : m]; };
    index_t all = 0;
    for (std::size_t m = 0; m < modalities; ++m) all += width(m);
    for (std::size_t m = 0; m < modalities; ++m) {
      if (width(m) < 1 || o.hidden < 1) throw OptionError(detail::cat(name, ": a size is below 1"));
      extractors.push_back(Linear<T, D>({.in_features = o.inputs[m], .out_features = width(m)}, random));
      weigh.push_back(Linear<T, D>({.in_features = all - width(m), .out_features = o.centres}, random));
      centres.push_back(Buffer<T, 2, D>(Tensor<T, 2, D>::zeros({o.centres, width(m)})));
    }
    fc1 = Linear<T, D>({.in_features = all, .out_features = o.hidden}, random);
    fc2 = Linear<T, D>({.in_features = o.hidden, .out_features = outputs_for(o.classes)}, random);
    shift_fused = SoftplusShift<T, D>(all, all, o.published, random);
    shift_hidden = SoftplusShift<T, D>(all, o.hidden, o.published, random);
  }

  /// Which parameters the inner step moves: θ.
  static bool moves(const std::string& path) {
    return path.starts_with("extractors.") || path.starts_with("fc1.") || path.starts_with("fc2.");
  }
  Forward run(const Samples& s, const Noise& noise, const Context& context) const {
    Forward r;
    r.imputed.resize(s.x.size());
    for (std::size_t m = 0; m < s.x.size(); ++m)
      r.codes.push_back(apply_mask(extractors[m](s.x[m], Activation::relu), s.has[m]));
    const auto lacks = s.lacking();
    std::vector<Rows> parts = r.codes;
    for (std::size_t m = 0; m < s.x.size(); ++m) {
      const auto absent = Samples::inverse(s.has[m]);
      if (std::count(absent.begin(), absent.end(), 1) == 0) continue;
      std::vector<Rows> others;
      for (std::size_t n = 0; n < s.x.size(); ++n)
        if (n != m) others.push_back(r.codes[n]);
      const Rows omega = softplus(weigh[m](concat(others, -1)));
      r.imputed[m] = matmul(omega / sum(omega, 1, keepdim), centres[m]);
      parts[m] = parts[m] + apply_mask(r.imputed[m], mask_of<D>(absent));
    }
    r.fused = concat(parts, -1);
    const bool any = std::count(lacks.begin(), lacks.end(), 1) > 0;
    const auto lacking = mask_of<D>(lacks);
    if (any) r.fused = r.fused + shift_fused(concat(r.codes, -1), noise.fused, lacking);
    r.hidden = fc1(r.fused, Activation::relu);
    if (any) r.hidden = r.hidden + shift_hidden(r.fused, noise.hidden, lacking);
    r.score = fc2(lacuna::dropout(r.hidden, options.dropout, context));
    return r;
  }

  /// whole: the samples of `check` with nothing taken away.
  LossTerms<T, D> losses(const Half& train, const Half& check, const Samples& whole, const Noise& noise,
                         const Context& context) const {
    LossRecord<T, D> record;
    const Random start = context.random != nullptr ? *context.random : Random(0);
    Random after = start, end = start;  // every gradient of A draws the same dropout
    Variable<T, 0, D> first;
    const auto inner = [&](const SmilNetwork& n) {
      after = start;
      const auto loss = train.taught.task_loss(n.run(train.seen, noise, {context.mode, &after, nullptr}).score);
      if (!first.defined()) first = loss.detach();
      return loss;
    };
    const auto outer = [&](const SmilNetwork& n) {
      const auto seen = n.run(check.seen, {}, {context.mode, &after, nullptr}), clean = n.run(whole, {}, {});
      end = after;
      const auto counted = mask_of<D>(whole.complete());
      const auto task = check.taught.task_loss(seen.score), fused = mse_loss(clean.fused, seen.fused, counted),
                 hidden = mse_loss(clean.hidden, seen.hidden, counted);
      record.note("train", first), record.note("task", task);
      record.note("fused", fused), record.note("hidden", hidden);
      return task + scale(fused, options.alpha) + scale(hidden, options.beta);
    };
    const auto total = through_inner_step(*this, moves, {options.inner_rate, options.second_order}, inner, outer);
    if (context.random != nullptr) *context.random = end;
    return {total, record.numbers()};
  }
  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context& context) const {
    if (!context.training() || context.random == nullptr || !detail::recording())
      return Objective<T, D>().add("task", 1, batch.task_loss((*this)(batch.seen, context))).result();
    const Samples seen = Samples::of(batch.seen), whole = Samples::of(batch.whole);
    const index_t n = batch.size(), first = (n + 1) / 2, begin = n > 1 ? first : 0;
    const Noise noise{Rows(init::normal<T, 2, D>({first, fc1.weight.extent(1)}, 1.0, *context.random)),
                      Rows(init::normal<T, 2, D>({first, options.hidden}, 1.0, *context.random))};
    return losses({seen.part(0, first), labels_of(batch, 0, first)},
                  {seen.part(begin, n - begin), labels_of(batch, begin, n - begin)}, whole.part(begin, n - begin),
                  noise, context);
  }

  /// E and W on complete data, then the centres.
  template <class Feed>
  std::optional<Phase<T, D>> next_phase(const Options& o, const Feed& feed, Random& random) {
    if (ready) return std::nullopt;
    const auto plain = std::make_shared<SmilNetwork>(*this);
    return pretraining<T, D>(
        "complete", o.pretraining, feed,
        [plain](const TrainingBatch<T, D>& batch, const Context& context) {
          return batch.task_loss(plain->run(Samples::of(batch.whole), {}, context).score);
        },
        [plain] { return pack<T, D>(*plain); },
        [this, plain, feed, own = random.split(29)](const PhaseRecord& record) {
          *this = *plain;
          settle_centres(feed, own);
          complete_record = record, ready = true;
        });
  }
  void save_state(State& state) const { state.put("complete_ready", ready); }
  void load_state(const State& state) { state.get("complete_ready", ready); }

  /// h (B, hidden).
  Rows embed(const Streams<T, D>& x, const Context& context) const { return run(Samples::of(x), {}, context).hidden; }
  Rows operator()(const Streams<T, D>& x, const Context& context) const {
    return run(Samples::of(x), {}, context).score;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("extractors", self.extractors), visit("fc1", self.fc1), visit("fc2", self.fc2);
    visit("weigh", self.weigh), visit("centres", self.centres);
    visit("shift_fused", self.shift_fused), visit("shift_hidden", self.shift_hidden);
  }

 private:
  template <class Feed>
  void settle_centres(const Feed& feed, const Random& random) {
    const NoGrad off;
    std::vector<std::vector<double>> codes(centres.size());
    std::vector<index_t> some;
    for (index_t begin = 0; begin < feed.train_size(); begin += 256) {
      some.clear();
      for (index_t i = begin; i < std::min(begin + 256, feed.train_size()); ++i) some.push_back(i);
      const Samples s = Samples::of(feed.train(some).whole);
      for (std::size_t m = 0; m < codes.size(); ++m) {
        const auto rows = extractors[m](s.x[m], Activation::relu).value().to_vector();
        const auto has = s.has[m].to_vector();
        const std::size_t width = rows.size() / has.size();
        for (std::size_t i = 0; i < rows.size(); ++i)
          if (has[i / width]) codes[m].push_back(double(rows[i]));
      }
    }
    for (std::size_t m = 0; m < codes.size(); ++m) {
      const index_t width = centres[m].extent(1);
      const auto found = cluster_centres(codes[m], width, options.centres, random.split(m));
      centres[m] =
          Buffer<T, 2, D>(Tensor<T, 2, D>::from({options.centres, width}, std::vector<T>(found.begin(), found.end())));
    }
  }
};

template <class T = float, class D = Cpu>
using Smil = Model<SmilNetwork<T, D>>;

}  // namespace lacuna::models
