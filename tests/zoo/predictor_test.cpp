#include "lacuna/zoo/predictor.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <limits>
#include <thread>

#include "lacuna/interop/eigen.hpp"
#include "lacuna/lab/prior.hpp"
#include "train/tiny_learner.hpp"
#include "zoo/small_models.hpp"

namespace lacuna {
namespace {

/// Sample n of a test split as a user holds it, without the streams that are named.
Sample sample_of(const data::Split<data::Role::test>& split, index_t n, const std::vector<std::string>& without = {}) {
  Sample sample;
  for (const auto& modality : split.modalities) {
    index_t length = 0;
    while (length < modality.present.extent(1) && modality.present(n, length)) ++length;
    if (length == 0 || std::count(without.begin(), without.end(), modality.name)) continue;
    Eigen::MatrixXf frames(length, modality.features());  // column-major
    for (index_t t = 0; t < length; ++t)
      for (index_t d = 0; d < modality.features(); ++d) frames(t, d) = modality.frames(n, t, d);
    sample.push_back({modality.name, frames});
  }
  return sample;
}

/// What the trained model itself says of the split when these modalities are gone.
std::vector<double> expected(const lab::Trained& trained, const data::Split<data::Role::test>& split,
                             const std::vector<std::string>& without) {
  std::vector<std::string> names;
  for (const auto& modality : split.modalities) names.push_back(modality.name);
  const auto batch = test::first<float>(split, split.size());
  return trained.predict(missing::apply(missing::without(without, names), batch));
}

TEST_CASE(
    "predictor: every model, real labels and classes, float and double, whatever is missing: the numbers of training") {
  const data::Dataset real = data::synthetic({.samples = 40, .seed = 7, .max_frames = 5});
  const data::Dataset classes = test::class_set(36);
  for (const zoo::Entry& entry : zoo::registry().entries()) {
    if (entry.name == "tiny") continue;  // of another test
    for (const data::Dataset* data : {&real, &classes}) {
      if (data == &classes ? !entry.class_ids : !entry.real_labels) continue;
      for (const char* dtype : {"f32", "f64"}) {
        if (!zoo::registry().has(entry.name, "cpu", dtype)) {
          if (data == &real)
            MESSAGE(entry.name << ": no " << dtype << ", the published models are registered in f32 alone");
          const bool allowed = entry.f32_only && dtype == std::string("f64");
          CHECK_MESSAGE(allowed, entry.name << " is not registered in " << dtype);
          continue;
        }
        INFO(entry.name << " " << dtype << (data == &real ? " real" : " classes"));
        const auto small = test::train_small(entry.name, *data, dtype);
        const Predictor predictor(small.state);
        CHECK(predictor.card().model == entry.name);
        CHECK(predictor.card().dtype == dtype);
        REQUIRE(predictor.inputs().size() == 3);
        CHECK(predictor.inputs()[1].name == data->modality_names()[1]);
        CHECK(predictor.inputs()[2].features == data->dimensions()[2]);
        CHECK(predictor.classes() == (data == &classes ? 3 : 0));
        std::vector<std::vector<std::string>> all{{}};
        for (const auto& name : data->modality_names()) all.push_back({name});
        for (const auto& without : all) {
          const auto numbers = expected(small.trained, data->test, without);
          std::vector<Sample> samples;
          for (index_t n = 0; n < 6; ++n) samples.push_back(sample_of(data->test, n, without));
          const std::vector<Answer> together = predictor.batch(samples);
          for (index_t n = 0; n < 6; ++n) {
            const auto i = std::size_t(n);
            if (samples[i].empty()) continue;
            const Answer alone = predictor(samples[i]);
            const double allowed = 1e-6 * std::max(1.0, std::abs(numbers[i]));
            // published padding reads the frames of batch mates
            if (entry.name != "sdumc-published") CHECK(std::abs(alone.value - numbers[i]) <= allowed);
            CHECK(alone.used.size() == samples[i].size());
            CHECK(together[i].used == alone.used);
            if (entry.name != "sdumc-published") CHECK(std::abs(together[i].value - alone.value) <= allowed);
            if (data == &real) {
              CHECK(alone.probabilities.empty());
              continue;
            }
            REQUIRE(alone.probabilities.size() == 3);
            double sum = 0;
            for (const double p : alone.probabilities) sum += p;
            if (entry.name != "corrkd") CHECK(sum == doctest::Approx(1));
            CHECK(alone.probabilities[std::size_t(alone.value)] >=
                  *std::max_element(alone.probabilities.begin(), alone.probabilities.end()) - 1e-12);
          }
        }
      }
    }
  }
}

TEST_CASE("predictor: without anything present the answer is the training prior") {
  const data::Dataset classes = test::class_set(36);
  const auto small = test::train_small("early-fusion", classes, "f32");
  const Predictor predictor(small.state);
  const Answer nothing = predictor({});
  CHECK(nothing.value == 0);  // three classes in equal shares: the first of equals
  CHECK(nothing.used.empty());
  for (const double p : nothing.probabilities) CHECK(p == doctest::Approx(1.0 / 3));
  const Answer no_frame = predictor({{"m0", Eigen::MatrixXf(0, 2)}});
  CHECK(no_frame.used.empty());

  const data::Dataset real = data::synthetic({.samples = 40, .seed = 7});
  const auto regression = test::train_small("sdumc", real, "f64");
  CHECK(Predictor(regression.state)({}).value == lab::prior(real.train, 0));
}

TEST_CASE("predictor: what it takes, and which names and sizes it knows") {
  const data::Dataset real = data::synthetic({.samples = 40, .seed = 7});
  const auto small = test::train_small("sdumc", real, "f32");
  const Predictor predictor(small.state);
  CHECK(predictor.inputs()[0].name == "audio");
  CHECK_FALSE(predictor.inputs()[0].may_be_missing);
  CHECK(predictor.inputs()[1].may_be_missing);  // text
  CHECK(predictor.card().prior.size() == 1);
  CHECK(predictor.card().versions.find("lacuna") == 0);
  CHECK(predictor.card().spec.find("sdumc:epochs=1") == 0);
  const Predictor any(test::train_small("corrkd", real, "f32").state);
  for (const auto& input : any.inputs()) CHECK(input.may_be_missing);

  const index_t features = predictor.inputs()[0].features;
  const RowMajorMatrix<double> rows = RowMajorMatrix<double>::Random(4, features);
  const Eigen::MatrixXf columns = rows.cast<float>();
  Tensor<float, 2> tensor({4, features});
  for (index_t t = 0; t < 4; ++t)
    for (index_t d = 0; d < features; ++d) tensor(t, d) = columns(t, d);
  const double value = predictor({{"audio", columns}}).value;
  CHECK(predictor({{"audio", rows}}).value == value);
  CHECK(predictor({{"audio", tensor}}).value == value);
  CHECK(predictor({{"audio", Frames(tensor.data(), 4, features)}}).value == value);
  Answer kept;
  predictor.predict(std::array{Predictor::View{tensor.data(), 4}, Predictor::View{}, Predictor::View{}}, kept);
  CHECK(kept.value == value);
  CHECK(kept.used == std::vector<std::string>{"audio"});
  CHECK_THROWS_WITH_AS(predictor.predict(std::array{Predictor::View{}}, kept), "predictor: 1 views for 3 inputs",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      predictor.predict(std::array{Predictor::View{tensor.data(), -1}, Predictor::View{}, Predictor::View{}}, kept),
      "predictor: 'audio' has -1 frames, expected 0 or more", ShapeError);
  const std::vector<float> one(tensor.data(), tensor.data() + features);
  CHECK(predictor({{"audio", one}}).value == predictor({{"audio", columns.topRows(1)}}).value);
  CHECK(predictor({{"audio", std::span<const float>(one)}}).value == predictor({{"audio", one}}).value);

  CHECK_THROWS_WITH_AS(predictor({{"smell", columns}}),
                       "predictor: there is no input 'smell'; the model has audio, text, video", OptionError);
  CHECK_THROWS_WITH_AS(predictor({{"audio", columns}, {"audio", columns}}), doctest::Contains("given twice"),
                       OptionError);
  CHECK_THROWS_WITH_AS(predictor({{"audio", Eigen::MatrixXf(columns.transpose())}}),
                       doctest::Contains("features, the model expects"), ShapeError);
  Eigen::MatrixXf holes = columns;
  holes(2, 1) = std::nanf("");
  CHECK_THROWS_WITH_AS(predictor({{"audio", holes}}),
                       "predictor: 'audio' holds a number that is not finite in frame 2, feature 1", Error);
  CHECK(predictor.batch({}).empty());
}

TEST_CASE("predictor: a file without a card, of an unknown model, or one that contradicts itself is refused") {
  const data::Dataset real = data::synthetic({.samples = 40, .seed = 7});
  const auto small = test::train_small("ridge", real, "f32");
  CHECK_THROWS_WITH_AS(Predictor(small.trained.state), doctest::Contains("'about/model' is missing"), IoError);
  const auto changed = [&](const char* name, const auto& value) {
    State state = small.state;
    state.put(name, value);
    return state;
  };
  CHECK_THROWS_WITH_AS(Predictor(changed("about/model", "lstm")),
                       doctest::Contains("is 'lstm', which this program does not know"), IoError);
  CHECK_THROWS_AS(Predictor(changed("about/dtype", "f16")), IoError);
  CHECK_THROWS_AS(Predictor(changed("about/streams", std::vector<std::string>{"audio"})), IoError);
  const std::vector<index_t> sizes = zoo::card_of(small.state).features;
  for (const index_t wrong : {index_t(0), index_t(-1), index_t(1) << 25, std::numeric_limits<index_t>::max()}) {
    auto features = sizes;
    features[0] = wrong;
    CHECK_THROWS_WITH_AS(Predictor(changed("about/features", features)), doctest::Contains("expected 1..16777216"),
                         IoError);
  }
  CHECK_THROWS_AS(Predictor(changed("about/prior", std::vector<double>{})), IoError);
  CHECK_THROWS_AS(Predictor(changed("about/class_names", std::vector<std::string>{"a"})), IoError);
  CHECK_THROWS_AS(Predictor(changed("about/classes", index_t(1))), IoError);
  CHECK_THROWS_AS(Predictor(changed("model/weights", std::vector<double>{1})), IoError);
  CHECK_THROWS_AS(Predictor::load("gone.lacuna"), IoError);
  const auto constant = test::train_small("constant", test::class_set(36), "f32");
  State state = constant.state;
  state.put("model/prior", std::vector<double>{1});
  CHECK_THROWS_WITH_AS(Predictor{state}, doctest::Contains("has 1 shares for 3 classes"), IoError);
  for (const double wrong : {3.0, -1.0, 0.5, double(NAN)}) {
    state = constant.state;
    state.put("model/value", wrong);
    CHECK_THROWS_WITH_AS(Predictor{state}, doctest::Contains("expected a class of 3"), IoError);
  }
}

TEST_CASE("predictor: threads share one without a lock and get the bits of a single one") {
  const data::Dataset real = data::synthetic({.samples = 40, .seed = 7, .max_frames = 5});
  const auto small = test::train_small("corrkd-robust", real, "f32");
  const Predictor predictor(small.state);
  std::vector<Sample> samples;
  std::vector<double> alone;
  for (index_t n = 0; n < 8; ++n) {
    samples.push_back(sample_of(real.test, n, n % 2 ? std::vector<std::string>{"text"} : std::vector<std::string>{}));
    alone.push_back(predictor(samples.back()).value);
  }
  const int calls = std::getenv("LACUNA_MANY_CALLS") != nullptr ? 10000 : 200;  // 10 000: by hand, with the preset tsan
  std::vector<int> wrong(8, 0);
  std::vector<std::thread> threads;
  for (std::size_t w = 0; w < wrong.size(); ++w)
    threads.emplace_back([&, w] {
      for (std::size_t i = 0; i < std::size_t(calls); ++i)
        wrong[w] += predictor(samples[(i + w) % samples.size()]).value != alone[(i + w) % samples.size()];
    });
  for (std::thread& thread : threads) thread.join();
  for (const int count : wrong) CHECK(count == 0);
}

TEST_CASE("predictor: class names come with the answer") {
  const data::Dataset classes = test::class_set(36);
  auto small = test::train_small("constant", classes, "f32");
  zoo::Card card = zoo::card_of(small.state);
  card.class_names = {"angry", "calm", "sad"};
  const Predictor predictor(zoo::with_card(small.state, card));
  CHECK(predictor({}).class_name == "angry");
  CHECK(predictor.class_names()[2] == "sad");
}

/// The learner of the trainer's tests, with its options named.
struct NamedTiny : test::TinyLearner<float> {
  struct Options : test::TinyLearner<float>::Options {
    static void reflect(auto& self, auto&& visit) {
      visit("inputs", self.inputs), visit("width", self.width), visit("dropout", self.dropout);
    }
  };
  NamedTiny() = default;
  NamedTiny(const Options& o, Random random) : test::TinyLearner<float>(o, random) {}
};

TEST_CASE("predictor: a model of one's own is registered in one line, trained, stored and loaded by its name") {
  zoo::add<NamedTiny>("tiny", "a line through averages", {.fit = {.epochs = 2}});
  const data::Dataset real = data::synthetic({.samples = 40, .seed = 7});
  const auto system = zoo::registry().make(zoo::parse_model("tiny:width=4"), test::request_for(real));
  CHECK(system.recipe.find("width=4") != std::string::npos);
  const data::Dataset learning = lab::without_test(real);
  const auto trained = *system.train({.data = learning, .seed = 3});
  const Predictor predictor(
      zoo::with_card(trained.state, zoo::registry().card("tiny:width=4", "f32", real, trained.state)));
  CHECK(predictor(sample_of(real.test, 0)).value == doctest::Approx(expected(trained, real.test, {})[0]).epsilon(1e-6));
  CHECK_THROWS_WITH_AS(predictor(sample_of(real.test, 0), {.embedding = true}), doctest::Contains("has no embedding"),
                       Error);

  NamedTiny::Options options;
  options.inputs = real.dimensions();
  NamedTiny model(options, Random(1));
  train::Observer quiet;
  train::fit(model, real, {.epochs = 1}, quiet);
  CHECK(Predictor(zoo::stored("tiny", model, real))(sample_of(real.test, 1)).value ==
        doctest::Approx(train::predict(model, real.test)[1]).epsilon(1e-6));
}

}  // namespace
}  // namespace lacuna
