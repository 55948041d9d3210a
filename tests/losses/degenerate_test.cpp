/// What batches of real data bring and rows of random numbers do not: two samples that are the same, a class that does
/// not occur, a class of one sample, all samples of one class, two classes. Every loss of the table, by differences.
#include <doctest/doctest.h>

#include <string_view>

#include "rows/batch_losses.hpp"
#include "rows/class_losses.hpp"
#include "rows/losses.hpp"

namespace {

using namespace lacuna;
using test::Case;

template <class Row>
struct LossOf {
  using type = void;
};
template <class Loss, index_t Large>
struct LossOf<test::BatchLossRow<Loss, Large>> {
  using type = Loss;
};
template <class F>
void for_each_batch_loss(F&& f) {
  test::Join<test::ClassLossRows, test::BatchLossRows>::for_each([&]<class Row>() {
    if constexpr (!std::is_void_v<typename LossOf<Row>::type>) f.template operator()<Row, typename LossOf<Row>::type>();
  });
}

/// Sample 1 becomes sample 0, in all sets of samples.
template <class Inputs>
void make_twins(const Inputs& in, std::size_t sets) {
  for (std::size_t i = 0; i < sets; ++i) {
    auto& value = in.nodes()[i]->value;
    std::vector<double> numbers = value.to_vector();
    const index_t width = value.shape()[1];
    std::copy_n(numbers.begin(), width, numbers.begin() + width);
    value.assign(numbers);
  }
}
template <class Row>
void compare(const test::Inputs<double>& in) {
  for (const auto& node : in.nodes()) {
    in.zero_grad();
    const GradientCheck check =
        check_gradients([&] { return test::objective<Row>(in); }, 1e-5, 0.01, test::detail::AnyLeaf<double, Cpu>{node});
    CAPTURE(Row::name);
    CAPTURE(in.problem().name);
    CAPTURE(check.element);
    CAPTURE(check.analytic);
    CAPTURE(check.numeric);
    CHECK(check.compared == node->value.size());
    CHECK(check.worst <= 1e-6);
  }
}

/// Labels that are classes, not signs nor shares.
bool names_classes(const test::BatchProblem& p) {
  for (const double label : p.labels)
    if (label < 0 || label != std::floor(label)) return false;
  return !p.labels.empty();
}

}  // namespace

TEST_CASE("every loss over a batch: two identical samples") {
  for_each_batch_loss([]<class Row, class Loss>() {
    const test::BatchProblem problem = Loss::problem();
    for (const index_t count : {2, 5}) {
      const test::Inputs<double> in(test::batch_case(problem, "identical samples", count));
      make_twins(in, problem.widths.size());
      if (std::string_view(Row::name).starts_with("rkd_")) {
        // the distance of the two has a kink here: its gradient is 0 by convention, that of differences anything
        in.zero_grad();
        const auto loss = test::objective<Row>(in);
        CHECK(std::isfinite(loss.item()));
        if (loss.requires_grad()) loss.backward();
        for (const auto& node : in.nodes())
          if (node->has_gradient)
            for (const double g : node->gradient.to_vector()) CHECK(std::isfinite(g));
      } else {
        compare<Row>(in);
      }
    }
  });
}

TEST_CASE("every loss over a batch: student and teacher alike, and a batch of one sample five times") {
  for_each_batch_loss([]<class Row, class Loss>() {
    const test::BatchProblem problem = Loss::problem();
    for (const bool one : {false, true}) {
      const test::Inputs<double> in(test::batch_case(problem, "equal sets", 5));
      const auto& first = in.nodes()[0]->value;
      for (std::size_t i = 0; i < problem.widths.size(); ++i) {
        auto& value = in.nodes()[i]->value;
        std::vector<double> numbers = (value.shape() == first.shape() ? first : value).to_vector();
        const auto width = std::size_t(value.shape()[1]);
        for (std::size_t k = width; one && k < numbers.size(); ++k) numbers[k] = numbers[k - width];
        value.assign(numbers);
      }
      in.zero_grad();
      const auto loss = test::objective<Row>(in);
      CAPTURE(Row::name);
      CHECK(std::isfinite(loss.item()));
      if (loss.requires_grad()) loss.backward();
      for (const auto& node : in.nodes())
        if (node->has_gradient)
          for (const double g : node->gradient.to_vector()) CHECK(std::isfinite(g));
    }
  });
}

TEST_CASE("every loss of classes: one that does not occur, one of a single sample, all of one") {
  index_t losses = 0;
  for_each_batch_loss([&]<class Row, class Loss>() {
    test::BatchProblem problem = Loss::problem();
    if (!names_classes(problem)) return;
    ++losses;
    const struct {
      const char* name;
      std::vector<double> labels;
    } batches[] = {{"class 1 does not occur", {0, 2, 2, 0, 2}},
                   {"class 2 has one sample", {0, 1, 0, 2, 1}},
                   {"all of class 1", {1, 1, 1, 1, 1}},
                   {"every class has one sample or none", {2, 0, 1, 1, 0}}};
    for (const auto& [name, labels] : batches) {
      problem.labels = labels;
      for (const index_t count : {3, 5}) compare<Row>(test::Inputs<double>(test::batch_case(problem, name, count)));
      const test::Inputs<double> twins(test::batch_case(problem, std::string(name) + ", identical samples", 5));
      make_twins(twins, problem.widths.size());
      compare<Row>(twins);
    }
  });
  CHECK(losses == 10);  // cross_entropy, nll, hinton, dkd, supcon twice, cpd twice, rcd twice
}

TEST_CASE("every loss of class scores: two classes") {
  const index_t n = 4;
  const auto numbers = [](std::uint64_t seed, index_t count) {
    std::vector<double> result;
    for (index_t i = 0; i < count; ++i) result.push_back(RandomStream{seed, 3}.normal(std::uint64_t(i)));
    return result;
  };
  const auto leaf = [&](std::uint64_t seed, bool twins) {
    auto row = numbers(seed, n * 2);
    if (twins) row[2] = row[0], row[3] = row[1];
    return Variable<double, 2>(Tensor<double, 2>::from({n, 2}, row), true);
  };
  Random random(8);
  const test::SmoothCritic<double, Cpu> critic({1, 1, 4}, random);
  for (const bool twins : {false, true})
    for (const auto& labels : {std::vector<index_t>{0, 1, 1, 0}, {1, 1, 1, 1}, {0, 1, 1, 1}}) {
      const auto s = leaf(1, twins), t = leaf(2, twins);
      const auto agree = [&](const char* name, auto&& loss) {
        CAPTURE(name);
        CAPTURE(labels);
        CHECK(check_gradients(loss, 1e-5, 0.01, s, t).worst <= 1e-6);
      };
      agree("cross_entropy", [&] { return cross_entropy(s, labels, {.smoothing = 0.1}) + cross_entropy(t, labels); });
      agree("nll_loss", [&] { return nll_loss(s, labels) + nll_loss(t, labels); });
      agree("kl_divergence", [&] { return kl_divergence(s, t, {2}); });
      agree("hinton_kd_loss", [&] { return hinton_kd_loss(s, t, labels, {2, 0.7}); });
      agree("dkd_loss", [&] { return dkd_loss(s, t, labels, {1, 8, 2}); });
      agree("iic_loss", [&] { return iic_loss(s, t); });
      agree("cpd_loss", [&] { return cpd_loss(s, t, labels, 2); });
      agree("rcd_loss", [&] { return rcd_loss(s, t, labels, critic, critic).loss; });
      agree("rcd_loss of logarithms", [&] {
        return rcd_loss(s, t, labels, critic, critic, {1.5, ResponseSpace::log_probability, false}).loss;
      });
      CHECK_THROWS_WITH_AS(rcd_loss(s, t, labels, critic, critic, {.renormalize = true}),
                           doctest::Contains("holds no information"), OptionError);
    }
}

TEST_CASE("rank_n_contrast: identical samples and identical labels stay finite") {
  for (const auto& labels : {std::vector<double>{1, 1, 0, -2}, {1, 1, 1, 1}, {0.5, -1, 2, 0}}) {
    const Variable<double, 2> x(Tensor<double, 2>::from({4, 2}, {0.5, -1, 0.5, -1, 2, 0.25, -0.5, 1}), true);
    const auto loss = rank_n_contrast(x, Tensor<double, 1>::from({4}, labels));
    CHECK(std::isfinite(loss.item()));
    loss.backward();
    for (const double g : x.grad().to_vector()) CHECK(std::isfinite(g));
  }
}
