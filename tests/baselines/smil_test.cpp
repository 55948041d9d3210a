/// SMIL against its authors' arrays, gradients through its inner step included; k-means.
#include "lacuna/models/baselines/smil.hpp"

#include <doctest/doctest.h>

#include "support/published.hpp"

namespace smil_test {

using namespace lacuna;
using Network = models::SmilNetwork<double>;

/// f(a name of theirs, the parameter of ours that it is). The authors' two layers that read the present stream alone
/// are the first columns of ours, which read 0 from the missing one.
template <class F>
void for_each_place(Network& n, F&& f) {
  const auto layer = [&](const std::string& name, auto& linear) {
    f(name + ".weight", linear.weight), f(name + ".bias", linear.bias);
  };
  layer("main.img_extractor.lin", n.extractors[0]), layer("main.sound_extractor.lin", n.extractors[1]);
  layer("main.fc1", n.fc1), layer("main.fc2", n.fc2), layer("infer.fc0", n.weigh[1]);
  layer("infer.fc1", n.shift_fused.mean), layer("infer.fc11", n.shift_fused.spread);
  layer("infer.fc2", n.shift_hidden.mean), layer("infer.fc21", n.shift_hidden.spread);
}
/// The first columns of numbers (rows, wide), as many as fit into `size`.
std::vector<double> columns(const std::vector<double>& numbers, const Shape& shape, index_t size) {
  if (shape.rank() == 1 || shape.size() == size) return numbers;
  const index_t rows = shape[0], wide = shape[1], narrow = size / rows;
  std::vector<double> all;
  for (index_t r = 0; r < rows; ++r)
    for (index_t c = 0; c < wide; ++c) {
      if (c < narrow)
        all.push_back(numbers[std::size_t(r * wide + c)]);
      else
        CHECK(numbers[std::size_t(r * wide + c)] == 0);
    }
  return all;
}
void load(const test::Published& file, Network& network) {
  for_each_place(network, [&](const std::string& name, auto& parameter) {
    const auto given = file.numbers("param/" + name);
    const index_t size = index_t(given.size());
    if (parameter.size() == size) return void(std::copy(given.begin(), given.end(), parameter.mutable_data()));
    const index_t rows = parameter.shape()[0], wide = parameter.size() / rows, narrow = size / rows;
    REQUIRE(narrow == file.size("feature_present"));
    for (index_t i = 0; i < parameter.size(); ++i)
      parameter.mutable_data()[i] = i % wide < narrow ? given[std::size_t(i / wide * narrow + i % wide)] : 0;
  });
  network.centres[1] = Buffer<double, 2>(transpose(Variable<double, 2>(file.tensor<2>("in/centres"))).value());
}
Network::Samples samples(const test::Published& file, const std::string& half, bool whole) {
  Network::Samples s;
  const index_t batch = file.size("B");
  s.x.push_back(Variable<double, 2>(file.tensor<2>("in/" + half + "_present")));
  const auto missing = file.tensor<2>("in/val_missing");
  s.x.push_back(Variable<double, 2>(whole ? missing : Tensor<double, 2>::zeros(missing.extents())));
  s.has = {Mask<1>::full({batch}, 1), Mask<1>::full({batch}, whole ? 1 : 0)};
  return s;
}

TEST_CASE("SMIL: its authors' arrays" * doctest::skip(!test::have_published())) {
  test::Published file("smil");
  Random random(1);
  Network network({.inputs = {file.extent("in/train_present", 1), file.extent("in/val_missing", 1)},
                   .widths = {file.size("feature_present"), file.size("feature_missing")},
                   .hidden = file.size("hidden"),
                   .centres = file.size("centres"),
                   .alpha = file.number("alpha"),
                   .beta = file.number("beta"),
                   .inner_rate = file.number("lr_inner"),
                   .dropout = 0,
                   .published = true,
                   .classes = file.size("classes")},
                  random);
  load(file, network);
  models::Task task{.kind = models::LabelKind::classes, .classes = file.size("classes")};
  const auto half = [&](const std::string& name) {
    Network::Half h{samples(file, name, false), {.task = &task}};
    h.taught.targets.classes = file.integers("in/" + name + "_label");
    h.taught.targets.settle();
    return h;
  };
  const auto train = half("train"), check = half("val");
  const Network::Samples whole = samples(file, "val", true);
  const Network::Noise noise{Variable<double, 2>(file.tensor<2>("in/noise_fc1")),
                             Variable<double, 2>(file.tensor<2>("in/noise_fc2"))};
  const auto compare = [&](const std::string& name, const Network::Forward& r) {
    file.out("out/" + name + "_logits", r.score), file.out("out/" + name + "_fused", r.fused);
    file.out("out/" + name + "_hidden", r.hidden);
    if (r.imputed[1].defined()) file.out("out/" + name + "_imputed", r.imputed[1]);
  };
  compare("train", network.run(train.seen, noise, {}));
  Network fast = network;
  models::take_inner_step(fast, Network::moves, network.options.inner_rate,
                          [&](const Network& n) { return train.taught.task_loss(n.run(train.seen, noise, {}).score); });
  for_each_place(fast, [&](const std::string& name, auto& parameter) {
    if (const auto full = "inner/" + name.substr(name.find('.') + 1); name.starts_with("main."))
      file.compare(full, parameter.value().to_vector(), file.forward);
  });
  compare("val", fast.run(check.seen, {}, {}));
  compare("val_clean", fast.run(whole, {}, {}));

  const auto loss = network.losses(train, check, whole, noise, Context::train(random));
  file.out("loss/total", loss.total);
  file.out("loss/meta_train", test::term(loss, "train"));
  file.out("loss/meta_val", test::term(loss, "task") + file.number("alpha") * test::term(loss, "fused") +
                                file.number("beta") * test::term(loss, "hidden"));
  loss.total.backward();
  for_each_place(network, [&](const std::string& name, auto& parameter) {
    const auto g = parameter.grad().to_vector();
    if (!file.has("grad/" + name)) {
      for (const double one : g) CHECK_MESSAGE(one == 0, name);
      return;
    }
    const index_t size = index_t(file.numbers("grad/" + name).size());
    file.compare("grad/" + name, columns(g, parameter.shape(), size), file.gradient);
  });
  CHECK(file.finish() == 36);

  // the first-order form leaves the second derivative out, and is another gradient
  Network first = network;
  first.options.second_order = false;
  first.losses(train, check, whole, noise, Context::train(random)).total.backward();
  CHECK(test::relative_error(first.fc1.weight.grad().to_vector(), file.numbers("grad/main.fc1.weight"), 0.01) > 1e-6);
}

TEST_CASE("k-means finds three clouds, and repeats a centre where there are too few rows") {
  Random random(3);
  std::vector<double> rows;
  for (int i = 0; i < 60; ++i)
    for (int c = 0; c < 2; ++c) rows.push_back(10.0 * (i % 3) * (c == 0 ? 1 : -1) + random.uniform());
  const auto found = models::cluster_centres(rows, 2, 3, Random(5));
  std::set<int> clouds;
  for (std::size_t k = 0; k < 3; ++k) {
    clouds.insert(int(found[2 * k] / 10));
    CHECK(std::abs(found[2 * k] - 10 * std::floor(found[2 * k] / 10) - 0.5) < 0.2);
  }
  CHECK(clouds == std::set<int>{0, 1, 2});
  CHECK(models::cluster_centres({1, 2}, 2, 3, Random(5)) == std::vector<double>{1, 2, 1, 2, 1, 2});
  CHECK(models::cluster_centres({}, 2, 2, Random(5)) == std::vector<double>{0, 0, 0, 0});
}

}  // namespace smil_test
