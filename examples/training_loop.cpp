// A training loop that one can read: forward, loss, backward, clip, step. Two encoders bring the audio and the text of a
// sample to the same place (InfoNCE); a quarter of the training samples lack one of both, and a mask leaves them out.
// Prints how often the partner of a test sample is the nearest of all, or among five.
//
//   training_loop                      a synthetic set
//   training_loop FILE.npz VIEW VIEW   two modalities of a set laid out as docs/data.md says
#include <cstdio>
#include <lacuna/data/load.hpp>
#include <lacuna/data/standardize.hpp>
#include <lacuna/data/synthetic.hpp>
#include <lacuna/lacuna.hpp>

using namespace lacuna;
using Var = Variable<float, 2>;

struct Encoder {
  Linear<float> hidden, out;
  Encoder(index_t features, Random& random)
      : hidden({.in_features = features, .out_features = 128}, random),
        out({.in_features = 128, .out_features = 32}, random) {}
  Var operator()(const data::Stream<float>& stream) const {
    return out(hidden(mean_pool(Variable<float, 3>(stream.frames), stream.present), Activation::relu));
  }
  static void reflect(auto& self, auto&& visit) { visit("hidden", self.hidden), visit("out", self.out); }
};
struct Pair {
  Encoder first, second;
  static void reflect(auto& self, auto&& visit) { visit("first", self.first), visit("second", self.second); }
};

/// Percent of the rows of a (N, d) whose partner is among the `best` rows of b (N, d) with the largest cosine.
double found_among(index_t best, const Var& a, const Var& b) {
  const auto cosine = matmul(a / norm(a, 2, -1, keepdim), b / norm(b, 2, -1, keepdim), {.transpose_b = true});
  const auto [values, places] = topk(cosine, best, -1);  // (N, best)
  double hits = 0;
  for (index_t i = 0; i < places.extent(0); ++i)
    for (index_t k = 0; k < best; ++k) hits += places(i, k) == i;
  return 100 * hits / double(places.extent(0));
}

int main(int argc, char** argv) {
  data::Dataset set = argc > 3 ? data::load_npz(argv[1], {.modalities = {argv[2], argv[3]}})
                               : data::synthetic({.samples = 1000, .max_frames = 6});
  set = data::Standardizer::fit(set.train)(set);

  Random random(1);
  const Pair model{Encoder(set.dimensions()[0], random), Encoder(set.dimensions()[1], random)};
  optim::AdamW optimizer(model, {.weight_decay = 1e-2});
  const data::BatchSampler sampler(set.train.size(), {.size = 200, .seed = 2, .drop_last = true});
  const index_t epochs = 60;
  const auto rate = 2e-3 * optim::cosine(epochs * sampler.count());
  for (index_t epoch = 0, step = 0; epoch < epochs; ++epoch) {
    double total = 0;
    for (const auto& samples : sampler.epoch(epoch)) {
      const auto batch = data::gather<float>(set.train, samples);
      Mask<1> both({batch.size()});  // 1 = has both
      for (index_t b = 0; b < batch.size(); ++b) both(b) = samples[std::size_t(b)] % 4 != 0;

      const auto loss = info_nce_loss(model.first(batch.streams[0]), model.second(batch.streams[1]), {0.1}, both);
      optimizer.zero_grad();
      loss.backward();
      clip_gradient_norm(model, 1.0);
      optimizer.set_learning_rate(rate(step++));
      optimizer.step();
      total += double(loss.item());
    }
    if (epoch % 15 == 14) std::printf("epoch %2d: loss %.3f\n", int(epoch) + 1, total / double(sampler.count()));
  }

  const auto test = data::gather<float>(set.test, data::epoch_order(set.test.size(), 0, 0, false));
  const auto a = model.first(test.streams[0]), b = model.second(test.streams[1]);
  std::printf("first -> second: nearest %.1f %%, among five %.1f %%\n", found_among(1, a, b), found_among(5, a, b));
  std::printf("second -> first: nearest %.1f %%, among five %.1f %%\n", found_among(1, b, a), found_among(5, b, a));
  return 0;
}
