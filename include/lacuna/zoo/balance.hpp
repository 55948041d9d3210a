/// Classes of unequal size: when a recipe that leaves it to the data balances them, and which shares its answers assume.
///
///     zoo::imbalance({0.8, 0.15, 0.05})                       // 16: the largest class has 16 times the smallest
///     zoo::Training training{.balance = zoo::Balance::automatic};
///     zoo::settle_balance(training, {0.8, 0.15, 0.05}, {});   // weights, select_on = uar, and the line that says so
///
/// Shares are those of the training split, the only one that is looked at; a class without samples counts nowhere. Of real
/// labels there are none, and automatic is none. Errors are OptionError.
#pragma once

#include <algorithm>
#include <span>

#include "lacuna/core/number_text.hpp"
#include "lacuna/train/calibration.hpp"
#include "lacuna/zoo/registry.hpp"
#include "lacuna/zoo/training.hpp"

namespace lacuna::zoo {

/// Beyond it automatic balances. At 3 a model that always answers with the largest of two classes has an accuracy of
/// 75 %, and an unweighted recall of 50.
inline constexpr double imbalance_limit = 3;

/// The largest share over the smallest; 1 without classes.
inline double imbalance(std::span<const double> shares) {
  double low = 0, high = 0;
  for (const double share : shares) {
    if (!(share > 0)) continue;
    low = low == 0 ? share : std::min(low, share);
    high = std::max(high, share);
  }
  return low > 0 ? high / low : 1;
}

/// Balance::automatic becomes what it stands for. What the user has set, `given`, stays: an order or a metric of selection.
/// Returns the line that says what was decided; empty where nothing was.
inline std::string settle_balance(Training& training, const std::vector<double>& shares, const Settings& given) {
  if (training.balance != Balance::automatic) return {};
  training.balance = Balance::none;
  const double ratio = imbalance(shares);
  if (!(ratio > imbalance_limit)) return {};
  const auto set = [&](const char* option) {
    return std::any_of(given.begin(), given.end(), [&](const auto& one) { return one.first == option; });
  };
  if (!set("order")) training.balance = training.balance_by;
  if (!set("select_on")) training.fit.select_on = "uar";
  std::string line = "the largest class has " + detail::general_text(ratio, 3) + " times the samples of the smallest: ";
  line += training.balance == Balance::weights   ? "classes weigh alike in the loss (balance=weights), "
          : training.balance == Balance::samples ? "classes are drawn alike (balance=samples), "
                                                 : "";
  return line + "the epoch is chosen by " + training.fit.select_on + "; balance=none trains them as they are";
}

/// `text`: training, uniform, or K numbers with / between. Throws OptionError for another number of them, one that is
/// not positive, and classes without training samples.
inline std::vector<double> shares_from(const std::string& text, const std::vector<double>& training) {
  if (training.empty())
    throw OptionError("prior = " + text +
                      ": needs classes and their shares in the training split; real labels have none");
  std::vector<double> shares = training;
  if (text == "uniform") {
    std::fill(shares.begin(), shares.end(), 1.0);
  } else if (text != "training") {
    set_value("prior", text, shares);
    if (shares.size() != training.size())
      throw OptionError(
          detail::cat("prior = ", text, ": ", shares.size(), " shares for ", training.size(), " classes"));
  }
  double sum = 0;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    if (!(shares[k] > 0) || !std::isfinite(shares[k]) || !(training[k] > 0))
      throw OptionError(detail::cat("prior = ", text, ": class ", k, " has the share ", shares[k], ", in training ",
                                    training[k], "; expected both above 0"));
    sum += shares[k];
  }
  for (double& share : shares) share /= sum;
  return shares;
}

/// What `training` asks to be made of class probabilities.
inline train::CalibrationOptions calibration_options(const Training& training, const Request& request) {
  train::CalibrationOptions options{.temperature = training.temperature, .assumed = request.prior};
  if (training.temperature && request.classes == 0)
    throw OptionError("temperature: calibrates probabilities of classes; real labels have none");
  if (training.balance == Balance::weights || training.balance == Balance::samples ||
      training.fit.order == train::Order::balanced) {
    const auto weights = request.prior.empty() ? request.prior : Training::balanced_weights(request.prior);
    for (std::size_t k = 0; k < weights.size(); ++k) options.assumed[k] *= weights[k];  // equal shares
  }
  if (!training.prior.empty()) options.prior = shares_from(training.prior, request.prior);
  return options;
}

}  // namespace lacuna::zoo
