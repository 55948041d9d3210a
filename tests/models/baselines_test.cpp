/// What holds for every baseline: shapes, gradients, absent data, one sample, threads, storing; and closed forms of
/// each.
#include <doctest/doctest.h>

#include "lacuna/models/baselines/early_fusion.hpp"
#include "lacuna/models/baselines/mmin.hpp"
#include "lacuna/models/baselines/modality_dropout_transformer.hpp"
#include "lacuna/train/trainer.hpp"
#include "small_sets.hpp"

using namespace lacuna;
using namespace lacuna::models;
using namespace lacuna::test;

static_assert(train::Learner<EarlyFusion<float>> && train::Learner<EarlyFusion<double>>);
static_assert(train::Learner<ModalityDropoutTransformer<float>> && train::Learner<ModalityDropoutTransformer<double>>);
static_assert(train::Learner<Mmin<float>> && train::Learner<Mmin<double>>);

namespace {

void shrink(EarlyFusionOptions& o) {
  o.hidden = 5;
  o.layers = 2;
  o.drop = missing::mrm_preset("mplmm");
}
void shrink(ModalityDropoutTransformerOptions& o) {
  o.width = 4;
  o.num_heads = 2;
  o.layers = 2;
  o.hidden = 6;
}
void shrink(MminOptions& o) {
  o.width = 3;
  o.layers = {4, 2};
  o.blocks = 2;
  o.hidden = 5;
  o.pretraining = {.epochs = 2, .batch = 16};
}
/// A small model for this data set, prepared.
template <class M, class Change>
M prepared(const data::Dataset& set, Change&& change) {
  typename M::Options o;
  shrink(o);
  o.inputs = set.dimensions();
  o.classes = set.class_count;
  change(o);
  M model(o, Random(3));
  Random random(4);
  train::prepare(model, set, random);
  return model;
}
template <class M>
M prepared(const data::Dataset& set) {
  return prepared<M>(set, [](auto&) {});
}
data::Dataset real_set(index_t samples = 40) {
  return data::synthetic({.samples = samples, .seed = 3, .validation = 20, .test = 20, .max_frames = 4});
}
/// Sample 1 lacks the second modality, sample 2 everything; not-a-number stands in their places.
template <class T, data::Role role>
data::Batch<T> awkward(const data::Split<role>& split, index_t count = 5) {
  data::Batch<T> batch = first<T>(split, count);
  lose(batch, 1, 1);
  for (std::size_t m = 0; m < batch.streams.size(); ++m) lose(batch, 2, m);
  return batch;
}
template <class T>
data::Batch<T> one_of(const data::Batch<T>& batch, index_t b) {
  data::Batch<T> one;
  for (const auto& [frames, present] : batch.streams) {
    const index_t t = present.extent(1), d = frames.extent(2);
    one.streams.push_back({Tensor<T, 3>(frames.window(b * t * d, Shape{1, t, d})).clone(),
                           Mask<2>(present.window(b * t, Shape{1, t})).clone()});
  }
  if (batch.labels.size() > 0) one.labels = Tensor<T, 1>::from({1}, {batch.labels(b)});
  if (!batch.classes.empty()) one.classes = {batch.classes[std::size_t(b)]};
  one.samples = {batch.samples[std::size_t(b)]};
  return one;
}
bool all_finite(const std::vector<double>& list) {
  return std::all_of(list.begin(), list.end(), [](double x) { return std::isfinite(x); });
}

}  // namespace

TEST_CASE_TEMPLATE("baselines: any number of modalities, sequences and vectors, one sample, none", M,
                   EarlyFusion<double>, ModalityDropoutTransformer<double>, Mmin<double>) {
  for (const index_t modalities : {2, 3, 6, 8}) {
    CAPTURE(modalities);
    const auto set = class_set(18, modalities);
    const auto model = prepared<M>(set);
    const auto p = model.probabilities(first<double>(set.test, 7));
    CHECK(p.shape() == Shape{7, 3});
    for (index_t b = 0; b < 7; ++b) CHECK(p(b, 0) + p(b, 1) + p(b, 2) == doctest::Approx(1));
    for (const double k : model.predict(first<double>(set.test, 7))) CHECK((k == 0 || k == 1 || k == 2));
    CHECK(model.predicts_classes() == 3);
    CHECK(model.conditions(set.modality_names()).size() ==
          std::size_t(modalities <= 4 ? (1 << modalities) - 1 : 1 + 2 * modalities));
  }
  const auto set = real_set();
  const auto model = prepared<M>(set);
  CHECK(model.predict(first<double>(set.test, 1)).size() == 1);
  CHECK(model.predict(first<double>(set.test, 0)).empty());
  CHECK(model.predicts_classes() == 0);
  CHECK_THROWS_AS(model.probabilities(first<double>(set.test, 1)), OptionError);
  Random random(1);
  CHECK(std::isfinite(model.loss(first<double>(set.train, 1), Context::train(random)).total.item()));
}

TEST_CASE_TEMPLATE("baselines: gradients of the whole objective, under dropping and dropout, with absent samples", M,
                   EarlyFusion<double>, ModalityDropoutTransformer<double>, Mmin<double>) {
  const auto check = [](const data::Dataset& set, auto&& change) {
    const auto model = prepared<M>(set, change);
    const auto batch = awkward<double>(set.train);
    const auto f = [&] {
      Random same(7);
      return model.loss(batch, Context::train(same)).total;
    };
    CHECK(std::isfinite(f().item()));
    CHECK(worst_gradient(model, f, [](const std::string&) { return true; }) < 1e-6);
  };
  // A finite difference would move what the cycle of MMIN takes as a constant; it has a case of its own below.
  const auto still = [](auto& o) {
    if constexpr (requires { o.cycle; }) o.cycle = 0;
  };
  check(class_set(12), still);
  check(real_set(), still);
  check(real_set(), [&](auto& o) {
    still(o);
    o.loss = RegressionLoss::l1;
    o.standardize = false;
  });
}

TEST_CASE_TEMPLATE("baselines: what is absent is never read, and a sample with nothing teaches the head alone", M,
                   EarlyFusion<double>, ModalityDropoutTransformer<double>, Mmin<double>) {
  const auto set = real_set();
  for (const bool standardize : {true, false}) {
    const auto model = prepared<M>(set, [&](auto& o) { o.standardize = standardize; });
    const auto hostile = awkward<double>(set.train);
    auto clean = hostile;
    for (auto& [frames, present] : clean.streams) {
      frames = frames.clone();
      for (index_t b = 0; b < present.extent(0); ++b)
        for (index_t t = 0; t < present.extent(1); ++t)
          for (index_t d = 0; d < frames.extent(2); ++d)
            if (!present(b, t)) frames(b, t, d) = 123;
    }
    CHECK(all_finite(model.predict(hostile)));
    CHECK(model.predict(hostile) == model.predict(clean));
    const auto gradients = [&](const data::Batch<double>& batch) {
      Random same(7);
      zero_grad(model);
      model.loss(batch, Context::train(same)).total.backward();
      return numbers(model, true);
    };
    const auto found = gradients(hostile);
    CHECK(all_finite(found));
    CHECK(found == gradients(clean));

    auto nothing = first<double>(set.train, 4);
    for (index_t b = 0; b < 4; ++b)
      for (std::size_t m = 0; m < 3; ++m) lose(nothing, b, m);
    CHECK(all_finite(gradients(nothing)));
    for_each_parameter(model, [&](const std::string& path, const auto& parameter) {
      CAPTURE(path);
      const bool reads_frames = path == "network.body.layers.0.weight" || path.starts_with("network.projection") ||
                                path.starts_with("network.encoders");
      if (!reads_frames) return;
      for (const double g : parameter.grad().to_vector()) CHECK(g == 0);
    });
    const auto said = model.predict(nothing);
    for (const double y : said) CHECK(y == doctest::Approx(said[0]).epsilon(1e-12));
  }
}

TEST_CASE_TEMPLATE("baselines: a prediction does not depend on batch mates", M, EarlyFusion<double>,
                   ModalityDropoutTransformer<double>, Mmin<double>) {
  const auto set = real_set();
  const auto model = prepared<M>(set);
  const auto batch = awkward<double>(set.test, 6);
  const auto together = model.predict(batch);
  for (index_t b = 0; b < 6; ++b) {
    CHECK(std::abs(model.predict(one_of(batch, b))[0] - together[std::size_t(b)]) < 1e-12);
    const std::vector<index_t> alone{b};
    if (b == 1 || b == 2) continue;
    // gathered alone it is shorter, too
    CHECK(std::abs(model.predict(data::gather<double>(set.test, alone))[0] - together[std::size_t(b)]) < 1e-12);
  }
}

TEST_CASE_TEMPLATE("baselines: the same bits with any number of threads, and after storing", M, EarlyFusion<float>,
                   ModalityDropoutTransformer<float>, Mmin<float>) {
  const auto set = class_set(40);
  const auto trained = [&](int threads) {
    set_threads(threads);
    typename M::Options o;
    shrink(o);
    o.inputs = set.dimensions();
    o.classes = 3;
    M model(o, Random(1));
    learn(model, set, 2, 3e-3);
    set_threads(0);
    return model;
  };
  const M model = trained(1);
  for (const int threads : {2, 3}) CHECK(numbers(trained(threads)) == numbers(model));

  const M back = train::model_from<M>(train::model_state(model));
  for (const auto& condition : model.conditions(set.modality_names())) {
    const auto batch = missing::apply(condition, first<float>(set.test, 20));
    CHECK(back.scores(batch).to_vector() == model.scores(batch).to_vector());
  }
  Random one(5), other(5);  // the options of training are stored, too
  const auto batch = first<float>(set.train, 9);
  CHECK(back.loss(batch, Context::train(one)).terms == model.loss(batch, Context::train(other)).terms);

  const auto real = real_set();
  const M measured = prepared<M>(real);
  const M again = train::model_from<M>(train::model_state(measured));
  CHECK(train::predict(again, real.test, {}, 7) == train::predict(measured, real.test, {}, 7));
}

TEST_CASE_TEMPLATE("baselines: what cannot work is refused with a reason", M, EarlyFusion<double>,
                   ModalityDropoutTransformer<double>, Mmin<double>) {
  const auto set = class_set(12);
  const auto real = real_set();
  const auto refused = [&](auto&& change, const char* reason) {
    typename M::Options o;
    shrink(o);
    o.inputs = set.dimensions();
    o.classes = 3;
    change(o);
    CHECK_THROWS_WITH_AS(M(o, Random(1)), doctest::Contains(reason), OptionError);
  };
  refused([](auto& o) { o.inputs = {}; }, "at least one modality");
  refused([](auto& o) { o.inputs[1] = 0; }, "0 features");
  refused([](auto& o) { o.classes = 1; }, "classes is 1");
  refused([](auto& o) { o.drop.stream_rate = 2; }, "MRM");
  refused([](auto& o) { o.dropout = 1; }, "dropout");
  auto model = prepared<M>(set);
  Random random(1);
  CHECK_THROWS_WITH_AS(model.prepare(real, random), doctest::Contains("feature sizes"), OptionError);
  CHECK_THROWS_WITH_AS(model.loss(first<double>(set.train, 3), {Mode::training, nullptr, nullptr}),
                       doctest::Contains("random source"), OptionError);
  auto few = first<double>(set.train, 3);
  few.streams.pop_back();
  CHECK_THROWS_AS(model.predict(few), ShapeError);
  auto unlabelled = first<double>(set.train, 3);
  unlabelled.classes.clear();
  CHECK_THROWS_WITH_AS(model.loss(unlabelled, Context::train(random)), doctest::Contains("class ids"), OptionError);
  auto empty = class_set(12);
  empty.train.modalities[2].present = Mask<2>::zeros(empty.train.modalities[2].present.extents());
  CHECK_THROWS_WITH_AS(model.prepare(empty, random), doctest::Contains("'m2' is absent from all 12"), OptionError);
  auto more = class_set(12);
  more.class_count = 4;
  CHECK_THROWS_WITH_AS(model.prepare(more, random), doctest::Contains("4 classes"), OptionError);
}

TEST_CASE("early fusion: the formula") {
  EarlyFusionOptions o;
  o.inputs = {2, 1};
  o.hidden = 2;
  o.standardize = false;
  EarlyFusion<double> model(o, Random(1));
  const auto set = [](auto& parameter, std::vector<double> list) {
    std::copy(list.begin(), list.end(), parameter.mutable_data());
  };
  set(model.network.body.layers[0].weight, {1, 2, 3, -1, 0, 1});
  set(model.network.body.layers[0].bias, {0.5, -1});
  set(model.network.head.weight, {2, -3});
  set(model.network.head.bias, {0.25});
  data::Batch<double> batch;
  batch.samples = {0, 1};
  batch.streams = {
      {Tensor<double, 3>::from({2, 2, 2}, {1, 2, 3, 4, 5, 6, NAN, NAN}), Mask<2>::from({2, 2}, {1, 1, 1, 0})},
      {Tensor<double, 3>::from({2, 1, 1}, {7, NAN}), Mask<2>::from({2, 1}, {1, 0})}};
  // averages (2, 3, 7) and (5, 6, 0); hidden (2 + 6 + 21 + .5, relu(-2 + 7 - 1)) and (17.5, relu(-6))
  CHECK(model.predict(batch) == std::vector<double>{2 * 29.5 - 3 * 4 + 0.25, 2 * 17.5 + 0.25});
}

TEST_CASE("modality-dropout Transformer: order of frames counts, absent frames between them do not count as frames") {
  const auto set = real_set();
  const auto model = prepared<ModalityDropoutTransformer<double>>(set);
  auto batch = first<double>(set.test, 3);
  const auto before = model.predict(batch);
  auto swapped = batch;
  auto& frames = swapped.streams[1].frames;
  frames = frames.clone();
  for (index_t d = 0; d < frames.extent(2); ++d) std::swap(frames(0, 0, d), frames(0, 1, d));
  REQUIRE(swapped.streams[1].present(0, 1) == 1);
  CHECK(model.predict(swapped)[0] != before[0]);
  CHECK(model.predict(swapped)[1] == before[1]);
  // a modality that is wholly absent is like one that has only absent frames, however many
  auto longer = batch;
  longer.streams[2] = {Tensor<double, 3>::full({3, 9, frames.extent(2)}, NAN), Mask<2>::zeros({3, 9})};
  longer.streams[2].frames = Tensor<double, 3>::full({3, 9, batch.streams[2].frames.extent(2)}, NAN);
  auto gone = batch;
  gone.streams[2].present = Mask<2>::zeros(gone.streams[2].present.extents());
  const auto a = model.predict(longer), b = model.predict(gone);
  for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(a[i] - b[i]) < 1e-12);
}

TEST_CASE("MMIN: what the imagination and the cycle are asked for") {
  const auto set = class_set(24);
  auto model = prepared<Mmin<double>>(set, [](auto& o) { o.drop = missing::mrm_preset("none"); });
  const auto& network = model.network;
  const auto batch = first<double>(set.train, 5);
  const auto whole = model.streams(batch);
  const auto given_as = [&](const auto& seen, const auto& all) {
    TrainingBatch<double> given = model.taught(batch, Context{});
    given.seen = seen, given.whole = all;
    for (std::size_t m = 0; m < 3; ++m) {
      given.has[m] = Present<Cpu>::of(any_present(seen[m].present));
      given.had[m] = Present<Cpu>::of(any_present(all[m].present));
    }
    return given;
  };
  const auto learn = [&](const auto& seen, const auto& all) {
    return network.objective(given_as(seen, all), Context{}).terms;
  };
  CHECK(learn(whole, whole)[1].second == 0);  // nothing is missing
  CHECK(learn(whole, whole)[2].second > 0);

  auto seen = whole;
  seen[1] = masked_stream(seen[1].frames, Mask<2>::zeros(seen[1].present.extents()));
  const auto h = network.encoders(seen).value(), told = network.pretrained(whole).value();
  const auto imagined = network.forward(network.encoders(seen)).y;
  const auto recalled = network.backward(imagined).y.value();
  double imagination = 0, cycle = 0;  // widths of 3: columns 3 to 5 are the second modality
  for (index_t b = 0; b < 5; ++b)
    for (index_t j = 0; j < 9; ++j) {
      const bool second = j / 3 == 1;
      if (second) CHECK(h(b, j) == 0);
      if (second) imagination += std::pow(imagined.value()(b, j) - told(b, j), 2) / 15;
      if (!second) cycle += std::pow(recalled(b, j) - h(b, j), 2) / 30;
    }
  CHECK(learn(seen, whole)[1].second == doctest::Approx(imagination));
  CHECK(learn(seen, whole)[2].second == doctest::Approx(cycle));
  CHECK(learn(seen, seen)[1].second == 0);  // nobody knows what is missing

  // gradients of the cycle, towards everything but what it takes as a constant
  model.network.options.imagination = 0;
  const auto given = given_as(seen, whole);
  const auto f = [&] {
    return network.objective(given, Context{}).total -
           given.task_loss(network.classifier(network.forward(network.encoders(seen)).z, Context{}));
  };
  CHECK(worst_gradient(model, f, [](const std::string& path) {
          return path.find("forward") != std::string::npos || path.find("backward") != std::string::npos;
        }) < 1e-6);
  for_each_parameter(network.pretrained, [](const std::string&, const auto& p) { CHECK(!p.requires_grad()); });
}

TEST_CASE("MMIN: pretraining keeps the best epoch, and its encoders are those that the model starts from") {
  const auto set = class_set(60);
  const auto model =
      prepared<Mmin<double>>(set, [](auto& o) { o.pretraining = {.epochs = 6, .batch = 8, .learning_rate = 1e-2}; });
  const auto& record = model.network.pretrain_record;
  REQUIRE(record.scores.size() == 6);
  CHECK(record.scores[std::size_t(record.best - 1)] == *std::min_element(record.scores.begin(), record.scores.end()));
  CHECK(record.scores[5] < 0.8 * record.scores[0]);
  CHECK(numbers(model.network.encoders.lstm[0]) == numbers(model.network.pretrained.lstm[0]));
}

TEST_CASE_TEMPLATE("models made without options say so when they are used", M, EarlyFusion<double>,
                   ModalityDropoutTransformer<double>, Mmin<double>) {
  data::Batch<double> batch;
  batch.streams.resize(3);
  CHECK_THROWS_WITH_AS(M{}.predict(batch), doctest::Contains("was made without options"), OptionError);
  CHECK_THROWS_WITH_AS(missing::subset_specs({}, 2), doctest::Contains("0 names of streams, expected at least 2"),
                       OptionError);
}

TEST_CASE("baselines: a stored model of sizes that its numbers do not bear out is refused before they are asked for") {
  const EarlyFusion<float> model = prepared<EarlyFusion<float>>(real_set(), [](EarlyFusionOptions&) {});
  const State state = train::model_state(model);
  for (const index_t size : {index_t(1) << 25, index_t(1) << 40}) {  // more than is believed; more than there is
    State changed = state;
    changed.put("model/hidden", size);
    CHECK_THROWS_WITH_AS(train::model_from<EarlyFusion<float>>(changed), doctest::Contains("is the file damaged"),
                         IoError);
  }
  CHECK_NOTHROW(train::model_from<EarlyFusion<float>>(state));
}
