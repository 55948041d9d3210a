/// Rows of tests/ops.hpp: losses of differences, of class scores, and of responses.
#pragma once

#include "lacuna/losses/distillation.hpp"
#include "lacuna/losses/variational.hpp"
#include "support/loss_cases.hpp"

namespace lacuna::test {

/// Leaves: prediction, target.
struct L1Problem {
  static constexpr const char* name = "l1_loss";
  static BatchProblem problem() { return {{3, 3}}; }
  static auto call(const auto& in) {
    return l1_loss(in.template leaf<2>(0), in.template leaf<2>(1), {}, in.template mask<1>(0));
  }
};
struct SmoothL1Problem {
  static constexpr const char* name = "smooth_l1_loss";
  static BatchProblem problem() { return {{3, 3}}; }
  static auto call(const auto& in) {
    return smooth_l1_loss(in.template leaf<2>(0), in.template leaf<2>(1), {.beta = 0.6}, in.template mask<1>(0));
  }
};
struct HuberProblem {
  static constexpr const char* name = "huber_loss, sum";
  static BatchProblem problem() { return {{3, 3}}; }
  static auto call(const auto& in) {
    return huber_loss(in.template leaf<2>(0), in.template leaf<2>(1), {0.6, Reduction::sum}, in.template mask<1>(0));
  }
};

/// The mask covers frames: (B, T) of (B, T, F).
struct FrameMseRow {
  static constexpr const char* name = "mse_loss over present frames";
  static std::vector<Case> cases() {
    return {{.name = "lengths",
             .leaves = {{3, 4, 2}, {3, 4, 2}},
             .masks = {present_frames({4, 0, 2}, 4)},
             .absent = {{0, {1}}, {1, {1}}, {0, {2, 2}}, {0, {2, 3}}, {1, {2, 2}}, {1, {2, 3}}}},
            {.name = "no frames", .leaves = {{2, 0, 2}, {2, 0, 2}}, .masks = {present_frames({0, 0}, 0)}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{20, 50, 30}, {20, 50, 30}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(mse_loss(in.template leaf<3>(0), in.template leaf<3>(1), in.template mask<2>(0)))};
  }
};

/// Leaves: logits. Class 1 of 4 never occurs.
struct CrossEntropyProblem {
  static constexpr const char* name = "cross_entropy";
  static BatchProblem problem() { return {{4}, {0, 2, 3, 0, 2}}; }
  static std::vector<Case> more() {
    return {batch_case({{2}, {0, 1, 1, 0, 1}}, "two classes", 5),
            batch_case({{3}, {0, -1, 2, -1, 1}}, "ignored labels", 5),
            batch_case({{3}, {-1, -1, -1, -1, -1}}, "all ignored", 3),
            batch_case({{40}, {0, 39, 33, 2, 1}}, "many classes", 3)};
  }
  static auto call(const auto& in) {
    const index_t classes = in.template leaf<2>(0).extent(1);
    std::vector<double> weights{0.5, 2, 1.25, 0.75};
    weights.resize(std::size_t(classes));
    return cross_entropy(in.template leaf<2>(0), labels_of(in), {weights, 0.1, -1}, in.template mask<1>(0));
  }
};
struct NllProblem {
  static constexpr const char* name = "nll_loss";
  static BatchProblem problem() { return {{4}, {0, 2, 3, 0, 2}}; }
  static auto call(const auto& in) {
    return nll_loss(in.template leaf<2>(0), labels_of(in), {{0.5, 2, 1.25, 0.75}}, in.template mask<1>(0));
  }
};
/// Soft targets from the labels, so that those of absent samples are out of range.
struct BinaryCrossEntropyProblem {
  static constexpr const char* name = "binary_cross_entropy";
  static BatchProblem problem() { return {{2}, {0, 0.25, 1, 0.75, 0}}; }
  static auto call(const auto& in) {
    const auto x = in.template leaf<2>(0);
    const auto host = in.template constant<1>(0).to_vector();
    auto twice = host;
    twice.resize(2 * host.size());
    for (std::size_t i = 0; i < twice.size(); ++i) twice[i] = host[i / 2];
    auto target = x.value().clone();
    target.assign(twice);
    return binary_cross_entropy(x, target, {{2, 0.5}}, in.template mask<1>(0));
  }
};

/// Leaves: student, teacher.
struct KlProblem {
  static constexpr const char* name = "kl_divergence";
  static BatchProblem problem() { return {{4, 4}}; }
  static std::vector<Case> more() {
    return {batch_case({{2, 2}}, "two classes", 5), batch_case({{1, 1}}, "one class", 3),
            batch_case({{40, 40}}, "many classes", 3)};
  }
  static auto call(const auto& in) {
    return kl_divergence(in.template leaf<2>(0), in.template leaf<2>(1), {0.5}, in.template mask<1>(0));
  }
};
struct HintonProblem {
  static constexpr const char* name = "hinton_kd_loss";
  static BatchProblem problem() { return {{3, 3}, {0, 2, 1, 0, 2}}; }
  static auto call(const auto& in) {
    return hinton_kd_loss(in.template leaf<2>(0), in.template leaf<2>(1), labels_of(in), {2, 0.7},
                          in.template mask<1>(0));
  }
};
struct DkdProblem {
  static constexpr const char* name = "dkd_loss";
  static BatchProblem problem() { return {{4, 4}, {0, 2, 3, 0, 2}}; }
  static std::vector<Case> more() {
    return {batch_case({{2, 2}, {0, 1, 1, 0, 1}}, "two classes", 5),
            batch_case({{40, 40}, {0, 39, 33, 2, 1}}, "many classes", 3)};
  }
  static auto call(const auto& in) {
    return dkd_loss(in.template leaf<2>(0), in.template leaf<2>(1), labels_of(in), {0.5, 1.5, 2},
                    in.template mask<1>(0));
  }
};

/// Leaves: mu, log-variance.
struct VaeKlProblem {
  static constexpr const char* name = "vae_kl_loss";
  static BatchProblem problem() { return {{3, 3}}; }
  static auto call(const auto& in) {
    return vae_kl_loss(in.template leaf<2>(0), in.template leaf<2>(1), {}, in.template mask<1>(0));
  }
};

using ClassLossRows =
    Rows<BatchLossRow<L1Problem, 600>, BatchLossRow<SmoothL1Problem, 600>, BatchLossRow<HuberProblem, 600>, FrameMseRow,
         BatchLossRow<CrossEntropyProblem, 900>, BatchLossRow<NllProblem, 900>,
         BatchLossRow<BinaryCrossEntropyProblem, 900>, BatchLossRow<KlProblem, 900>, BatchLossRow<HintonProblem, 900>,
         BatchLossRow<DkdProblem, 900>, BatchLossRow<VaeKlProblem, 900>>;

}  // namespace lacuna::test
