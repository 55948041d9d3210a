/// Losses of predictions, classes and responses against the oracle; nothing of losses.npz is left out.
#include <doctest/doctest.h>

#include "lacuna/losses/contrastive.hpp"
#include "lacuna/losses/distillation.hpp"
#include "lacuna/losses/ranking.hpp"
#include "lacuna/losses/variational.hpp"
#include "support/oracle.hpp"

namespace {

using namespace lacuna;
using test::OracleBlocks;

template <class Case>
Reduction reduction(const Case& c) {
  const std::string name = c.has("arg/reduction") ? c.text("arg/reduction") : "mean";
  if (name != "mean" && name != "sum") throw Error("no such reduction: " + name);
  return name == "sum" ? Reduction::sum : Reduction::mean;
}
template <class Case>
std::vector<double> numbers(const Case& c, const char* array) {
  if (!c.has(array)) return {};
  const auto read = c.template tensor<1>(array).to_vector();
  return {read.begin(), read.end()};
}

const OracleBlocks regression("losses.npz", {"mse", "l1", "smooth_l1", "huber", "rmse"});
const OracleBlocks classification("losses.npz", {"cross_entropy", "bce_with_logits", "nll"});
const OracleBlocks responses("losses.npz", {"kl_div", "hinton_kd", "dkd"});
const OracleBlocks contrast("losses.npz", {"cosine_embedding", "scd", "supcon", "info_nce", "triplet"});
// decided by the last bit of the labels in double
const OracleBlocks ranking("losses.npz", {"rank_n_contrast"}, {"rank_n_contrast/thirds_eps0"});
const OracleBlocks codes("losses.npz", {"vae_kl"});

}  // namespace

TEST_CASE("regression losses: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(regression, [](auto& c) {
    const auto compare = [&](const auto& prediction, const auto& target) {
      const std::string block = c.block();
      if (block == "mse") c.out("loss", mse_loss(prediction, target, {.reduction = reduction(c)}));
      if (block == "l1") c.out("loss", l1_loss(prediction, target, {.reduction = reduction(c)}));
      if (block == "smooth_l1")
        c.out("loss", smooth_l1_loss(prediction, target, {.beta = c.number("arg/beta"), .reduction = reduction(c)}));
      if (block == "huber")
        c.out("loss", huber_loss(prediction, target, {.delta = c.number("arg/delta"), .reduction = reduction(c)}));
      if (block == "rmse") c.out("loss", rmse_loss(prediction, target));
    };
    if (c.rank("in/pred") == 1) compare(c.template leaf<1>("in/pred"), c.template leaf<1>("in/target"));
    if (c.rank("in/pred") == 2) compare(c.template leaf<2>("in/pred"), c.template leaf<2>("in/target"));
    if (c.rank("in/pred") == 3) compare(c.template leaf<3>("in/pred"), c.template leaf<3>("in/target"));
  });
}

TEST_CASE("classification losses: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(classification, [](auto& c) {
    if (c.block() == "bce_with_logits")
      return c.out("loss",
                   binary_cross_entropy(c.template leaf<2>("in/logits"), c.template tensor<2>("in/target"),
                                        {.positive_weights = numbers(c, "in/pos_weight"), .reduction = reduction(c)}));
    const auto labels = c.integers("in/target");
    const index_t ignore = c.integer("arg/ignore_index");
    if (c.block() == "nll")
      return c.out("loss", nll_loss(c.template leaf<2>("in/log_prob"), labels,
                                    {.weights = numbers(c, "in/weight"), .ignore = ignore, .reduction = reduction(c)}));
    c.out("loss", cross_entropy(c.template leaf<2>("in/logits"), labels,
                                {.weights = numbers(c, "in/weight"),
                                 .smoothing = c.number("arg/smoothing"),
                                 .ignore = ignore,
                                 .reduction = reduction(c)}));
  });
}

TEST_CASE("response distillation: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(responses, [](auto& c) {
    const auto student = c.template leaf<2>("in/student"), teacher = c.template leaf<2>("in/teacher");
    const double temperature = c.number("arg/temperature");
    if (c.block() == "kl_div") return c.out("loss", kl_divergence(student, teacher, {temperature}));
    if (c.block() == "dkd")
      return c.out("loss", dkd_loss(student, teacher, c.integers("in/target"),
                                    {temperature, c.number("arg/alpha"), c.number("arg/beta")}));
    if (!c.has("in/target")) return c.out("loss", hinton_kd_loss(student, teacher, {.temperature = temperature}));
    c.out("loss", hinton_kd_loss(student, teacher, c.integers("in/target"), {temperature, c.number("arg/alpha")}));
  });
}

TEST_CASE("contrastive losses: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(contrast, [](auto& c) {
    const std::string block = c.block();
    const auto in = [&](const char* name) { return c.template leaf<2>(name); };
    if (block == "cosine_embedding")
      c.out("loss", cosine_embedding_loss(in("in/x1"), in("in/x2"), c.integers("in/target"), {c.number("arg/margin")}));
    if (block == "scd")
      c.out("loss", scd_loss(in("in/hs"), in("in/ht"),
                             {c.number("arg/margin"), c.text("arg/normalize") == "l2", reduction(c)}));
    if (block == "supcon")
      c.out("loss", supcon_loss(in("in/features"), c.integers("in/target"),
                                {c.number("arg/temperature"), c.flag("arg/normalize")}));
    if (block == "info_nce")
      c.out("loss", info_nce_loss(in("in/x1"), in("in/x2"), {c.number("arg/temperature"), c.flag("arg/symmetric")}));
    if (block == "triplet")
      c.out("loss", triplet_loss(in("in/anchor"), in("in/positive"), in("in/negative"),
                                 {c.number("arg/margin"), c.flag("arg/swap"), c.number("arg/eps")}));
  });
}

TEST_CASE("rank_n_contrast: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(ranking, [](auto& c) {
    c.out("loss", rank_n_contrast(c.template leaf<2>("in/features"), c.template tensor<1>("in/target"),
                                  {c.number("arg/tau"), c.number("arg/eps")}));
  });
}

TEST_CASE("vae_kl_loss: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(codes, [](auto& c) {
    const std::string name = c.text("arg/reduction");
    const CodeReduction how = name == "sum"    ? CodeReduction::sum
                              : name == "mean" ? CodeReduction::mean
                                               : CodeReduction::batch_mean;
    c.out("loss", vae_kl_loss(c.template leaf<2>("in/mu"), c.template leaf<2>("in/logvar"), {how}));
  });
}

TEST_CASE("losses.npz: every case has a test" * doctest::skip(!test::have_oracle())) {
  const auto left = test::uncovered_cases("losses.npz");
  for (const std::string& name : left) CHECK_MESSAGE(false, name << " is compared by no test");
  CHECK(left.empty());
}
