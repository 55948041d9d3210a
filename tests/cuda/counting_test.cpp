// What a training step asks of a GPU, counted without one: the steps of benchmarks/support/problems.hpp with all their
// modalities, layers, heads and losses, over few and narrow numbers. LACUNA_COUNTS=1 in the environment prints the
// launches by name.
//
// The bounds are the counts of today: who adds a launch to a step sees it here, who saves some lowers the bound.
#include "cuda/counting.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "../benchmarks/support/problems.hpp"
#include "lacuna/losses/alignment.hpp"

namespace {

using namespace lacuna;
using test::Counting;
using test::Counts;

struct CountBounds {
  int launches, copies, from_host, to_host, unaligned;
};

void print_counts(const char* what, const Counts& counts) {
  std::printf("%s: %d launches (%d products), %d copies, %d from the host, %d to the host, %d products not aligned\n",
              what, counts.launched, counts.products, counts.copies, counts.from_host, counts.to_host,
              counts.unaligned);
  std::vector<std::pair<int, std::string>> list;
  for (const auto& [name, count] : counts.launches) list.emplace_back(count, name);
  std::sort(list.rbegin(), list.rend());
  for (const auto& [count, name] : list) std::printf("  %5d %s\n", count, name.c_str());
}

/// The second step and the third: the same counts, no more than the bounds, and no memory.
void check_counts(const char* what, bench::Workload& step, const CountBounds& most, bool replayed = false) {
  test::EmulatedRun::lanes = 1;
  bench::replaying() = replayed;
  Counts& now = Counts::now();
  step();
  now = {};
  step();
  const Counts second = now;
  now = {};
  const std::size_t asked = test::CountedPool::instance().system_calls();
  step();
  if (std::getenv("LACUNA_COUNTS") != nullptr) print_counts(what, now);
  CHECK(now.launches == second.launches);
  CHECK(test::CountedPool::instance().system_calls() == asked);
  CHECK(now.launched <= most.launches);
  CHECK(now.copies <= most.copies);
  CHECK(now.from_host <= most.from_host);
  CHECK(now.to_host <= most.to_host);
  CHECK(now.unaligned - now.forbidden <= most.unaligned);
  CHECK(std::isfinite(step.checksum()));
}

using CorrkdStep = bench::CorrkdStep<Counting>;
using SdumcStep = bench::SdumcStep<Counting>;
const bench::CorrkdSize small_corrkd{.batch = 8, .frames = 6, .features = {30, 14, 7}};
const bench::SdumcSize small_sdumc{
    .batch = 4, .frames = {10, 4, 6}, .features = {24, 40, 16}, .width = 32, .fused = 16};

/// Launches of a loss and its gradient.
template <class Loss>
int launches_of(Loss&& loss) {
  test::EmulatedRun::lanes = 1;
  Counts& now = Counts::now();
  now = {};
  loss().backward();
  return now.launched;
}
/// How many a loss has, and how many the same formula composed of the vocabulary.
template <class Fused, class Composed>
void compare_launches(const char* name, int most, Fused&& fused, Composed&& composed) {
  const int one = launches_of(fused), other = launches_of(composed);
  if (std::getenv("LACUNA_COUNTS") != nullptr) std::printf("%s: %d launches, composed %d\n", name, one, other);
  CHECK(one <= most);
  CHECK(one < other);
}

/// Mebibytes that a step of these sizes needs besides what was there before it: in use at its fullest moment, and held by
/// the arena of a recorded step. The work itself is left out.
void check_memory(const char* what, bench::Workload& step, double most_in_use, double most_held, int most_launches) {
  struct Blind {
    const std::size_t shared = std::exchange(test::EmulatedRun::shared, std::size_t(227) << 10);
    Blind() { Counts::blind = true; }
    ~Blind() { Counts::blind = false, test::EmulatedRun::shared = shared; }
  } const blind;
  bench::replaying() = false;
  test::Account& account = test::Account::now();
  const double mb = 1.0 / (1 << 20), before = double(account.live);
  step();
  account.begin();
  Counts::now() = {};
  step();
  const double in_use = mb * (double(account.fullest) - before);
  const int launched = Counts::now().launched;
  test::CountedPool::Arena arena;
  arena.enter();
  step();
  test::CountedPool::Arena::leave();
  const double held = mb * double(arena.held());
  if (std::getenv("LACUNA_COUNTS") != nullptr)
    std::printf("%s: %.2f MB in use, %.2f held, %d launches\n", what, in_use, held, launched);
  CHECK(in_use <= most_in_use);
  CHECK(held <= most_held);
  CHECK(launched <= most_launches);
}

}  // namespace

TEST_CASE("counts: losses with a kernel of their own beside their compositions") {
  using Matrix = Variable<float, 2, Counting>;
  Random random(1);
  const auto leaf = [&] { return Matrix(to_device<Counting>(init::normal<float, 2>({6, 4}, 1.0, random)), true); };
  const Matrix a = leaf(), b = leaf();
  const Labels<Counting> labels = std::vector<index_t>{0, 1, 2, 0, 1, 2};
  const Matrix hot(Tensor<float, 2, Counting>::from({6, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1}));
  const auto unit = [](const Matrix& x) { return x / norm(x, 2, 1, keepdim); };
  const auto squares = [](const Matrix& x, const Matrix& y) {
    return sum(square(x), 1, keepdim) + sum(square(y), 1) - 2 * matmul(x, y, {.transpose_b = true});
  };
  compare_launches(
      "l1_loss", 2, [&] { return l1_loss(a, b); }, [&] { return mean(abs(a - b)); });
  compare_launches(
      "cross_entropy", 2, [&] { return cross_entropy(a, labels); }, [&] { return nll_loss(log_softmax(a), labels); });
  compare_launches(
      "cpd_loss", 10, [&] { return cpd_loss(a, b, labels, 3); },
      [&] {
        const auto cosines = [&](const Matrix& h) {
          const auto means = matmul(hot, h, {.transpose_a = true}) / unsqueeze(sum(hot, 0), 1);
          return matmul(unit(h), unit(means), {.transpose_b = true});
        };
        return mean(square(cosines(a) - cosines(b)));
      });
  const auto apart = 1 - eye<float, Counting>(6);
  compare_launches(
      "scd_loss", 15, [&] { return scd_loss(a, b); },
      [&] {
        const auto push = square(maximum(1 - sqrt(maximum(squares(a, b), 0.0) + 1e-12), 0.0)) * apart;
        return sum(square(a - b)) / 6 + sum(push) / 30;
      });
  compare_launches(
      "mmd_loss", 40, [&] { return mmd_loss(a, b); },
      [&] {
        const auto k = [&](const Matrix& x, const Matrix& y) { return mean(exp(squares(x, y) / -2)); };
        return k(a, a) + k(b, b) - 2 * k(a, b);
      });
}
TEST_CASE("counts: a step of CorrKD") {
  CorrkdStep step(small_corrkd);
  check_counts("CorrKD", step, {.launches = 304, .copies = 10, .from_host = 0, .to_host = 0, .unaligned = 0});
}
TEST_CASE("counts: a step of SDUMC") {
  SdumcStep step(false, Rows::automatic, small_sdumc);
  check_counts("SDUMC", step, {.launches = 557, .copies = 6, .from_host = 0, .to_host = 0, .unaligned = 0});
}
TEST_CASE("counts: a replayed step is one launch and that of the optimizer") {
  CorrkdStep corrkd(small_corrkd);
  check_counts("CorrKD, replayed", corrkd, {.launches = 2, .copies = 0, .from_host = 1, .to_host = 0, .unaligned = 0},
               true);
  SdumcStep sdumc(false, Rows::automatic, small_sdumc);
  check_counts("SDUMC, replayed", sdumc, {.launches = 2, .copies = 0, .from_host = 1, .to_host = 0, .unaligned = 0},
               true);
}
TEST_CASE("counts: memory of a step at its fullest moment") {
  CorrkdStep corrkd;
  check_memory("CorrKD", corrkd, 72.5, 80.6, 312);
  SdumcStep sdumc(false, Rows::automatic, {.batch = 4});
  check_memory("SDUMC, a batch of 4", sdumc, 11.0, 13.3, 571);
}
TEST_CASE("counts: what is drawn or normalised again for the way back gives the gradients of what was kept") {
  using Matrix = Variable<float, 2, Counting>;
  Random random(1);
  const auto leaf = [&](index_t rows, index_t columns) {
    return Matrix(to_device<Counting>(init::normal<float, 2>({rows, columns}, 1.0, random)), true);
  };
  const Matrix x = leaf(4096, 16), weight = leaf(3, 16);
  test::EmulatedRun::lanes = 1;
  const auto gradients = [&](bool kept) {
    lacuna::detail::keeping_values() += kept;
    x.zero_grad(), weight.zero_grad();
    Random own(3);
    Matrix dropped = dropout(x, 0.5, Context::train(own));
    const auto node = dropped.node();
    const auto y = linear(dropped, weight, {}, Activation::tanh);
    dropped = {};
    CHECK(node->value.defined() == kept);
    y.backward(y.value());
    lacuna::detail::keeping_values() -= kept;
    return std::pair(x.grad().to_vector(), weight.grad().to_vector());
  };
  CHECK(gradients(true) == gradients(false));
}
