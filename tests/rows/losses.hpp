/// Rows of tests/ops.hpp: losses of SDUMC.
#pragma once

#include "lacuna/losses/distillation.hpp"
#include "lacuna/losses/ranking.hpp"
#include "lacuna/losses/regression.hpp"
#include "support/rows.hpp"

namespace lacuna::test {

/// Losses between two equal shapes (B, F) with a mask over samples.
struct PairLossCases {
  static std::vector<Case> cases() {
    return {{.name = "several samples", .leaves = {{4, 3}, {4, 3}}},
            {.name = "one sample absent",
             .leaves = {{4, 3}, {4, 3}},
             .masks = {{{4}, {1, 0, 1, 1}}},
             .absent = {{0, {1}}, {1, {1}}}},
            {.name = "all absent", .leaves = {{2, 3}, {2, 3}}, .masks = {{{2}, {0, 0}}}, .absent = {{0, {}}, {1, {}}}},
            {.name = "batch of one", .leaves = {{1, 1}, {1, 1}}},
            {.name = "no numbers", .leaves = {{2, 0}, {2, 0}}},
            {.name = "empty batch", .leaves = {{0, 3}, {0, 3}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{600, 70}, {600, 70}}}}; }
};

struct MseLossRow : PairLossCases {
  static constexpr const char* name = "mse_loss";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(mse_loss(in.template leaf<2>(0), in.template leaf<2>(1), in.template mask<1>(0)))};
  }
};

struct RmseLossRow : PairLossCases {
  static constexpr const char* name = "rmse_loss";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(rmse_loss(in.template leaf<2>(0), in.template leaf<2>(1), in.template mask<1>(0)))};
  }
};

/// constant: labels (n). numbers: {temperature, slack}.
struct RankNContrastRow {
  static constexpr const char* name = "rank_n_contrast";
  static std::vector<Case> cases() {
    return {{.name = "ties", .leaves = {{5, 3}}, .constants = {{{5}, {1, -2, 0.5, 1, 0}}}, .numbers = {2, 1e-4}},
            {.name = "labels inside the slack",
             .leaves = {{4, 3}},
             .constants = {{{4}, {1, 1.25, 0.5, -1}}},
             .numbers = {0.5, 0.3}},
            {.name = "one sample absent",
             .leaves = {{5, 3}},
             .masks = {{{5}, {1, 1, 0, 1, 1}}},
             .constants = {{{5}, {1, -2, 0.5, 1, 0}}},
             .absent = {{0, {2}}}},
            {.name = "one sample left: nothing to rank",
             .leaves = {{3, 2}},
             .masks = {{{3}, {0, 1, 0}}},
             .constants = {{{3}, {1, 2, 3}}},
             .absent = {{0, {}}}},
            {.name = "two samples", .leaves = {{2, 3}}, .constants = {{{2}, {1, -1}}}},
            {.name = "batch of one", .leaves = {{1, 3}}, .constants = {{{1}, {1}}}},
            {.name = "empty batch", .leaves = {{0, 3}}, .constants = {{{0}}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{90, 33}}, .constants = {{{90}}}}}; }
  static std::vector<Case> medium() { return {{.name = "medium", .leaves = {{70, 5}}, .constants = {{{70}}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {
        flat(rank_n_contrast(in.template leaf<2>(0), in.template constant<1>(0),
                             {.temperature = in.number(0, 2), .slack = in.number(1, 1e-4)}, in.template mask<1>(0)))};
  }
};

/// Two views of each sample. masks: present in the first, in the second.
struct TwoViewRankNContrastRow {
  static constexpr const char* name = "rank_n_contrast of two views";
  static std::vector<Case> cases() {
    return {{.name = "two views", .leaves = {{3, 2}, {3, 2}}, .constants = {{{3}, {1, -2, 0.5}}}},
            {.name = "one sample without its first view",
             .leaves = {{3, 2}, {3, 2}},
             .masks = {{{3}, {1, 0, 1}}, {{3}, {1, 1, 1}}},
             .constants = {{{3}, {1, -2, 0.5}}},
             .absent = {{0, {1}}}},
            {.name = "batch of one: equal labels", .leaves = {{1, 2}, {1, 2}}, .constants = {{{1}, {1}}}},
            {.name = "empty batch", .leaves = {{0, 2}, {0, 2}}, .constants = {{{0}}}}};
  }
  static std::vector<Case> large() {
    return {{.name = "large", .leaves = {{48, 33}, {48, 33}}, .constants = {{{48}}}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(rank_n_contrast(in.template leaf<2>(0), in.template leaf<2>(1), in.template constant<1>(0), {},
                                 in.template mask<1>(0), in.template mask<1>(1)))};
  }
};

using LossRows = Rows<MseLossRow, RmseLossRow, RankNContrastRow, TwoViewRankNContrastRow>;

}  // namespace lacuna::test
