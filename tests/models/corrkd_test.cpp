/// CorrKD: the specification's golden vectors, gradients of the objective in awkward batches, options, the network on
/// absent and unaligned streams, and the model as the trainer sees it.
#include "lacuna/models/corrkd/corrkd.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "lacuna/autograd/gradcheck.hpp"
#include "lacuna/data/synthetic.hpp"
#include "lacuna/models/corrkd/presets.hpp"
#include "lacuna/models/corrkd/pytorch.hpp"
#include "lacuna/train/trainer.hpp"
#include "models/small_sets.hpp"

using namespace lacuna;
using namespace lacuna::models;
using lacuna::test::normal;
using lacuna::test::numbers;

static_assert(train::Learner<Corrkd<float>> && train::Learner<Corrkd<double>>);

namespace {

Variable<double, 2> leaf(index_t rows, index_t columns, const std::vector<double>& numbers, bool wanted = true) {
  return Variable<double, 2>(Tensor<double, 2>::from({rows, columns}, numbers), wanted);
}
CorrkdOptions class_options(index_t classes) {
  CorrkdOptions o;
  o.network.inputs = {3, 2};
  o.labels = CorrkdLabels::classes;
  o.classes = classes;
  o.critic.hidden = 8;
  return o;
}
/// Small, without dropout: two modalities, four samples.
CorrkdNetworkOptions small(index_t outputs = 3) {
  return {.inputs = {3, 2},
          .outputs = outputs,
          .width = 4,
          .num_heads = 2,
          .depth = 1,
          .embedding_dropout = 0,
          .attention_dropout = 0,
          .hidden_dropout = 0,
          .residual_dropout = 0};
}
/// Sample 1 lacks the second modality, sample 2 everything; lengths are unaligned.
data::Streams<double> streams(index_t batch = 4, index_t first = 5, index_t second = 3) {
  data::Streams<double> list;
  const index_t frames[] = {first, second}, features[] = {3, 2};
  for (std::size_t m = 0; m < 2; ++m) {
    const index_t t = frames[m], d = features[m];
    Mask<2> present = Mask<2>::full({batch, t}, 1);
    for (index_t b = 0; b < batch; ++b)
      for (index_t i = 0; i < t; ++i)
        if (b == 2 || (b == 1 && m == 1) || (b == 3 && i + 1 == t && t > 1)) present(b, i) = 0;
    list.push_back(masked_stream(Tensor<double, 3>::from({batch, t, d}, normal(batch * t * d, 10 + m)), present));
  }
  return list;
}
/// The worst gradient error of the whole objective towards student outputs and critics.
double check_objective(const CorrkdOptions& o, const std::vector<index_t>& classes, std::vector<double> student,
                       const Mask<1>& present = {}, const Tensor<double, 2>& values = {}) {
  const index_t n = index_t(classes.size()), d = 4, k = o.outputs();
  Random random(3);
  const CorrkdCritics<double> critics(o.head_count(), o.one_vs_rest ? 2 : o.class_count(), o.critic, random);
  const auto hs = leaf(n, d, student), zs = leaf(n, k, normal(n * k, 2));
  const CorrkdOutput<double> teacher{{}, leaf(n, d, normal(n * d, 4), false), leaf(n, k, normal(n * k, 5), false)};
  const Targets<double> target{classes, values, present};
  const auto objective = [&] { return corrkd_objective(o, {{}, hs, zs}, teacher, target, critics); };
  const auto f = [&] { return objective().total; };
  // A difference of two values f is f · 1e-16 / step away from the truth, and the critics' ReLU units turn where a
  // longer step reaches: 1e-5 and narrow critics keep both below what is allowed.
  double worst = check_gradients(f, 1e-5, 1e-3, hs, zs).worst;
  if (o.loss.response == ResponseLoss::rcd && o.labels != CorrkdLabels::regression) {
    const auto& critic = critics.target[0];
    worst = std::max(worst, check_gradients(f, 1e-5, 1e-3, critic.out.weight, critics.rest[0].out.weight).worst);
    if (!critic.hidden.empty()) worst = std::max(worst, check_gradients(f, 1e-5, 1e-3, critic.hidden[0].weight).worst);
  }
  if (present.defined()) {  // who takes no part gets no gradient at all
    hs.zero_grad();
    zs.zero_grad();
    f().backward();
    for (index_t i = 0; i < n; ++i)
      for (index_t j = 0; j < d; ++j)
        if (!present(i)) CHECK(hs.grad()(i, j) == 0);
  }
  return worst;
}

}  // namespace

TEST_CASE("corrkd: golden vectors of the specification") {
  const auto ht = leaf(3, 2, {1, 0, 0, 2, -1, 1}, false), hs = leaf(3, 2, {.5, .5, 0, 1, -1, 0});
  CHECK(std::abs(scd_loss(hs, ht, {1.5, false, Reduction::sum}).item() - 5.257359) < 1e-6);
  CHECK(std::abs(scd_loss(hs, ht, {1.5}).item() - 0.876227) < 1e-6);
  const std::vector<index_t> y{0, 1, 1};
  CHECK(std::abs(cpd_loss(hs, ht, y, 2, {.power = 1}).item() - 0.242039) < 1e-6);
  CHECK(std::abs(cpd_loss(hs, ht, y, 2, {.power = 2}).item() - 0.115575) < 1e-6);
  const auto zt = leaf(3, 3, {2, 0, -1, 0, 1, 0, -1, 0, 1.5}, false),
             zs = leaf(3, 3, {1, .5, -.5, .2, .4, 0, 0, 0, .5});
  const auto product = [](const Variable<double, 2>& q, const Variable<double, 2>& u) {
    return 4.0 * linear(q, u, Variable<double, 1>()) -
           Variable<double, 2>(Tensor<double, 2>::full({q.extent(0), q.extent(0)}, 1.0));
  };
  const auto rcd = rcd_loss(zs, zt, std::vector<index_t>{0, 1, 2}, product, product);
  CHECK(std::abs(rcd.target_information.item() + 1.423167) < 1e-6);
  CHECK(std::abs(rcd.rest_information.item() + 1.493933) < 1e-6);
  CHECK(std::abs(rcd.loss.item() - 2.917101) < 1e-6);
}

TEST_CASE("corrkd: a zero critic says 4 log 2, of either kind and with either negatives") {
  for (const auto kind : {CriticKind::mlp, CriticKind::bilinear})
    for (const auto negatives : {Negatives::all, Negatives::shuffle}) {
      CorrkdOptions o = class_options(3);
      o.critic.kind = kind;
      o.loss.negatives = negatives;
      Random random(1);
      CorrkdCritics<double> critics(1, 3, o.critic, random);
      for_each_parameter(critics, [](const std::string& path, auto& parameter) {
        if (path.find("out") != std::string::npos) std::fill_n(parameter.mutable_data(), parameter.size(), 0.0);
      });
      const auto h = leaf(5, 2, normal(10, 1)), z = leaf(5, 3, normal(15, 2));
      const Targets<double> target{{0, 1, 2, 0, 1}, {}, {}};
      const auto losses = corrkd_objective(o, {{}, h, z}, {{}, h, z}, target, critics, Context::train(random));
      CHECK(std::abs(losses.response.item() - 4 * std::log(2.0)) < 1e-12);
    }
}

TEST_CASE("corrkd objective: gradients with an absent class, a singleton, twins, two classes, absent samples") {
  const auto distinct = normal(24, 1);
  auto twins = distinct;
  for (std::size_t j = 0; j < 4; ++j) twins[4 + j] = twins[j];
  const std::vector<index_t> all{0, 1, 2, 0, 1, 2}, singleton{0, 0, 1, 0, 2, 2}, absent{0, 2, 2, 0, 0, 2};
  for (const auto response :
       {ResponseLoss::rcd, ResponseLoss::kl, ResponseLoss::dkd, ResponseLoss::iic, ResponseLoss::none}) {
    CorrkdOptions o = class_options(3);
    o.loss.response = response;
    o.loss.sample.margin = 2;
    for (const auto& classes : {all, singleton, absent})
      for (const auto& student : {distinct, twins}) CHECK(check_objective(o, classes, student) <= 1e-6);
  }
  CorrkdOptions o = class_options(3);
  CHECK(check_objective(o, singleton, distinct, Mask<1>::from({6}, {1, 0, 1, 1, 0, 1})) <= 1e-6);
  CHECK(check_objective(o, {-1, 0, 1, 2, 1, -1}, distinct, Mask<1>::from({6}, {0, 1, 1, 1, 1, 0})) <= 1e-6);
  CHECK(check_objective(o, {-1, -1}, normal(8, 1), Mask<1>::zeros({2})) == 0);
  CHECK(check_objective(o, {1}, normal(4, 1)) <= 1e-6);
  for (const int power : {1, 2}) {
    CorrkdOptions two = class_options(2);
    two.loss.prototype.power = power;
    two.loss.prototype.detach_prototypes = power == 1;
    two.loss.sample.normalize = true;
    two.loss.sample.reduction = Reduction::sum;
    two.loss.information.space = ResponseSpace::log_probability;
    two.loss.information.temperature = 2;
    two.critic.kind = power == 1 ? CriticKind::bilinear : CriticKind::mlp;
    two.critic.layers = 3;
    two.loss.scd = 0.3;
    // prototypes as constants: a finite difference moves them, so that the term is left out there
    if (power == 1) two.loss.cpd = 0;
    CHECK(check_objective(two, {0, 1, 1, 0, 1, 0}, distinct) <= 1e-6);
    CHECK(check_objective(two, {0, 1, 1, 1, 1, 1}, twins) <= 1e-6);
  }
  CorrkdOptions heads = class_options(3);
  heads.one_vs_rest = true;
  CHECK(check_objective(heads, singleton, distinct) <= 1e-6);
  heads.loss.response = ResponseLoss::kl;
  CHECK(check_objective(heads, absent, twins) <= 1e-6);
  CorrkdOptions real = class_options(0);
  real.labels = CorrkdLabels::regression;
  const auto values = Tensor<double, 2>::from({6, 1}, {-2, 0, 1, .5, 3, -1});
  CHECK(check_objective(real, {1, 3, 4, 3, 6, 2}, distinct, {}, values) <= 1e-6);
}

TEST_CASE("corrkd objective: shuffled negatives are one derangement, with gradients") {
  Random random(4);
  for (const index_t n : {1, 2, 3, 9}) {
    const auto order = derangement(n, random);
    std::vector<index_t> seen(std::size_t(n), 0);
    for (index_t i = 0; i < n; ++i) {
      if (n > 1) CHECK(order[std::size_t(i)] != i);
      ++seen[std::size_t(order[std::size_t(i)])];
    }
    CHECK(std::count(seen.begin(), seen.end(), 1) == n);
  }
  const ResponseCritic<double> critic(1, 2, {.hidden = 5}, random);
  const auto q = leaf(4, 1, normal(4, 1)), u = leaf(4, 2, normal(8, 2));
  const auto f = [&] {
    Random same(6);
    return jsd_mutual_information(ShuffledPairs<ResponseCritic<double>>{critic, &same}, q, u);
  };
  CHECK(check_gradients(f, 1e-6, 1e-3, q, u, critic.hidden[0].weight).worst < 1e-6);
  CHECK_THROWS_AS((ShuffledPairs<ResponseCritic<double>>{critic, nullptr}(q, u)), OptionError);
}

TEST_CASE("corrkd options: what cannot work is refused with a reason") {
  const auto refused = [](auto&& change, const char* reason) {
    CorrkdOptions o = class_options(2);
    change(o);
    CHECK_THROWS_WITH_AS(Corrkd<double>(o, Random(1)), doctest::Contains(reason), OptionError);
  };
  refused([](auto& o) { o.loss.information.renormalize = true; }, "holds no information");
  refused([](auto& o) { o.classes = 4, o.one_vs_rest = o.loss.information.renormalize = true; },
          "holds no information");
  refused([](auto& o) { o.classes = 1; }, "at least 2");
  refused([](auto& o) { o.network.inputs = {}; }, "at least one modality");
  refused([](auto& o) { o.network.num_heads = 7; }, "heads");
  refused([](auto& o) { o.network.frames = {3}; }, "lengths");
  refused([](auto& o) { o.network.fill = missing::Fill::substitute; }, "substitute");
  refused([](auto& o) { o.labels = CorrkdLabels::regression, o.one_vs_rest = true; }, "one-vs-rest");
  refused([](auto& o) { o.loss.scd = NAN; }, "weight");
  refused([](auto& o) { o.mrm.frame_probability = 7; }, "MRM");
  refused([](auto& o) { o.teacher.epochs = 0; }, "teacher");
  CorrkdOptions three = class_options(3);
  three.loss.information.renormalize = true;
  CHECK_NOTHROW(Corrkd<double>(three, Random(1)));
}

TEST_CASE("corrkd presets: sizes and rates of the papers") {
  const auto paper = corrkd_preset("paper", "mosei", {300, 74, 35}),
             hrlf = corrkd_preset("hrlf", "mosi", {300, 74, 35});
  CHECK(paper.learning_rate == 2e-3);
  CHECK(paper.batch == 32);
  CHECK(paper.model.loss.sample.margin == 1.0);
  CHECK(paper.model.teacher.epochs == 20);
  CHECK(hrlf.learning_rate == 1e-3);
  CHECK(hrlf.batch == 128);
  CHECK(corrkd_preset("paper", "iemocap", {300, 74, 35}).model.classes == 4);
  CHECK_THROWS_AS(corrkd_preset("paper", "nothing", {1}), OptionError);
  const Corrkd<float> model(hrlf.model,
                            Random(1));  // conv 49080 + encoders + head 14762, about 0.30 M of the specification
  const index_t network = count_parameters(model.network.student);
  CHECK((network > 295000 && network < 305000));
  CHECK(CorrkdNetworkOptions{.width = 40}.head_count() == 10);
  CHECK(CorrkdNetworkOptions{.width = 7}.head_count() == 1);
}

TEST_CASE("corrkd labels: classes, what takes no part, predictions") {
  using L = CorrkdLabels;
  CHECK(class_of_label(L::binary_non0, 0) == -1);
  CHECK(class_of_label(L::binary_has0, 0) == 1);
  CHECK(class_of_label(L::ternary, -0.5) == 1);  // half to even
  CHECK(class_of_label(L::five, 1.5) == 4);
  CHECK(class_of_label(L::seven, -9) == 0);
  CHECK(class_of_label(L::seven, NAN) == -1);
  CHECK_THROWS_AS(class_of_label(L::classes, 1), OptionError);
  const auto scores = Tensor<double, 2>::from({2, 2}, {1000, -1000, 0, std::log(3.0)});
  CorrkdOptions o;
  CHECK(o.task().predictions(scores) == List<double>{-1, 0.5});
  o.labels = L::classes;
  o.classes = 2;
  CHECK(o.task().predictions(scores) == List<double>{0, 1});
  o.labels = L::seven;
  CHECK(o.task().predictions(Tensor<double, 2>::zeros({1, 7}))[0] == doctest::Approx(0));
  CHECK(o.task().centre(0) == -3);
  o.labels = L::ternary;
  o.one_vs_rest = true;
  const auto p = o.task().probabilities(Tensor<double, 2>::from({1, 6}, {0, 0, 5, 0, 0, 5}));
  CHECK(p(0, 0) == 0.5);
  CHECK(p(0, 1) + p(0, 2) == doctest::Approx(1));
  data::Batch<double> batch;
  batch.labels = Tensor<double, 1>::from({3}, {-1, 0, 2});
  batch.samples = {0, 1, 2};
  const auto target = CorrkdOptions{}.task().targets(batch);
  CHECK(target.present.host().to_vector() == std::vector<std::uint8_t>{1, 0, 1});
  CHECK_THROWS_AS(class_options(2).task().targets(batch), OptionError);
}

TEST_CASE("corrkd network: gradients and absent streams under every mask and fill") {
  for (const auto mask : {GapMask::none, GapMask::valid, GapMask::present})
    for (const auto fill : {missing::Fill::zeros, missing::Fill::encoded_zeros, missing::Fill::learned}) {
      CAPTURE(int(mask));
      CAPTURE(int(fill));
      auto options = small();
      options.gap_mask = mask;
      options.fill = fill;
      Random random(2);
      const CorrkdNetwork<double> network(options, random);
      auto given = streams();
      const auto before = network(given).scores.value().to_vector();
      // what stands in absent frames is never read
      for (auto& stream : given)
        for (index_t b = 0; b < 4; ++b)
          for (index_t t = 0; t < stream.present.extent(1); ++t)
            if (!stream.present(b, t)) stream.frames(b, t, 0) = std::numeric_limits<double>::quiet_NaN();
      for (auto& stream : given) stream = masked_stream(stream.frames, stream.present);  // as every stream is made
      CHECK(network(given).scores.value().to_vector() == before);
      for (const double score : before) CHECK(std::isfinite(score));
      const auto f = [&] { return sum(multiply(network(given).scores, network(given).scores)); };
      CHECK(check_gradients(f, 1e-6, 1e-2, network.convolution[1].weight,
                            network.encoder[0].layers[0].attention.qkv.weight, network.head_out.weight)
                .worst < 1e-6);
      if (fill == missing::Fill::learned) CHECK(check_gradients(f, 1e-6, 1e-2, network.fill[1].weight).worst < 1e-6);
      if (mask == GapMask::present) {
        const auto out = network(given);
        for (index_t j = 0; j < 4; ++j) CHECK(out.streams[1].value()(1, j) == 0);
      }
    }
}

TEST_CASE("corrkd network: one frame, one sample, none; one to six modalities; neighbours in the batch") {
  Random random(2);
  auto options = small();
  const auto given = streams();
  for (const index_t length : {8, 2}) {  // longer than the batch, and shorter than some of its samples
    options.frames = {length, length};
    const CorrkdNetwork<double> fixed(options, random);
    const auto all = fixed(given).scores.value();
    for (index_t b = 0; b < 4; ++b) {  // alone and as short as it is: the same, since lengths are fixed
      data::Streams<double> one;
      for (const auto& stream : given) {
        const index_t t = stream.present.extent(1), d = stream.frames.extent(2);
        index_t own = t;
        while (own > 1 && !stream.present(b, own - 1)) --own;
        one.push_back({Tensor<double, 3>(stream.frames.window(b * t * d, Shape{1, own, d})),
                       Mask<2>(stream.present.window(b * t, Shape{1, own}))});
      }
      const auto alone = fixed(one).scores.value();
      for (index_t k = 0; k < 3; ++k) CHECK(std::abs(alone(0, k) - all(b, k)) < 1e-12);
    }
  }
  const CorrkdNetwork<double> network(small(), random);
  CHECK(network(streams(1, 1, 1)).scores.shape() == Shape{1, 3});
  CHECK(network(streams(0, 2, 1)).scores.shape() == Shape{0, 3});
  for (const index_t modalities : {1, 6}) {
    auto many = small();
    many.inputs.assign(std::size_t(modalities), 3);
    const CorrkdNetwork<double> wide(many, random);
    CHECK(wide(data::Streams<double>(std::size_t(modalities), given[0])).joint.extent(1) == 4 * modalities);
  }
  CHECK_THROWS_AS(network({given[0]}), ShapeError);
}

TEST_CASE(
    "corrkd model: teacher, then student; the same with any number of threads, after saving, and under missing data") {
  auto corpus = data::synthetic({.samples = 60, .seed = 3, .validation = 20, .test = 20, .max_frames = 4});
  for (index_t t = 0; t < corpus.train.modalities[0].present.extent(1); ++t)
    for (auto& modality : corpus.train.modalities) modality.present(5, t) = 0;  // a sample without anything
  CorrkdOptions o;
  o.network = small();
  o.network.inputs = corpus.dimensions();
  o.network.embedding_dropout = 0.2;
  o.teacher = {.epochs = 3, .batch = 16, .learning_rate = 3e-3};
  o.standardize = true;
  const train::FitOptions fit{.epochs = 2, .batch = 16, .learning_rate = 3e-3, .gradient_clip = 0.8};
  const auto trained = [&](int threads) {
    set_threads(threads);
    Corrkd<float> model(o, Random(1));
    train::Observer quiet;
    train::fit(model, corpus, fit, quiet);
    set_threads(0);
    return model;
  };
  const Corrkd<float> model = trained(1);
  CHECK(model.network.teacher_ready());
  CHECK(model.network.teacher_record.at(0).scores.size() == 3);
  CHECK(model.network.teacher_record[0].best >= 1);
  for (const int threads : {2, 3}) CHECK(numbers(trained(threads)) == numbers(model));
  for_each_parameter(model.network.teacher, [](const std::string&, const auto& p) { CHECK(!p.requires_grad()); });
  CHECK(numbers(model.network.teacher[0]) != numbers(model.network.student));

  const auto back = train::model_from<Corrkd<float>>(train::model_state(model));
  CHECK(back.network.teacher_ready());
  const auto conditions = model.conditions(corpus.modality_names());
  CHECK(conditions.size() == 7);
  for (const auto& condition : conditions)
    CHECK(train::predict(back, corpus.test, condition, 7) == train::predict(model, corpus.test, condition, 7));
  for (const double y : train::predict(model, corpus.test)) CHECK((y >= -1 && y <= 1));

  // all is taken away: a constant
  const auto nothing = train::predict(model, corpus.test, {"nothing", {1, 1, 1}});
  for (const double y : nothing) CHECK(y == doctest::Approx(nothing[0]).epsilon(1e-5));

  // the terms are there, and a model without a teacher says so
  Random random(5);
  const auto batch = data::gather<float>(corpus.train, std::vector<index_t>{3, 5, 9, 11});
  CHECK(model.loss(batch, Context::train(random)).terms.size() == 6);
  CHECK_THROWS_AS(Corrkd<float>(o, Random(1)).loss(batch, Context::train(random)), Error);
  CHECK_THROWS_AS(model.loss(batch, Context{Mode::training, nullptr, nullptr}), OptionError);
  auto alone = o;
  alone.distill = false;
  Corrkd<float> ablated(alone, Random(1));
  CHECK(ablated.loss(batch, Context::train(random)).terms.size() == 1);
  auto warm = o;
  warm.student_init = StudentInit::teacher;
  Corrkd<float> started(warm, Random(1));
  started.network.set_teacher(model.network.teacher[0]);
  CHECK(numbers(started.network.student) == numbers(model.network.teacher[0]));
  for_each_parameter(started.network.student, [](const std::string&, const auto& p) { CHECK(p.requires_grad()); });
}

TEST_CASE("corrkd model: every head learns; the teacher beats a constant") {
  const auto corpus = data::synthetic({.samples = 300, .seed = 3, .validation = 100, .test = 100, .max_frames = 4});
  CorrkdOptions o;
  o.network = small();
  o.network.width = 8;
  o.network.inputs = corpus.dimensions();
  o.standardize = true;
  o.teacher = {.epochs = 8, .batch = 16, .learning_rate = 3e-3};
  for (const auto labels : {CorrkdLabels::binary_non0, CorrkdLabels::ternary, CorrkdLabels::regression}) {
    CAPTURE(int(labels));
    o.labels = labels;
    o.one_vs_rest = labels == CorrkdLabels::ternary;
    Corrkd<float> model(o, Random(2));
    Random random(3);
    train::prepare(model, corpus, random);
    data::Batch<float> test = data::gather<float>(corpus.test, data::epoch_order(100, 1, 0));
    const auto found = model.task.predictions(model.network.teacher_output(model.streams(test)).scores.value());
    index_t right = 0, asked = 0;
    for (std::size_t i = 0; i < found.size(); ++i)
      if (test.labels(index_t(i)) != 0) right += (found[i] > 0) == (test.labels(index_t(i)) > 0), ++asked;
    CHECK(double(right) > 0.75 * double(asked));
  }
}
