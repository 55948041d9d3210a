/// Several stored models as one: the mean of their answers, and how far they disagree.
///
///     const State file = zoo::ensemble_of({io::load_checkpoint("seed-1/model.lacuna"), ...});
///     io::save_checkpoint("mine.lacuna", file);             // Predictor::load takes it like any other
///
/// Real labels: the mean of the members' answers; deviation: their standard deviation, divided by E. Classes: the mean of their
/// probabilities (Lakshminarayanan, Pritzel & Blundell, NeurIPS 2017), each after its own calibration; the most probable class,
/// the first of equals; deviation: that of the probabilities of this class. Members may be different models; they must have
/// the same streams, sizes and classes. A sample of which nothing is present is the predictor's affair.
/// Embedding and attention: there is no common one. OptionError for members that do not fit, with what differs.
#pragma once

#include "lacuna/zoo/calibration.hpp"
#include "lacuna/zoo/registry.hpp"

namespace lacuna::zoo {

/// The registered name of all of them.
inline constexpr const char* ensemble_name = "ensemble";

class Ensemble : public AnyModel {
 public:
  struct Member {
    std::shared_ptr<const AnyModel> model;
    Calibration calibration;
  };

  explicit Ensemble(std::vector<Member> members) : members_(std::move(members)) {}

  Outputs operator()(const data::Batch<float>& batch, const Wanted& wanted) const override {
    if (wanted.embedding) throw Error("an ensemble has no embedding; ask one of its members");
    if (wanted.attention) throw Error("an ensemble has no attention weights; ask one of its members");
    const index_t size = batch.size(), width = std::max<index_t>(1, classes());
    Tensor<double, 2> sum = Tensor<double, 2>::zeros({size, width}), squares = Tensor<double, 2>::zeros({size, width});
    const Tensor<double, 2> first = answers(members_[0], batch);
    for (const Member& member : members_) {
      const Tensor<double, 2> some = answers(member, batch);
      for (index_t i = 0; i < some.size(); ++i) {
        const double from_first = some.data()[i] - first.data()[i];  // equal members have the deviation 0
        sum.data()[i] += from_first;
        squares.data()[i] += from_first * from_first;
      }
    }
    Outputs out;
    const double count = double(members_.size());
    for (index_t b = 0; b < size; ++b) {
      index_t best = 0;
      for (index_t k = 0; k < width; ++k)
        if (first(b, k) + sum(b, k) / count > first(b, best) + sum(b, best) / count) best = k;
      const double mean = sum(b, best) / count;
      out.values.push_back(classes() > 0 ? double(best) : first(b, 0) + mean);
      out.deviation.push_back(std::sqrt(std::max(0.0, squares(b, best) / count - mean * mean)));
    }
    if (!wanted.probabilities || classes() == 0) return out;
    for (index_t i = 0; i < sum.size(); ++i) sum.data()[i] = first.data()[i] + sum.data()[i] / count;
    out.probabilities = sum;
    return out;
  }
  index_t classes() const override { return members_[0].model->classes(); }
  /// What all members are meant for.
  std::vector<missing::MissingSpec> conditions(const std::vector<std::string>& names) const override {
    return members_[0].model->conditions(names);
  }
  index_t parameters() const override {
    index_t sum = 0;
    for (const Member& member : members_) sum += member.model->parameters();
    return sum;
  }
  std::size_t size() const { return members_.size(); }

 private:
  /// (B, 1) of real labels, (B, K) probabilities.
  static Tensor<double, 2> answers(const Member& member, const data::Batch<float>& batch) {
    const bool real = member.model->classes() == 0;
    Outputs out = (*member.model)(batch, {.probabilities = !real});
    if (real) return Tensor<double, 2>::from({batch.size(), 1}, {out.values.begin(), out.values.end()});
    member.calibration.apply(out.probabilities);
    return out.probabilities;
  }

  std::vector<Member> members_;
};

inline Calibration calibration_of(const State& state, std::size_t streams, index_t classes) {
  if (!state.contains("calibration/temperature")) return {};
  return Calibration::from(state.under("calibration"), streams, classes);
}

/// One file of several models. Throws OptionError where they cannot answer together, IoError for a state that is no model.
inline State ensemble_of(const std::vector<State>& members) {
  if (members.size() < 2) throw OptionError(detail::cat("ensemble: ", members.size(), " model, expected at least two"));
  Card all = card_of(members[0]);
  const std::string model = all.spec;
  for (const State& member : members) {
    const Card card = card_of(member);
    const auto demand = [&](bool same, const std::string& what) {
      if (!same)
        throw OptionError("ensemble: " + member.origin() + " has other " + what + " than " + members[0].origin());
    };
    if (card.model == ensemble_name) throw OptionError("ensemble: " + member.origin() + " is an ensemble itself");
    demand(card.streams == all.streams, "streams");
    demand(card.features == all.features, "feature sizes");
    demand(card.classes == all.classes, "classes");
    demand(card.class_names == all.class_names, "names of classes");
    if (card.spec != model) all.spec = "several models";
    for (std::size_t m = 0; m < card.may_be_missing.size(); ++m)
      all.may_be_missing[m] = std::uint8_t(all.may_be_missing[m] && card.may_be_missing[m]);
  }
  all.model = ensemble_name;
  all.spec = detail::cat("ensemble of ", members.size(), ": ", all.spec);
  State state;
  state.put("members", index_t(members.size()));
  for (std::size_t i = 0; i < members.size(); ++i)
    for (const char* part : {"model", "parameters", "about", "calibration"})
      state.put(detail::cat("member-", i, "/", part), members[i].under(part));
  state.put("lacuna", members[0].get<std::string>("lacuna"));
  return with_card(state, all);
}

/// A stored model or ensemble, on the host or on another device. Throws IoError.
inline std::shared_ptr<const AnyModel> load_model(const State& state, const std::string& device = "cpu") {
  const Card card = card_of(state);
  if (card.model != ensemble_name) return registry().load(state, device);
  const auto count = state.get<index_t>("members");
  if (count < 1) state.fail("members", detail::cat("is ", count, ", expected at least 1"));
  std::vector<Ensemble::Member> members;
  for (index_t i = 0; i < count; ++i) {
    const State member = state.under(detail::cat("member-", i));
    const Card own = card_of(member);
    if (own.model == ensemble_name || own.streams != card.streams || own.features != card.features ||
        own.classes != card.classes)
      member.fail("about/model", "does not fit the ensemble");
    members.push_back({registry().load(member, device), calibration_of(member, own.streams.size(), own.classes)});
  }
  return std::make_shared<Ensemble>(std::move(members));
}

}  // namespace lacuna::zoo
