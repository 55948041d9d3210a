/// Rows of tests/ops.hpp: losses over the pairs of a batch: contrastive, relational, prototypes, information,
/// alignment.
#pragma once

#include "lacuna/losses/alignment.hpp"
#include "lacuna/losses/contrastive.hpp"
#include "lacuna/losses/mutual_information.hpp"
#include "lacuna/losses/prototype.hpp"
#include "lacuna/losses/relational.hpp"
#include "lacuna/models/corrkd/critic.hpp"
#include "support/loss_cases.hpp"
#include "support/pair_critic.hpp"

namespace lacuna::test {

template <bool Symmetric>
struct InfoNceProblem {
  static constexpr const char* name = Symmetric ? "info_nce_loss" : "info_nce_loss, one way";
  static BatchProblem problem() { return {{3, 3}}; }
  static std::vector<Case> more() { return {batch_case({{40, 40}}, "wide", 3)}; }
  static auto call(const auto& in) {
    return info_nce_loss(in.template leaf<2>(0), in.template leaf<2>(1), {0.3, Symmetric}, in.template mask<1>(0));
  }
};
/// A singleton class among the labels; more: one class, all different.
template <bool Unit>
struct SupConProblem {
  static constexpr const char* name = Unit ? "supcon_loss" : "supcon_loss, raw";
  static BatchProblem problem() { return {{3}, {0, 2, 0, 0, 5}}; }
  static std::vector<Case> more() {
    return {batch_case({{3}, {1, 1, 1, 1, 1}}, "one class", 4), batch_case({{3}, {1, 2, 3, 4, 5}}, "no positives", 4)};
  }
  static auto call(const auto& in) {
    return supcon_loss(in.template leaf<2>(0), labels_of(in), {0.4, Unit}, in.template mask<1>(0));
  }
};
struct NtXentProblem {
  static constexpr const char* name = "nt_xent_loss";
  static BatchProblem problem() { return {{3, 3}}; }
  static auto call(const auto& in) {
    return nt_xent_loss(in.template leaf<2>(0), in.template leaf<2>(1), {0.4}, in.template mask<1>(0));
  }
};
template <bool Swap>
struct TripletProblem {
  static constexpr const char* name = Swap ? "triplet_loss, swap" : "triplet_loss";
  static BatchProblem problem() { return {{3, 3, 3}}; }
  static std::vector<Case> more() { return {batch_case({{40, 40, 40}}, "wide", 3)}; }
  static auto call(const auto& in) {
    return triplet_loss(in.template leaf<2>(0), in.template leaf<2>(1), in.template leaf<2>(2), {1, Swap},
                        in.template mask<1>(0));
  }
};
struct CosineEmbeddingProblem {
  static constexpr const char* name = "cosine_embedding_loss";
  static BatchProblem problem() { return {{3, 3}, {1, -1, 1, -1, -1}}; }
  static std::vector<Case> more() { return {batch_case({{40, 40}, {1, -1, 1, -1, -1}}, "wide", 3)}; }
  static auto call(const auto& in) {
    return cosine_embedding_loss(in.template leaf<2>(0), in.template leaf<2>(1), labels_of(in), {0.1},
                                 in.template mask<1>(0));
  }
};
template <bool Unit>
struct ScdProblem {
  static constexpr const char* name = Unit ? "scd_loss of unit rows, sum" : "scd_loss";
  static BatchProblem problem() { return {{3, 3}}; }
  static std::vector<Case> more() { return {batch_case({{40, 40}}, "wide", 3)}; }
  static auto call(const auto& in) {
    return scd_loss(in.template leaf<2>(0), in.template leaf<2>(1),
                    {1.5, Unit, Unit ? Reduction::sum : Reduction::mean}, in.template mask<1>(0));
  }
};

/// Student and teacher of other widths.
struct RkdDistanceProblem {
  static constexpr const char* name = "rkd_distance_loss";
  static BatchProblem problem() { return {{3, 4}}; }
  static std::vector<Case> more() { return {batch_case({{40, 33}}, "wide", 4)}; }
  static auto call(const auto& in) {
    return rkd_distance_loss(in.template leaf<2>(0), in.template leaf<2>(1), in.template mask<1>(0));
  }
};
struct RkdAngleProblem {
  static constexpr const char* name = "rkd_angle_loss";
  static BatchProblem problem() { return {{3, 4}}; }
  static std::vector<Case> more() { return {batch_case({{40, 33}}, "wide", 4)}; }
  static auto call(const auto& in) {
    return rkd_angle_loss(in.template leaf<2>(0), in.template leaf<2>(1), in.template mask<1>(0));
  }
};
struct SimilarityProblem {
  static constexpr const char* name = "similarity_preserving_loss";
  static BatchProblem problem() { return {{3, 4}}; }
  static auto call(const auto& in) {
    return similarity_preserving_loss(in.template leaf<2>(0), in.template leaf<2>(1), in.template mask<1>(0));
  }
};
/// Class 1 of 4 never occurs, class 3 has one sample.
template <int Power>
struct CpdProblem {
  static constexpr const char* name = Power == 1 ? "cpd_loss, power 1" : "cpd_loss";
  static BatchProblem problem() { return {{3, 4}, {0, 2, 3, 0, 2}}; }
  static std::vector<Case> more() {
    return {batch_case({{3, 4}, {1, 1, 1, 1, 1}}, "one class", 4),
            batch_case({{3, 4}, {0, 1, 1, 0, 1}}, "two classes", 5),
            batch_case({{40, 33}, {0, 2, 3, 0, 2}}, "wide", 5)};
  }
  static auto call(const auto& in) {
    return cpd_loss(in.template leaf<2>(0), in.template leaf<2>(1), labels_of(in), 4, {.power = Power},
                    in.template mask<1>(0));
  }
};

/// A PairCritic with tanh: among thousands of rectified pairs some sit at their kink, where differences say nothing.
template <class T, class D>
struct SmoothCritic : PairCritic<T, D> {
  using PairCritic<T, D>::PairCritic;
  Variable<T, 2, D> operator()(const Variable<T, 2, D>& q, const Variable<T, 2, D>& u) const {
    const auto hidden = this->middle(this->in(lacuna::detail::all_pairs(q, u), Activation::tanh), Activation::tanh);
    return reshape(this->out(hidden), std::array<index_t, 2>{q.extent(0), q.extent(0)});
  }
};

/// Leaves: student, teacher, critics.
template <bool Logarithm>
struct RcdProblem {
  static constexpr const char* name = Logarithm ? "rcd_loss of logarithms" : "rcd_loss";
  static BatchProblem problem_of(index_t classes) {
    BatchProblem p{{classes, classes}, {0, 1, 1, 0, 1}};
    if (classes > 2) p.labels = {0, 2, 2, 0, 2};  // class 1 does not occur
    for (const index_t width : {index_t(2), 2 * classes - 2})
      for (const Shape& shape : {Shape{4, width}, Shape{4}, Shape{4, 4}, Shape{4}, Shape{1, 4}, Shape{1}})
        p.parameters.push_back(shape);
    return p;
  }
  static BatchProblem problem() { return problem_of(3); }
  static std::vector<Case> more() { return {batch_case(problem_of(2), "two classes", 4)}; }
  static auto call(const auto& in) {
    using Plain = std::decay_t<decltype(in)>;
    using Critic = SmoothCritic<typename Plain::scalar, typename Plain::device>;
    const auto student = in.template leaf<2>(0);
    Random random(1);
    Critic target({1, 1, 4}, random), rest({student.extent(1) - 1, student.extent(1) - 1, 4}, random);
    seat(target, in, 2);
    seat(rest, in, 8);
    return rcd_loss(student, in.template leaf<2>(1), labels_of(in), target, rest,
                    {1.5, Logarithm ? ResponseSpace::log_probability : ResponseSpace::probability,
                     /*renormalize=*/Logarithm && student.extent(1) > 2},
                    in.template mask<1>(0))
        .loss;
  }
};
/// Scores of all pairs; sample 1 absent: its row and its column.
struct JsdRow {
  static constexpr const char* name = "jsd_mutual_information";
  static std::vector<Case> cases() {
    return {{.name = "all", .leaves = {{4, 4}}, .low = -3, .high = 3},
            {.name = "one absent",
             .leaves = {{3, 3}},
             .masks = {{{3}, {1, 0, 1}}},
             .absent = {{0, {1}}, {0, {0, 1}}, {0, {2, 1}}}},
            {.name = "all absent", .leaves = {{2, 2}}, .masks = {{{2}, {0, 0}}}, .absent = {{0, {}}}},
            {.name = "one pair", .leaves = {{1, 1}}},
            {.name = "empty", .leaves = {{0, 0}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{150, 150}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(jsd_mutual_information(in.template leaf<2>(0), in.template mask<1>(0)))};
  }
};
/// Scores of all pairs, of which every row keeps one off the diagonal.
struct ShuffledPairsRow {
  static constexpr const char* name = "ShuffledPairs";
  static std::vector<Case> cases() {
    return {{.name = "several", .leaves = {{4, 4}}},
            {.name = "two", .leaves = {{2, 2}}},
            {.name = "one pair", .leaves = {{1, 1}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{150, 150}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto scores = in.template leaf<2>(0);
    const auto critic = [&](const auto&, const auto&) { return scores; };
    Random random(5);
    return {flat(models::ShuffledPairs<decltype(critic)>{critic, &random}(scores, scores))};
  }
};
template <bool Symmetric>
struct IicProblem {
  static constexpr const char* name = Symmetric ? "iic_loss" : "iic_loss, plain";
  static BatchProblem problem() { return {{3, 3}}; }
  static std::vector<Case> more() {
    return {batch_case({{2, 2}}, "two classes", 5), batch_case({{1, 1}}, "one class", 3),
            batch_case({{35, 35}}, "many classes", 3)};
  }
  static auto call(const auto& in) {
    return iic_loss(in.template leaf<2>(0), in.template leaf<2>(1), {Symmetric}, in.template mask<1>(0));
  }
};

/// Two sets of other sizes, each with a mask.
inline std::vector<Case> two_sets() {
  return {{.name = "other sizes", .leaves = {{4, 3}, {6, 3}}},
          {.name = "absent in both",
           .leaves = {{4, 3}, {6, 3}},
           .masks = {{{4}, {1, 0, 1, 1}}, {{6}, {1, 1, 1, 0, 0, 1}}},
           .absent = {{0, {1}}, {1, {3}}, {1, {4}}}},
          {.name = "one set absent",
           .leaves = {{2, 3}, {4, 3}},
           .masks = {{{2}, {0, 0}}, {{4}, {1, 1, 1, 1}}},
           .absent = {{0, {}}}}};
}
struct CmdProblem {
  static constexpr const char* name = "cmd_loss";
  static BatchProblem problem() { return {{3, 3}}; }
  static std::vector<Case> more() { return two_sets(); }
  static auto call(const auto& in) {
    const auto second = in.template mask<1>(in.problem().masks.size() > 1 ? 1 : 0);
    return cmd_loss(in.template leaf<2>(0), in.template leaf<2>(1), {4, 2.0}, in.template mask<1>(0), second);
  }
};
struct CoralProblem {
  static constexpr const char* name = "coral_loss";
  static BatchProblem problem() { return {{3, 3}}; }
  static std::vector<Case> more() { return two_sets(); }
  static auto call(const auto& in) {
    const auto second = in.template mask<1>(in.problem().masks.size() > 1 ? 1 : 0);
    return coral_loss(in.template leaf<2>(0), in.template leaf<2>(1), in.template mask<1>(0), second);
  }
};
template <bool Unbiased>
struct MmdProblem {
  static constexpr const char* name = Unbiased ? "mmd_loss, unbiased" : "mmd_loss";
  static BatchProblem problem() { return {{3, 3}}; }
  static std::vector<Case> more() { return two_sets(); }
  static auto call(const auto& in) {
    const auto second = in.template mask<1>(in.problem().masks.size() > 1 ? 1 : 0);
    return mmd_loss(in.template leaf<2>(0), in.template leaf<2>(1), {{0.7, 2.0}, Unbiased}, in.template mask<1>(0),
                    second);
  }
};
template <bool Normalize>
struct OrthogonalityProblem {
  static constexpr const char* name = Normalize ? "orthogonality_loss, normalised" : "orthogonality_loss";
  static BatchProblem problem() { return {{3, 4}}; }
  static auto call(const auto& in) {
    return orthogonality_loss(in.template leaf<2>(0), in.template leaf<2>(1), {Normalize}, in.template mask<1>(0));
  }
};

using ContrastRows =
    Rows<BatchLossRow<InfoNceProblem<true>>, BatchLossRow<InfoNceProblem<false>>, BatchLossRow<SupConProblem<true>>,
         BatchLossRow<SupConProblem<false>>, BatchLossRow<NtXentProblem>, BatchLossRow<TripletProblem<true>, 900>,
         BatchLossRow<TripletProblem<false>, 900>, BatchLossRow<CosineEmbeddingProblem, 900>,
         BatchLossRow<ScdProblem<true>>, BatchLossRow<ScdProblem<false>>>;
using RelationRows = Rows<BatchLossRow<RkdDistanceProblem>, BatchLossRow<RkdAngleProblem, 40>,
                          BatchLossRow<SimilarityProblem>, BatchLossRow<CpdProblem<1>>, BatchLossRow<CpdProblem<2>>,
                          BatchLossRow<RcdProblem<true>, 30>, BatchLossRow<RcdProblem<false>, 30>, JsdRow,
                          ShuffledPairsRow, BatchLossRow<IicProblem<true>, 600>, BatchLossRow<IicProblem<false>, 600>>;
using AlignmentRows =
    Rows<BatchLossRow<CmdProblem, 900>, BatchLossRow<CoralProblem, 900>, BatchLossRow<MmdProblem<true>>,
         BatchLossRow<MmdProblem<false>>, BatchLossRow<OrthogonalityProblem<true>, 900>,
         BatchLossRow<OrthogonalityProblem<false>, 900>>;
using BatchLossRows = Join<ContrastRows, RelationRows, AlignmentRows>;

}  // namespace lacuna::test
