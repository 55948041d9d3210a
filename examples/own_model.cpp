/// A model of one's own: low-rank multimodal fusion (Liu et al., ACL 2018) as a network of some thirty lines, trained,
/// evaluated under missing modalities, stored and restored by what every model of the library uses.
#include <cstdio>
#include <lacuna/data/synthetic.hpp>
#include <lacuna/lacuna.hpp>
#include <lacuna/models/supervised.hpp>
#include <lacuna/train/trainer.hpp>

using namespace lacuna;

template <class T = float, class D = Cpu>
struct LowRankNetwork {
  using scalar = T;
  using device = D;
  struct Options {
    std::vector<index_t> inputs = {};  // these six are what Supervised works with
    index_t classes = 0;
    models::RegressionLoss loss = models::RegressionLoss::mse;
    missing::MrmOptions drop = models::modality_dropping();
    bool standardize = true;
    double feature_clip = 5;
    index_t width = 16, rank = 4;  // these are our own
    static void visit(auto& self, auto&& f) {
      models::visit_supervised(self, f);
      f("width", self.width), f("rank", self.rank);
    }
  };
  static constexpr const char* name = "low-rank fusion";

  std::vector<Linear<T, D>> encoder;
  LowRankFusion<T, D> fusion;
  LowRankNetwork() = default;
  LowRankNetwork(const Options& o, Random& random)
      : fusion({std::vector<index_t>(o.inputs.size(), o.width), models::outputs_for(o.classes), o.rank}, random) {
    for (const index_t in : o.inputs)
      encoder.push_back(Linear<T, D>({.in_features = in, .out_features = o.width}, random));
  }
  Variable<T, 2, D> operator()(const std::vector<data::Stream<T, D>>& streams, const Context&) const {
    std::vector<Variable<T, 2, D>> x;
    for (std::size_t m = 0; m < streams.size(); ++m) {
      const auto average = mean_pool(Variable<T, 3, D>(streams[m].frames), streams[m].present);
      x.push_back(apply_mask(encoder[m](average, Activation::tanh), any_present(streams[m].present)));
    }
    return fusion(x);
  }
  static void reflect(auto& self, auto&& visit) { visit("encoder", self.encoder), visit("fusion", self.fusion); }
};
using LowRankModel = models::Supervised<LowRankNetwork<float>>;

int main() {
  const auto corpus = data::synthetic({.samples = 1000, .seed = 7, .max_frames = 6});
  LowRankModel model({.inputs = corpus.dimensions()}, Random(7));
  train::Observer quiet;
  train::fit(model, corpus, {.epochs = 15, .batch = 32, .learning_rate = 2e-3}, quiet);
  const auto evaluation = train::evaluate(model, corpus.test);
  train::print(evaluation);
  LowRankModel restored;
  train::load_model(restored, train::model_state(model));
  const bool same = train::predict(restored, corpus.test) == evaluation.conditions[0].predictions;
  std::printf("restored: %s\n", same ? "the same predictions" : "other predictions");
  return same ? 0 : 1;
}
