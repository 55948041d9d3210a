/// What SDUMC promises beyond the numbers of its authors: any number of modalities, absence, padding, threads.
#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "lacuna/autograd/gradcheck.hpp"
#include "lacuna/core/mask.hpp"
#include "lacuna/models/sdumc/objective.hpp"
#include "lacuna/models/sdumc/pytorch.hpp"
#include "lacuna/models/streams.hpp"
#include "lacuna/optim/adam.hpp"

namespace {

using namespace lacuna;
using models::Imagination;
using models::Padding;
using models::SdumcNetwork;
using models::SdumcOptions;
using Lengths = std::vector<std::vector<index_t>>;  // per stream, per sample; the simulated stream last

template <class T>
struct Problem {
  SdumcNetwork<T> network;
  data::Streams<T> streams;
  data::Stream<T> simulated;
  Tensor<T, 1> labels;

  models::SdumcFlows<T> flows(std::uint64_t seed = 0) const {
    if (seed == 0) return both_flows(network, streams, simulated, {}, {});
    Random random(seed);
    const Context context = Context::train(random);
    return both_flows(network, streams, simulated, context, context);
  }
  models::SdumcLosses<T> losses(std::uint64_t seed = 0, const Mask<1>& complete = {}) const {
    return sdumc_objective(flows(seed), labels, {}, {}, complete);
  }
};

SdumcOptions small_sdumc(std::vector<index_t> inputs, index_t missing = 1) {
  SdumcOptions options;
  options.inputs = std::move(inputs);
  options.missing = missing;
  options.width = 4;
  options.fused = 4;
  options.contrast = 2;
  return options;
}

/// Sample b of stream m has lengths[m][b] frames; behind them the frames hold zeros.
template <class T>
data::Stream<T> stream(index_t features, const std::vector<index_t>& lengths, Random& random, index_t frames = 0) {
  for (const index_t length : lengths) frames = std::max(frames, length);
  data::Stream<T> made{init::uniform<T, 3>({index_t(lengths.size()), frames, features}, 1.0, random),
                       mask_from_lengths(lengths, frames)};
  for (index_t b = 0; b < made.frames.extent(0); ++b)
    for (index_t t = lengths[std::size_t(b)]; t < frames; ++t)
      for (index_t f = 0; f < features; ++f) made.frames(b, t, f) = T(0);
  return made;
}

template <class T>
Problem<T> make(const SdumcOptions& options, const Lengths& lengths, std::uint64_t seed = 5) {
  Random random(seed);
  Problem<T> p{SdumcNetwork<T>(options, random), {}, {}, {}};
  for (std::size_t m = 0; m < options.inputs.size(); ++m)
    p.streams.push_back(stream<T>(options.inputs[m], lengths[m], random));
  p.simulated = stream<T>(options.inputs[std::size_t(options.missing)], lengths.back(), random);
  p.labels = init::uniform<T, 1>({index_t(lengths[0].size())}, 2.0, random);
  return p;
}

/// Every number that a flow hands out.
template <class T>
std::vector<std::vector<T>> results(const models::SdumcFlow<T>& flow) {
  return {flow.prediction.value().to_vector(), flow.fused.value().to_vector(), flow.contrast.value().to_vector(),
          flow.missing_query().value().to_vector(), flow.missing_content().value().to_vector()};
}
template <class T>
bool finite(const std::vector<std::vector<T>>& lists) {
  for (const auto& list : lists)
    for (const T number : list)
      if (!std::isfinite(number)) return false;
  return true;
}
template <class T>
std::vector<std::vector<T>> gradients(const SdumcNetwork<T>& network) {
  std::vector<std::vector<T>> all;
  for_each_parameter(network, [&](const std::string&, const auto& p) { all.push_back(p.grad().to_vector()); });
  zero_grad(network);
  return all;
}

/// Every parameter's gradient against differences. What the objective detaches is held fixed for them.
void check_all_gradients(const Problem<double>& p, std::uint64_t seed, const Mask<1>& complete = {}) {
  const auto start = p.flows(seed).complete;
  const auto query = start.missing_query().detach();
  const auto content = start.missing_content().detach();
  const auto objective = [&] {
    const auto flows = p.flows(seed);
    const models::SdumcWeights weights, others{.text = 0, .query = 0};
    return sdumc_objective(flows, p.labels, others, {}, complete).total +
           weights.text * rmse_loss(flows.missing.missing_query(), query, complete) +
           weights.query * rmse_loss(flows.missing.missing_content(), content, complete);
  };
  p.losses(seed, complete).total.backward();
  const auto whole = gradients(p.network);
  std::size_t count = 0;
  for_each_parameter(p.network, [&](const std::string& path, const auto& parameter) {
    const auto check = check_gradients(objective, 1e-6, 0.01, parameter);
    CHECK_MESSAGE(check.worst < 1e-6,
                  path << "[" << check.element << "]: " << check.analytic << " against " << check.numeric);
    const std::vector<double> found = parameter.grad().to_vector();
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i] - whole[count][i]) < 1e-14);
    zero_grad(p.network);
    ++count;
  });
  CHECK(count > 50);
}

}  // namespace

TEST_CASE("sdumc: the views of any number of modalities") {
  using Views = std::vector<std::vector<std::uint8_t>>;
  CHECK(models::sdumc_views(2) == Views{{1, 1}, {1, 0}, {0, 1}});
  // the paper's order: all, audio-text, text-video, audio-video, audio, text, video
  CHECK(models::sdumc_views(3) == Views{{1, 1, 1}, {1, 1, 0}, {0, 1, 1}, {1, 0, 1}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}});
  CHECK(models::sdumc_views(4).size() == 9);
  CHECK(models::sdumc_views(5).size() == 11);
  for (const index_t m : {2, 3, 4, 5, 6}) {
    const auto views = models::sdumc_views(m);
    CHECK(std::set<std::vector<std::uint8_t>>(views.begin(), views.end()).size() == views.size());
  }
}

TEST_CASE("sdumc: gradients of the objective, two modalities, the first may be missing") {
  const auto p = make<double>(small_sdumc({2, 3}, 0), {{3, 1}, {2, 4}, {1, 2}});
  check_all_gradients(p, 0);
}
TEST_CASE(
    "sdumc: gradients of the objective, three modalities, dropout, the last may be missing, one sample lacks one") {
  auto options = small_sdumc({2, 3, 1}, 2);
  options.imagination = Imagination::transition;
  const auto p = make<double>(options, {{3, 1, 2}, {2, 4, 0}, {1, 2, 3}, {2, 1, 2}});
  check_all_gradients(p, 77);
}
TEST_CASE(
    "sdumc: gradients of the objective, four modalities, published padding, one sample without the complete flow") {
  auto options = small_sdumc({2, 1, 1, 2});
  options.padding = Padding::published;
  const auto p = make<double>(options, {{3, 1, 2}, {2, 4, 0}, {1, 2, 1}, {2, 1, 3}, {2, 1, 2}});
  check_all_gradients(p, 0, Mask<1>::from({3}, {1, 1, 0}));
}
TEST_CASE("sdumc: gradients of the objective, five modalities, MIA off, T = 1") {
  auto options = small_sdumc({1, 2, 1, 1, 2}, 4);
  options.imagination = Imagination::off;
  const auto p = make<double>(options, {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}});
  check_all_gradients(p, 0);
}

TEST_CASE("sdumc: batch of one, one frame, and no batch at all") {
  for (const auto padding : {Padding::masked, Padding::published}) {
    auto options = small_sdumc({2, 3, 1});
    options.padding = padding;
    auto one = make<double>(options, {{1}, {1}, {1}, {1}});
    const auto losses = one.losses();
    CHECK(std::isfinite(losses.total.item()));
    losses.total.backward();
    CHECK(finite(gradients(one.network)));
    // one frame, all of it attended: pooling gives the frame itself
    const auto flow = one.flows().complete;
    CHECK(flow.pooled[0].value().to_vector() == flow.frames[0].value().to_vector());

    auto none = make<double>(options, {{}, {}, {}, {}});
    const auto empty = none.losses();
    CHECK(empty.total.item() == 0);
    empty.total.backward();
    CHECK(finite(gradients(none.network)));
  }
}

TEST_CASE("sdumc: a missing modality other than text") {
  for (const index_t missing : {0, 1, 2}) {
    const auto lost = std::size_t(missing);
    auto p = make<double>(small_sdumc({3, 3, 3}, missing), {{3, 1}, {2, 4}, {1, 2}, {2, 2}});
    const auto flows = p.flows();
    const auto complete = results(flows.complete), missing_flow = results(flows.missing);
    // its query and content are those of that modality
    CHECK(flows.complete.missing_query().node().get() == flows.complete.queries[4 + lost].node().get());
    CHECK(flows.complete.missing_content().node().get() == flows.complete.content[lost].node().get());
    CHECK(flows.missing.missing_content().node().get() == flows.missing.imagined_content.node().get());
    // the missing flow does not see the real one, the complete flow does not see the stand-in
    auto other = p;
    Random random(8);
    other.streams[lost] = stream<double>(3, {3, 4}, random);
    CHECK(results(other.flows().missing) == missing_flow);
    CHECK(results(other.flows().complete) != complete);
    other = p;
    other.simulated = stream<double>(3, {3, 4}, random);
    CHECK(results(other.flows().missing) != missing_flow);
    CHECK(results(other.flows().complete) == complete);
    // what both have in common is computed once
    for (std::size_t m = 0; m < 3; ++m)
      CHECK((flows.complete.frames[m].node().get() == flows.missing.frames[m].node().get()) == (m != lost));
  }
}

TEST_CASE("sdumc: a sample that lacks a modality: whatever stands there, NaN included, does not matter") {
  for (const auto padding : {Padding::masked, Padding::published})
    for (const double junk : {1000.0, double(NAN)}) {
      auto options = small_sdumc({2, 3, 1});
      options.padding = padding;
      const Lengths lengths{{3, 0, 2}, {2, 4, 1}, {1, 2, 0}, {2, 0, 3}};
      auto p = make<double>(options, lengths);
      const auto evaluate = [&] {
        auto all = results(p.flows().complete);
        for (const auto& list : results(p.flows().missing)) all.push_back(list);
        p.losses().total.backward();
        for (const auto& list : gradients(p.network)) all.push_back(list);
        return all;
      };
      const auto before = evaluate();
      CHECK(finite(before));
      const auto fill = [&](data::Stream<double>& s, index_t b) {
        for (index_t t = 0; t < s.frames.extent(1); ++t)
          for (index_t f = 0; f < s.frames.extent(2); ++f) s.frames(b, t, f) = junk;
        s = models::masked_stream(s.frames, s.present);  // as every stream is made
      };
      fill(p.streams[0], 1);
      fill(p.streams[2], 2);
      fill(p.simulated, 1);
      CHECK(evaluate() == before);
      // and what is there does matter
      fill(p.streams[1], 0);
      CHECK(evaluate() != before);
    }
}

TEST_CASE("sdumc: masked, a prediction does not depend on batch mates; published, it does") {
  for (const auto padding : {Padding::masked, Padding::published}) {
    auto options = small_sdumc({2, 3, 1});
    options.padding = padding;
    const Lengths lengths{{3, 9, 2}, {2, 4, 7}, {1, 2, 5}, {2, 6, 3}};
    const auto together = make<double>(options, lengths);
    auto alone = together;
    const auto cut = [](const data::Stream<double>& s, index_t length) {  // the first sample, without its padding
      const std::array<index_t, 3> extents{1, length, s.frames.extent(2)};
      return data::Stream<double>{Tensor<double, 3>(s.frames.window(0, Shape(extents))).clone(),
                                  mask_from_lengths(std::vector<index_t>{length}, length)};
    };
    for (std::size_t m = 0; m < 3; ++m) alone.streams[m] = cut(together.streams[m], lengths[m][0]);
    alone.simulated = cut(together.simulated, lengths[3][0]);
    const auto a = together.flows(), b = alone.flows();
    double difference = 0;
    for (const auto& [x, y] : {std::pair{a.complete, b.complete}, std::pair{a.missing, b.missing}}) {
      difference = std::max(difference, std::abs(x.prediction.value()(0, 0) - y.prediction.value()(0, 0)));
      for (index_t i = 0; i < 4; ++i)
        difference = std::max(difference, std::abs(x.fused.value()(0, i) - y.fused.value()(0, i)));
    }
    if (padding == Padding::masked)
      CHECK(difference < 1e-14);
    else
      CHECK(difference > 1e-6);
  }
}

TEST_CASE("sdumc: samples without the missing-able modality take part in the missing flow only") {
  const auto p = make<double>(small_sdumc({2, 3, 1}), {{3, 1, 2}, {2, 4, 0}, {1, 2, 1}, {2, 1, 3}});
  const auto complete = Mask<1>::from({3}, {1, 1, 0});
  const auto losses = p.losses(0, complete), all = p.losses();
  const auto flows = p.flows();
  double expected = 0;
  for (index_t b = 0; b < 2; ++b) expected += std::pow(flows.complete.prediction.value()(b, 0) - p.labels(b), 2) / 2;
  CHECK(losses.full.item() == doctest::Approx(expected).epsilon(1e-12));
  CHECK(losses.missing.item() == all.missing.item());
  CHECK(losses.text.item() != all.text.item());
  CHECK(losses.contrast.item() != all.contrast.item());
}

TEST_CASE("sdumc: terms of weight zero pull nothing") {
  const auto p = make<double>(small_sdumc({2, 3, 1}), {{3, 1, 2}, {2, 4, 1}, {1, 2, 1}, {2, 1, 3}});
  const auto losses = sdumc_objective(p.flows(), p.labels, {.text = 0, .query = 0, .feature = 0, .contrast = 0});
  CHECK(losses.total.item() == doctest::Approx(0.5 * losses.full.item() + 0.5 * losses.missing.item()).epsilon(1e-14));
  losses.total.backward();
  CHECK_FALSE(p.network.contrast_out.weight.has_grad());
  CHECK(p.network.regression.weight.has_grad());
  zero_grad(p.network);
}

TEST_CASE("sdumc: three training steps with dropout end in the same bits with 1, 2, 3 and 8 threads") {
  for (const auto padding : {Padding::masked, Padding::published}) {
    auto options = small_sdumc({37, 70, 20});
    options.width = 64;
    options.fused = 32;
    options.contrast = 16;
    options.padding = padding;
    Lengths lengths(4);
    for (std::size_t m = 0; m < 4; ++m)
      for (index_t b = 0; b < 24; ++b) lengths[m].push_back((b * 7 + index_t(m) * 5) % 23);
    const auto train = [&](std::uint64_t seed) {
      auto p = make<float>(options, lengths);
      const auto packed = pack<float>(p.network);
      optim::Adam<float> adam(packed, {.learning_rate = 1e-3, .weight_decay = 1e-5});
      for (std::uint64_t step = 0; step < 3; ++step) {
        packed.zero_grad();
        p.losses(seed + step).total.backward();
        adam.step();
      }
      return packed.values.to_vector();
    };
    set_threads(1);
    const auto one = train(100);
    CHECK(train(200) != one);  // other dropout, other parameters
    for (const int count : {2, 3, 8}) {
      set_threads(count);
      CHECK(train(100) == one);
    }
    set_threads(0);
  }
}

TEST_CASE("sdumc: the steady state of training allocates nothing") {
  auto p = make<float>(small_sdumc({2, 3, 1}), {{3, 1, 2}, {2, 4, 1}, {1, 2, 1}, {2, 1, 3}});
  const auto packed = pack<float>(p.network);
  optim::Adam<float> adam(packed, {.learning_rate = 1e-3});
  const auto step = [&](std::uint64_t seed) {
    packed.zero_grad();
    p.losses(seed).total.backward();
    adam.step();
  };
  for (std::uint64_t i = 1; i < 4; ++i) step(i);
  const std::size_t before = lacuna::detail::BlockPool::instance().system_calls();
  for (std::uint64_t i = 4; i < 24; ++i) step(i);
  CHECK(lacuna::detail::BlockPool::instance().system_calls() == before);
}

TEST_CASE("sdumc: learns a small problem by heart") {
  auto p = make<float>(small_sdumc({2, 3, 1}), {{3, 1, 2, 4}, {2, 4, 1, 3}, {1, 2, 1, 2}, {2, 1, 3, 2}});
  const auto packed = pack<float>(p.network);
  optim::Adam<float> adam(packed, {.learning_rate = 1e-2});
  const auto error = [&] {
    const NoGrad off;
    const auto losses = p.losses();
    return double(losses.full.item() + losses.missing.item());
  };
  const double start = error();
  for (int step = 0; step < 400; ++step) {
    packed.zero_grad();
    p.losses().total.backward();
    adam.step();
  }
  CHECK(error() < 0.05 * start);
}

TEST_CASE("sdumc: every parameter of three modalities has one name in the authors' module") {
  for (const auto imagination : {Imagination::off, Imagination::input}) {
    auto options = small_sdumc({2, 3, 1});
    options.imagination = imagination;
    Random random(1);
    const SdumcNetwork<float> network(options, random);
    std::set<std::string> names;
    int count = 0;
    for_each_parameter(network, [&](const std::string& path, const auto&) {
      names.insert(models::sdumc_pytorch_name(path));
      ++count;
    });
    CHECK(int(names.size()) == count);
    CHECK(count == (imagination == Imagination::off ? 83 : 99));
  }
  CHECK_THROWS_AS(models::sdumc_pytorch_name("projection.3.weight"), Error);
  CHECK_THROWS_AS(models::sdumc_pytorch_name("nonsense"), Error);
}

TEST_CASE("sdumc: refuses options that make no network, and streams that do not fit") {
  Random random(1);
  const auto build = [&](const SdumcOptions& options) { SdumcNetwork<float>(options, random); };
  CHECK_THROWS_AS(build(small_sdumc({2})), OptionError);
  CHECK_THROWS_AS(build(small_sdumc({2, 3}, 2)), OptionError);
  CHECK_THROWS_AS(build(small_sdumc({2, 3}, -1)), OptionError);
  CHECK_THROWS_AS(build(small_sdumc({2, 0})), OptionError);
  auto thin = small_sdumc({2, 3});
  thin.width = 1;
  CHECK_THROWS_AS(build(thin), OptionError);
  auto p = make<float>(small_sdumc({2, 3, 1}), {{3, 1}, {2, 4}, {1, 2}, {2, 1}});
  auto wrong = p;
  wrong.streams[0] = p.streams[1];
  CHECK_THROWS_AS(wrong.flows(), ShapeError);
  wrong = p;
  wrong.streams.pop_back();
  CHECK_THROWS_AS(wrong.flows(), ShapeError);
}

TEST_CASE("sdumc: one frame per modality gives what the same frame gives beside an absent one") {
  const SdumcOptions options = small_sdumc({3, 2, 4});
  auto p = make<double>(options, {{1, 1, 0}, {1, 1, 1}, {1, 0, 1}, {1, 1, 1}});
  auto longer = p;
  for (auto* stream : {&longer.streams[0], &longer.streams[1], &longer.streams[2], &longer.simulated}) {
    const index_t width = stream->frames.extent(2);
    data::Stream<double> two{Tensor<double, 3>::zeros({3, 2, width}), Mask<2>::zeros({3, 2})};
    for (index_t b = 0; b < 3; ++b) {
      two.present(b, 0) = stream->present(b, 0);
      for (index_t f = 0; f < width; ++f) two.frames(b, 0, f) = stream->frames(b, 0, f);
    }
    *stream = two;
  }
  const auto short_flows = p.flows(), long_flows = longer.flows();
  const auto close = [](const std::vector<double>& found, const std::vector<double>& expected) {
    REQUIRE(found.size() == expected.size());  // products of matrices of other heights round otherwise
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i] - expected[i]) < 1e-14);
  };
  for (const auto& [ours, theirs] :
       {std::pair(short_flows.complete, long_flows.complete), std::pair(short_flows.missing, long_flows.missing)}) {
    const auto found = results(ours), expected = results(theirs);
    for (std::size_t i = 0; i < found.size(); ++i) close(found[i], expected[i]);
    for (std::size_t m = 0; m < 3; ++m)
      close(ours.content[m].value().to_vector(), theirs.content[m].value().to_vector());
  }
  p.losses().total.backward();
  const auto found = gradients(p.network);
  longer.losses().total.backward();
  const auto expected = gradients(longer.network);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    for (std::size_t k = 0; k < found[i].size(); ++k)
      CHECK(found[i][k] == doctest::Approx(expected[i][k]).epsilon(1e-10));
}
TEST_CASE("sdumc: in inference the flows share what they have in common, to the bit") {
  // one frame takes a way of its own
  for (const Lengths& lengths : {Lengths{{5, 1}, {3, 0}, {4, 2}, {3, 2}}, Lengths{{1, 1}, {1, 0}, {1, 1}, {1, 1}}}) {
    const auto problem = make<float>(small_sdumc({3, 5, 2}), lengths);
    const auto recorded = problem.flows();
    const NoGrad off;
    const auto shared = problem.flows();
    const auto same = [](const models::SdumcFlow<float>& a, const models::SdumcFlow<float>& b) {
      CHECK(a.prediction.value().to_vector() == b.prediction.value().to_vector());
      CHECK(a.contrast.value().to_vector() == b.contrast.value().to_vector());
      for (std::size_t m = 0; m < a.attended.size(); ++m) {
        CHECK(a.attended[m].value().to_vector() == b.attended[m].value().to_vector());
        CHECK(a.pooling_weights[m].to_vector() == b.pooling_weights[m].to_vector());
      }
    };
    same(recorded.complete, shared.complete);
    same(recorded.missing, shared.missing);
  }
}
