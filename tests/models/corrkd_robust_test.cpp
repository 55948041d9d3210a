/// CorrKD's options beyond the paper: heads of single modalities, flags of presence, several teachers, the presets.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "lacuna/autograd/gradcheck.hpp"
#include "lacuna/data/synthetic.hpp"
#include "lacuna/models/corrkd/corrkd.hpp"
#include "lacuna/models/corrkd/presets.hpp"
#include "lacuna/models/corrkd/pytorch.hpp"
#include "lacuna/train/trainer.hpp"
#include "models/small_sets.hpp"

using namespace lacuna;
using namespace lacuna::models;
using lacuna::test::normal;
using lacuna::test::numbers;

namespace {

CorrkdNetworkOptions small(Evidence evidence, bool presence, GapMask mask = GapMask::present) {
  return {.inputs = {3, 2},
          .outputs = 3,
          .width = 4,
          .num_heads = 2,
          .depth = 1,
          .embedding_dropout = 0,
          .attention_dropout = 0,
          .hidden_dropout = 0,
          .residual_dropout = 0,
          .gap_mask = mask,
          .evidence = evidence,
          .presence = presence};
}
/// Sample 1 lacks the second modality, sample 2 everything, sample 3 a frame.
data::Streams<double> aligned_streams(index_t batch = 4, index_t frames = 3) {
  data::Streams<double> list;
  const index_t features[] = {3, 2};
  for (std::size_t m = 0; m < 2; ++m) {
    Mask<2> present = Mask<2>::full({batch, frames}, 1);
    for (index_t b = 0; b < batch; ++b)
      for (index_t t = 0; t < frames; ++t)
        if (b == 2 || (b == 1 && m == 1) || (b == 3 && t == 0 && frames > 1)) present(b, t) = 0;
    list.push_back(masked_stream(
        Tensor<double, 3>::from({batch, frames, features[m]}, normal(batch * frames * features[m], 10 + m)), present));
  }
  return list;
}
/// Two modalities of a problem of three classes, with every loss on that reads own heads.
CorrkdOptions robust_options() {
  CorrkdOptions o;
  o.network = small(Evidence::sum, true);
  o.labels = CorrkdLabels::classes;
  o.classes = 3;
  o.loss = {.scd = 0, .cpd = 0, .rcd = 0, .unimodal = 0.7, .unimodal_response = 1.3, .smoothing = 0.1};
  o.loss.divergence.temperature = 2;
  return o;
}

}  // namespace

TEST_CASE("corrkd evidence: scores are those of the joint head and of the present modalities, added up or averaged") {
  for (const auto evidence : {Evidence::sum, Evidence::mean}) {
    Random random(2);
    const CorrkdNetwork<double> network(small(evidence, false), random);
    const auto out = network(aligned_streams());
    const auto joint = network.head_out(network.head_in(out.joint, Activation::relu));
    const std::uint8_t has[4][2] = {{1, 1}, {1, 0}, {0, 0}, {1, 1}};
    for (index_t b = 0; b < 4; ++b) {
      const double count = has[b][0] + has[b][1];
      for (index_t k = 0; k < 3; ++k) {
        double expected = 0;
        for (std::size_t m = 0; m < 2; ++m) {
          double own = network.unimodal[m].bias.value()(k);
          for (index_t j = 0; j < 4; ++j)
            own += network.unimodal[m].weight.value()(k, j) * out.streams[m].value()(b, j);
          if (!has[b][m]) own = 0;
          CHECK(std::abs(out.unimodal[m].value()(b, k) - own) < 1e-12);
          CHECK(out.present[m](b) == has[b][m]);
          expected += own;
        }
        if (evidence == Evidence::mean && count > 0) expected /= count;
        CHECK(std::abs(out.scores.value()(b, k) - joint.value()(b, k) - expected) < 1e-12);
      }
    }
  }
  Random random(2);
  const CorrkdNetwork<double> plain(small(Evidence::none, false), random);
  CHECK(plain(aligned_streams()).unimodal.empty());
  CHECK(plain(aligned_streams()).present.empty());
}

TEST_CASE("corrkd presence: the joint head gets one flag per modality, the representation does not") {
  Random random(2);
  const CorrkdNetwork<double> network(small(Evidence::none, true), random);
  CHECK(network.head_in.weight.shape() == Shape{8, 10});
  const auto out = network(aligned_streams());
  CHECK(out.joint.shape() == Shape{4, 8});
  const Variable<double, 2> flags(Tensor<double, 2>::from({4, 2}, {1, 1, 1, 0, 0, 0, 1, 1}));
  const auto hidden = network.head_in(concat(std::vector{out.joint, flags}, -1), Activation::relu);
  const auto expected = network.head_out(hidden).value().to_vector();
  CHECK(out.scores.value().to_vector() == expected);
}

TEST_CASE("corrkd evidence and presence: gradients, absent streams, one sample, one frame, none") {
  for (const auto mask : {GapMask::none, GapMask::valid, GapMask::present})
    for (const auto evidence : {Evidence::sum, Evidence::mean})
      for (const bool presence : {false, true}) {
        CAPTURE(int(mask));
        CAPTURE(int(evidence));
        Random random(2);
        const CorrkdNetwork<double> network(small(evidence, presence, mask), random);
        for (const index_t frames : {1, 3}) {
          auto given = aligned_streams(4, frames);
          const auto before = network(given).scores.value().to_vector();
          for (auto& stream : given)
            for (index_t b = 0; b < 4; ++b)
              for (index_t t = 0; t < frames; ++t)
                if (!stream.present(b, t)) stream.frames(b, t, 0) = std::numeric_limits<double>::quiet_NaN();
          for (auto& stream : given) stream = masked_stream(stream.frames, stream.present);
          CHECK(network(given).scores.value().to_vector() == before);
          const auto f = [&] {
            const auto out = network(given);
            return sum(multiply(out.scores, out.scores)) + sum(multiply(out.unimodal[1], out.unimodal[1]));
          };
          CHECK(check_gradients(f, 1e-6, 1e-2, network.unimodal[0].weight, network.unimodal[1].bias,
                                network.head_in.weight, network.convolution[1].weight,
                                network.encoder[0].layers[0].attention.qkv.weight)
                    .worst < 1e-6);
        }
        CHECK(network(aligned_streams(1, 1)).scores.shape() == Shape{1, 3});
        CHECK(network(aligned_streams(0, 2)).scores.shape() == Shape{0, 3});
      }
}

TEST_CASE("corrkd pooling: attention over the frames that count; of one frame it is the frame") {
  CorrkdNetworkOptions options = small(Evidence::mean, true);
  options.pooling = FramePooling::attention;
  Random random(2);
  const CorrkdNetwork<double> network(options, random);
  REQUIRE(network.pooling.size() == 2);
  CorrkdNetwork<double> averaged = network;
  averaged.pooling.clear();
  CHECK(network(aligned_streams(4, 1)).joint.value().to_vector() ==
        averaged(aligned_streams(4, 1)).joint.value().to_vector());
  auto given = aligned_streams();
  const auto out = network(given);
  CHECK(out.joint.value().to_vector() != averaged(given).joint.value().to_vector());
  for (index_t j = 0; j < 4; ++j) {
    CHECK(out.streams[1].value()(1, j) == 0);  // nothing of the modality
    CHECK(out.streams[0].value()(2, j) == 0);
  }
  for (auto& stream : given)
    for (index_t b = 0; b < 4; ++b)
      for (index_t t = 0; t < 3; ++t)
        if (!stream.present(b, t)) stream.frames(b, t, 0) = std::numeric_limits<double>::quiet_NaN();
  for (auto& stream : given) stream = masked_stream(stream.frames, stream.present);
  CHECK(network(given).scores.value().to_vector() == out.scores.value().to_vector());
  const auto f = [&] {
    const auto found = network(given);
    return sum(multiply(found.scores, found.scores));
  };
  CHECK(check_gradients(f, 1e-6, 1e-2, network.pooling[0].query, network.pooling[0].key.weight,
                        network.pooling[1].key.bias, network.convolution[1].weight)
            .worst < 1e-6);
}

TEST_CASE("corrkd embedding scale: the factor of the convolution, with gradients") {
  for (const double scale : {1.0, 3.0}) {
    Random random(2), same(2);
    auto options = small(Evidence::none, false);
    const CorrkdNetwork<double> plain(options, same);
    options.embedding_scale = scale;
    const CorrkdNetwork<double> network(options, random);
    CorrkdNetwork<double> scaled = plain;
    for (auto& convolution : scaled.convolution)
      for (index_t i = 0; i < convolution.weight.size(); ++i) convolution.weight.mutable_data()[i] *= scale;
    const auto found = network(aligned_streams()).scores.value().to_vector(),
               expected = scaled(aligned_streams()).scores.value().to_vector();
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i] - expected[i]) < 1e-12);
    const auto given = aligned_streams();
    const auto f = [&] { return sum(multiply(network(given).scores, network(given).scores)); };
    CHECK(check_gradients(f, 1e-6, 1e-2, network.convolution[0].weight, network.convolution[1].weight).worst < 1e-6);
  }
}

TEST_CASE("corrkd own losses: the mean over modalities, over samples that have them, with gradients") {
  const CorrkdOptions o = robust_options();
  Random random(4);
  const CorrkdNetwork<double> student(o.network, random), teacher(o.network, random);
  const auto given = aligned_streams();
  const Targets<double> all{{0, 1, 2, 1}, {}, {}}, some{{-1, 1, 2, 1}, {}, Mask<1>::from({4}, {0, 1, 1, 1})};
  const auto from_teacher = teacher(given);
  for (const auto& target : {all, some}) {
    const auto out = student(given);
    const auto losses = corrkd_objective(o, out, from_teacher, target, {});
    double own = 0, response = 0;
    for (std::size_t m = 0; m < 2; ++m) {
      std::vector<index_t> classes;
      std::vector<double> s, t;
      for (index_t b = 0; b < 4; ++b) {
        if (!out.present[m](b) || target.classes[std::size_t(b)] < 0) continue;
        classes.push_back(target.classes[std::size_t(b)]);
        for (index_t k = 0; k < 3; ++k)
          s.push_back(out.unimodal[m].value()(b, k)), t.push_back(from_teacher.unimodal[m].value()(b, k));
      }
      const index_t n = index_t(classes.size());
      const Variable<double, 2> left(Tensor<double, 2>::from({n, 3}, s)), right(Tensor<double, 2>::from({n, 3}, t));
      own += cross_entropy(left, classes, {.smoothing = 0.1}).item() / 2;
      response += kl_divergence(left, right, {2}).item() / 2;
    }
    CHECK(std::abs(losses.unimodal.item() - own) < 1e-12);
    CHECK(std::abs(losses.unimodal_response.item() - response) < 1e-12);
    CHECK(std::abs(losses.total.item() - losses.task.item() - 0.7 * own - 1.3 * response) < 1e-12);
    const auto f = [&] { return corrkd_objective(o, student(given), from_teacher, target, {}).total; };
    CHECK(check_gradients(f, 1e-5, 1e-3, student.unimodal[0].weight, student.unimodal[1].bias, student.head_in.weight,
                          student.convolution[1].weight)
              .worst <= 1e-6);
  }
  CorrkdOptions heads = o;
  heads.one_vs_rest = true;
  heads.network.outputs = heads.outputs();
  const CorrkdNetwork<double> wide(heads.network, random), wide_teacher(heads.network, random);
  CHECK(check_gradients([&] { return corrkd_objective(heads, wide(given), wide_teacher(given), some, {}).total; }, 1e-5,
                        1e-3, wide.unimodal[0].weight, wide.head_out.weight)
            .worst <= 1e-6);
  CorrkdOptions real = o;
  real.labels = CorrkdLabels::regression;
  real.network.outputs = 1;
  real.network.evidence = Evidence::mean;
  const CorrkdNetwork<double> line(real.network, random), line_teacher(real.network, random);
  const Targets<double> labels{{1, 3, 4, 3}, Tensor<double, 2>::from({4, 1}, {-2, 0, 1, .5}), {}};
  CHECK(check_gradients([&] { return corrkd_objective(real, line(given), line_teacher(given), labels, {}).total; },
                        1e-5, 1e-3, line.unimodal[0].weight, line.head_out.weight)
            .worst <= 1e-6);
  // nobody has anything: 0, no NaN
  auto nothing = aligned_streams();
  for (auto& stream : nothing) stream.present = Mask<2>::zeros(stream.present.extents());
  const auto losses = corrkd_objective(o, student(nothing), from_teacher, all, {});
  CHECK(losses.unimodal.item() == 0);
  CHECK(losses.unimodal_response.item() == 0);
}

TEST_CASE("corrkd: the response of several teachers is that of their mean probability") {
  CorrkdOptions o;
  o.labels = CorrkdLabels::classes;
  o.classes = 2;
  using Scores = std::vector<Tensor<double, 2>>;
  // probabilities (3/4, 1/4) and (1/4, 3/4); a thousand does not overflow
  const Scores two{Tensor<double, 2>::from({2, 2}, {std::log(3.0), 0, 1000, 0}),
                   Tensor<double, 2>::from({2, 2}, {0, std::log(3.0), 1000, 0})};
  const auto mean = o.task().mean_response(two);
  CHECK(std::abs(mean(0, 0) - std::log(0.5)) < 1e-12);
  CHECK(std::abs(mean(0, 1) - std::log(0.5)) < 1e-12);
  CHECK(mean(1, 0) == 0);
  CHECK(std::isfinite(mean(1, 1)));
  o.one_vs_rest = true;
  const auto heads = o.task().mean_response(Scores{Tensor<double, 2>::from({1, 4}, {0, 0, std::log(3.0), 0})});
  CHECK(std::abs(heads(0, 2) - std::log(0.75)) < 1e-12);
  CHECK(std::abs(heads(0, 0) - std::log(0.5)) < 1e-12);
  CorrkdOptions real;
  real.labels = CorrkdLabels::regression;
  CHECK(real.task().mean_response(Scores{Tensor<double, 2>::from({1, 1}, {1}), Tensor<double, 2>::from({1, 1}, {4})})(
            0, 0) == 2.5);
}

TEST_CASE(
    "corrkd robust: trains alike with any number of threads, is stored whole, and lacks nothing it is not given") {
  const auto corpus = data::synthetic({.samples = 60, .seed = 3, .validation = 20, .test = 20, .max_frames = 4});
  CorrkdRecipe recipe = corrkd_preset("robust", "any", corpus.dimensions());
  recipe.model.network.width = 8;
  recipe.model.teacher.epochs = 2;
  recipe.model.teacher.count = 2;
  const train::FitOptions fit{.epochs = 2,
                              .batch = 16,
                              .learning_rate = recipe.learning_rate,
                              .schedule = recipe.schedule,
                              .weight_decay = recipe.weight_decay,
                              .gradient_clip = recipe.gradient_clip};
  const auto trained = [&](int threads) {
    set_threads(threads);
    Corrkd<float> model(recipe.model, Random(1));
    train::Observer quiet;
    train::fit(model, corpus, fit, quiet);
    set_threads(0);
    return model;
  };
  const Corrkd<float> model = trained(1);
  CHECK(model.network.teacher.size() == 2);
  CHECK(model.network.teacher_record.size() == 2);
  CHECK(numbers(model.network.teacher[0]) != numbers(model.network.teacher[1]));
  for (const int threads : {2, 3}) CHECK(numbers(trained(threads)) == numbers(model));

  const auto back = train::model_from<Corrkd<float>>(train::model_state(model));
  CHECK(back.network.teacher.size() == 2);
  CHECK(back.options.loss.unimodal_response == model.options.loss.unimodal_response);
  CHECK(back.options.network.evidence == Evidence::sum);
  for (const auto& condition : model.conditions(corpus.modality_names())) {
    const auto found = train::predict(model, corpus.test, condition, 7);
    CHECK(train::predict(back, corpus.test, condition, 7) == found);
    for (const double y : found) CHECK((y >= -1 && y <= 1));
  }
  const auto nothing = train::predict(model, corpus.test, {"nothing", {1, 1, 1}});
  for (const double y : nothing) CHECK(y == nothing[0]);

  Random random(5);
  const auto batch = data::gather<float>(corpus.train, std::vector<index_t>{3, 5, 9, 11});
  std::vector<std::string> names;
  for (const auto& [name, value] : model.loss(batch, Context::train(random)).terms) names.push_back(name);
  CHECK(std::count(names.begin(), names.end(), "unimodal") == 1);
  CHECK(std::count(names.begin(), names.end(), "unimodal_response") == 1);
  // one teacher given from elsewhere is one teacher from then on
  Corrkd<float> other(recipe.model, Random(2));
  other.network.set_teacher(model.network.teacher[1]);
  CHECK(other.network.teacher.size() == 1);
  CHECK(train::model_from<Corrkd<float>>(train::model_state(other)).network.teacher.size() == 1);
  CHECK_THROWS_AS(other.network.set_teacher(std::vector<CorrkdNetwork<float>>{}), OptionError);
}

TEST_CASE("corrkd: options of the robust preset that cannot work are refused with a reason") {
  const auto refused = [](auto&& change, const char* reason) {
    CorrkdOptions o = robust_options();
    change(o);
    CHECK_THROWS_WITH_AS(Corrkd<double>(o, Random(1)), doctest::Contains(reason), OptionError);
  };
  refused([](auto& o) { o.network.evidence = Evidence::none; }, "evidence");
  refused([](auto& o) { o.loss.unimodal = 0, o.network.evidence = Evidence::none; }, "evidence");
  refused([](auto& o) { o.loss.unimodal = -1; }, "weight");
  refused([](auto& o) { o.loss.smoothing = 1.5; }, "smoothing");
  refused([](auto& o) { o.teacher.count = 0; }, "teacher");
  refused([](auto& o) { o.network.embedding_scale = 0; }, "embedding_scale");
}

TEST_CASE("corrkd presets: any data set, class ids or real labels; patterns with little left come more often") {
  for (const char* preset : {"paper", "hrlf", "robust"}) {
    const auto classes = corrkd_preset(preset, "any", {3, 4, 5, 6}, 10), real = corrkd_preset(preset, "any", {3, 4});
    CHECK(classes.model.labels == CorrkdLabels::classes);
    CHECK(classes.model.classes == 10);
    CHECK(classes.model.standardize);
    CHECK(real.model.labels == CorrkdLabels::binary_non0);
    CHECK_NOTHROW(classes.model.check());
    CHECK_NOTHROW(real.model.check());
  }
  // the published values are untouched by the name of the set
  CHECK(!corrkd_preset("paper", "mosi", {1}).model.standardize);
  CHECK(corrkd_preset("paper", "any", {1}).epochs == corrkd_preset("paper", "mosi", {1}).epochs);
  CHECK(corrkd_preset("paper", "any", {1}, 7).epochs == corrkd_preset("paper", "iemocap", {1}).epochs);
  const auto line = corrkd_preset("robust", "any", {3, 4}, 0, CorrkdLabels::regression).model;
  CHECK(line.labels == CorrkdLabels::regression);
  CHECK(line.network.evidence == Evidence::mean);
  CHECK(line.standardize_labels);            // scores in percent are learned as those around 0
  CHECK(line.network.embedding_scale == 2);  // far above its positions the norm would hide how large a frame is
  const auto scale = [](index_t frames, index_t samples) {
    return corrkd_preset("robust", "any", {3, 4}, 0, CorrkdLabels::regression, {frames, samples})
        .model.network.embedding_scale;
  };
  CHECK(scale(1, 5000) == 1);  // one frame has no positions to drown it
  CHECK(scale(9, 999) == 1);   // few samples do not teach what a scaled one needs
  CHECK(scale(9, 1000) == 2);
  const auto classes = [](index_t samples) {
    return corrkd_preset("robust", "any", {3, 4}, 3, CorrkdLabels::classes, {9, samples});
  };
  for (const index_t samples : {0, 1000, 5000}) {  // 0: not known
    CHECK(classes(samples).model.network.embedding_scale == 3);
    CHECK(classes(samples).model.network.evidence == Evidence::sum);
    CHECK(classes(samples).learning_rate == 2e-3);
  }
  CHECK(classes(999).model.network.embedding_scale == 1);  // few samples do not teach what a scaled one needs
  CHECK(classes(999).model.network.evidence == Evidence::mean);
  CHECK(classes(999).learning_rate == 1e-3);
  CHECK(classes(999).epochs == classes(1000).epochs);
  CHECK(corrkd_preset("robust", "iemocap", {1, 1}).model.classes == 4);
  CHECK_THROWS_AS(corrkd_preset("robust", "nothing", {1}), OptionError);

  const auto rate = corrkd_robust_schedule(60);
  CHECK(rate(0) == 1);
  CHECK(rate(24) == doctest::Approx(0.51));
  CHECK(rate(48) == doctest::Approx(0.02));
  CHECK(rate(59) == rate(48));
  CHECK(corrkd_robust_schedule(1)(0) == 1);

  const auto weights = corrkd_hard_patterns(3);  // {0} {1} {2} {0,1} {0,2} {1,2} {0,1,2}
  REQUIRE(weights.size() == 7);
  for (std::size_t i = 0; i < 3; ++i) CHECK(weights[i] == 1);
  for (std::size_t i = 3; i < 6; ++i) CHECK(weights[i] == doctest::Approx(2.0 / 3));
  CHECK(weights[6] == 1);
  CHECK(corrkd_hard_patterns(1) == std::vector<double>{3});
  CHECK(corrkd_hard_patterns(6).size() == 63);
  CHECK_NOTHROW(corrkd_preset("robust", "any", std::vector<index_t>(9, 2)).model.check());

  CHECK(corrkd_pytorch_name("unimodal.1.weight", 2) == "unimodal.1.weight");
}
