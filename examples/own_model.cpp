/// A model of one's own: low-rank multimodal fusion (Liu et al., ACL 2018) as a network of twenty lines, trained,
/// evaluated under missing modalities, stored and restored by what every model of the library uses.
#include <cstdio>
#include <lacuna/data/synthetic.hpp>
#include <lacuna/lacuna.hpp>
#include <lacuna/train/trainer.hpp>

using namespace lacuna;

struct LowRankNetwork {
  struct Options {
    std::vector<index_t> inputs = {};  // what Model works with, as far as we want it; then our own
    missing::MrmOptions drop = models::modality_dropping();
    index_t width = 16, rank = 4;
    static void reflect(auto& self, auto&& visit) {
      models::ModelOptions::reflect(self, visit);
      visit("width", self.width), visit("rank", self.rank);
    }
  };
  std::vector<Linear<float>> encoder;
  LowRankFusion<float> fusion;

  LowRankNetwork(const Options& o, Random& random)
      : fusion({std::vector<index_t>(o.inputs.size(), o.width), 1, o.rank}, random) {
    for (const index_t in : o.inputs)
      encoder.push_back(Linear<float>({.in_features = in, .out_features = o.width}, random));
  }
  Variable<float, 2> operator()(const models::Streams<float>& streams, const Context&) const {
    std::vector<Variable<float, 2>> x;
    for (std::size_t m = 0; m < streams.size(); ++m) {
      const auto average = mean_pool(Variable<float, 3>(streams[m].frames), streams[m].present);
      x.push_back(apply_mask(encoder[m](average, Activation::tanh), any_present(streams[m].present)));
    }
    return fusion(x);
  }
  static void reflect(auto& self, auto&& visit) { visit("encoder", self.encoder), visit("fusion", self.fusion); }
};
using LowRankModel = models::Model<LowRankNetwork>;

int main() {
  const auto corpus = data::synthetic({.samples = 1000, .seed = 7, .max_frames = 6});
  LowRankModel model({.inputs = corpus.dimensions()}, Random(7));
  train::Observer quiet;
  train::fit(model, corpus, {.epochs = 15, .batch = 32, .learning_rate = 2e-3}, quiet);
  const auto evaluation = train::evaluate(model, corpus.test);
  train::print(evaluation);
  const auto restored = train::model_from<LowRankModel>(train::model_state(model));
  const bool same = train::predict(restored, corpus.test) == evaluation.conditions[0].predictions;
  std::printf("restored: %s\n", same ? "the same predictions" : "other predictions");
  return same ? 0 : 1;
}
