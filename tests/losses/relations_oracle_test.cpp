/// Losses of relations, prototypes, information and alignment against the oracle.
#include <doctest/doctest.h>

#include "lacuna/losses/alignment.hpp"
#include "lacuna/losses/mutual_information.hpp"
#include "lacuna/losses/prototype.hpp"
#include "lacuna/losses/relational.hpp"
#include "support/oracle.hpp"
#include "support/pair_critic.hpp"

namespace {

using namespace lacuna;
using test::OracleBlocks;

/// The critic of arrays par/<prefix>w1 ... b3.
template <class Case, class T = typename std::decay_t<Case>::scalar>
test::PairCritic<T> critic_of(Case& c, const std::string& prefix) {
  const std::string par = "par/" + prefix;
  Random random(1);
  const index_t hidden = c.shape(par + "w1")[0], width = c.shape(par + "w1")[1];
  test::PairCritic<T> critic({.first = width, .second = 0, .hidden = hidden}, random);
  c.seat(par + "w1", critic.in.weight);
  c.seat(par + "b1", critic.in.bias);
  c.seat(par + "w2", critic.middle.weight);
  c.seat(par + "b2", critic.middle.bias);
  c.seat(par + "w3", critic.out.weight);
  c.seat(par + "b3", critic.out.bias);
  return critic;
}

/// F_ij = 4⟨q_i, u_j⟩ − 1: the product as a linear layer whose weight is u.
struct InnerProductCritic {
  template <class T>
  Variable<T, 2> operator()(const Variable<T, 2>& q, const Variable<T, 2>& u) const {
    const auto minus = Variable<T, 1>(Tensor<T, 1>::full({u.extent(0)}, T(-1)));
    return linear(scale(q, 4.0), u, minus);
  }
};

const OracleBlocks relations("losses.npz", {"rkd_distance", "rkd_angle", "similarity_preserving", "cpd"});
const OracleBlocks information("losses.npz", {"jsd_mi", "rcd", "iic"});
const OracleBlocks alignment("losses.npz", {"cmd", "coral", "mmd", "orthogonality"});

}  // namespace

TEST_CASE("relational losses: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(relations, [](auto& c) {
    const std::string block = c.block();
    const auto in = [&](const char* name) { return c.template leaf<2>(name); };
    if (block == "rkd_distance") c.out("loss", rkd_distance_loss(in("in/student"), in("in/teacher")));
    if (block == "rkd_angle") c.out("loss", rkd_angle_loss(in("in/student"), in("in/teacher")));
    if (block == "similarity_preserving") c.out("loss", similarity_preserving_loss(in("in/student"), in("in/teacher")));
    if (block != "cpd") return;
    const std::string mean = c.text("arg/denominator");
    REQUIRE((mean == "present" || mean == "all"));
    c.out("loss", cpd_loss(in("in/hs"), in("in/ht"), c.integers("in/target"), c.integer("arg/classes"),
                           {.power = int(c.integer("arg/power")),
                            .mean = mean == "all" ? PrototypeMean::all_classes : PrototypeMean::present_classes,
                            .detach_prototypes = c.flag("arg/detach_prototypes"),
                            .epsilon = c.number("arg/eps")}));
  });
}

TEST_CASE("mutual information: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(information, [](auto& c) {
    const std::string block = c.block();
    const auto in = [&](const char* name) { return c.template leaf<2>(name); };
    if (block == "iic") return c.out("loss", iic_loss(in("in/student"), in("in/teacher"), {c.flag("arg/symmetric")}));
    if (block == "jsd_mi") {
      if (c.has("in/scores")) return c.out("loss", -1.0 * jsd_mutual_information(in("in/scores")));
      return c.out("loss", -1.0 * jsd_mutual_information(critic_of(c, ""), in("in/q"), in("in/u")));
    }
    const std::string space = c.text("arg/space");
    REQUIRE((space == "prob" || space == "log_prob"));
    REQUIRE(c.shape("in/student")[1] == c.integer("arg/classes"));
    const RcdOptions options{.temperature = c.number("arg/temperature"),
                             .space = space == "prob" ? ResponseSpace::probability : ResponseSpace::log_probability};
    const auto compare = [&](const auto& target, const auto& rest) {
      const auto result = rcd_loss(in("in/student"), in("in/teacher"), c.integers("in/target"), target, rest, options);
      c.out("loss", result.loss);
      c.out("mi_target", result.target_information);
      c.out("mi_nontarget", result.rest_information);
    };
    if (c.has("par/t_w1")) return compare(critic_of(c, "t_"), critic_of(c, "n_"));
    compare(InnerProductCritic{}, InnerProductCritic{});
  });
}

TEST_CASE("alignment losses: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(alignment, [](auto& c) {
    const std::string block = c.block();
    const auto in = [&](const char* name) { return c.template leaf<2>(name); };
    if (block == "cmd")
      c.out("loss", cmd_loss(in("in/x"), in("in/y"), {int(c.integer("arg/moments")), c.number("arg/span")}));
    if (block == "coral") c.out("loss", coral_loss(in("in/x"), in("in/y")));
    if (block == "mmd") {
      const auto widths = c.template tensor<1>("arg/bandwidths").to_vector();
      c.out("loss", mmd_loss(in("in/x"), in("in/y"), {{widths.begin(), widths.end()}, c.flag("arg/unbiased")}));
    }
    if (block == "orthogonality") c.out("loss", orthogonality_loss(in("in/a"), in("in/b"), {c.flag("arg/normalized")}));
  });
}
