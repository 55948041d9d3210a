// Distillation: a teacher that sees all modalities and all labels, a student that sees one modality and the labels of one
// sample in twelve. About the others it learns from the teacher alone. Prints the test accuracy of every way to distil.
//
//   distillation_losses                 a synthetic set, its labels cut into four classes; the student sees audio
//   distillation_losses FILE.npz NAME   a set of classes, laid out as docs/data.md says; the student sees NAME
#include <cstdio>
#include <lacuna/data/load.hpp>
#include <lacuna/data/standardize.hpp>
#include <lacuna/data/synthetic.hpp>
#include <lacuna/lacuna.hpp>

using namespace lacuna;
using Var = Variable<float, 2>;
struct Network {
  Linear<float> hidden, out, bridge;  // the bridge: hidden features to the width of the teacher's
  Network(index_t in, index_t width, index_t classes, Random& random)
      : hidden({in, width}, random), out({width, classes}, random), bridge({width, 128}, random) {}
  Var features(const Var& x) const { return hidden(x, Activation::relu); }
  static void reflect(auto& s, auto&& f) { f("hidden", s.hidden), f("out", s.out), f("bridge", s.bridge); }
};
/// Modalities first, first + 1, ..., `count` of them, side by side: (B, sum of features).
Var vectors_of(const data::Batch<float>& batch, std::size_t first, std::size_t count) {
  std::vector<Var> parts;
  for (const auto& stream : std::span(batch.streams).subspan(first, count))
    parts.push_back(mean_pool(Variable<float, 3>(stream.frames), stream.present));
  return concat(parts, -1);
}

int main(int argc, char** argv) {
  data::Dataset set = argc > 1 ? data::load_npz(argv[1]) : data::synthetic({.samples = 1200, .max_frames = 6});
  set = data::Standardizer::fit(set.train)(set);
  const auto classes_of = [](auto& split) {  // real labels: below -0.6, below 0, below 0.6, above
    for (const float y : split.labels) split.classes.push_back(index_t(y > -0.6f) + (y > 0) + (y > 0.6f));
  };
  if (set.class_count == 0) classes_of(set.train), classes_of(set.test), set.class_count = 4;
  const auto names = set.modality_names();
  const auto view = std::size_t(std::find(names.begin(), names.end(), argc > 2 ? argv[2] : "audio") - names.begin());
  const auto test = data::gather<float>(set.test, data::epoch_order(set.test.size(), 0, 0, false));
  const auto accuracy = [&](const char* name, const Network& network, const Var& x) {
    const auto best = argmax(network.out(network.features(x)), 1);
    double right = 0;
    for (index_t i = 0; i < test.size(); ++i) right += best(i) == test.classes[std::size_t(i)];
    std::printf("%-31s %.1f %%\n", name, 100 * right / double(test.size()));
  };
  const auto fit = [&](const Network& network, auto&& loss) {
    optim::AdamW optimizer(network, {.learning_rate = 2e-3, .weight_decay = 1e-2});
    const data::BatchSampler sampler(set.train.size(), {.size = 100, .seed = 2, .drop_last = true});
    for (index_t epoch = 0; epoch < 40; ++epoch)
      for (const auto& samples : sampler.epoch(epoch)) {
        optimizer.zero_grad();
        loss(data::gather<float>(set.train, samples)).backward();
        optimizer.step();
      }
  };
  Random random(1);
  const auto all = [&](auto& batch) { return vectors_of(batch, 0, names.size()); };
  const Network teacher(all(test).extent(1), 128, set.class_count, random);
  fit(teacher, [&](const auto& b) { return cross_entropy(teacher.out(teacher.features(all(b))), b.classes); });
  freeze(teacher);  // a constant from here on
  accuracy("teacher", teacher, all(test));

  const auto student = [&](const char* name, auto&& distil) {
    Random same(3);
    const Network network(set.dimensions()[view], 32, set.class_count, same);
    fit(network, [&](const auto& batch) {
      Mask<1> labelled({batch.size()});  // 1 = its label is known
      for (index_t b = 0; b < batch.size(); ++b) labelled(b) = batch.samples[std::size_t(b)] % 12 == 0;
      const Var own = network.features(vectors_of(batch, view, 1)), taught = teacher.features(all(batch));
      return cross_entropy(network.out(own), batch.classes, {}, labelled) + distil(network, own, taught);
    });
    accuracy(name, network, vectors_of(test, view, 1));
  };
  student("student, labels only", [](auto&, auto& own, auto&) { return 0.0 * sum(own); });
  student("student, + responses",
          [&](auto& n, auto& own, auto& taught) { return hinton_kd_loss(n.out(own), teacher.out(taught)); });
  student("student, + features", [](auto& n, auto& own, auto& taught) { return mse_loss(n.bridge(own), taught); });
  student("student, + distances", [](auto&, auto& own, auto& taught) { return 40 * rkd_distance_loss(own, taught); });
  return 0;
}
