/// What a forward pass needs besides its inputs: training or inference, and where randomness comes from.
#pragma once

#include <string>
#include <vector>

#include "lacuna/core/random.hpp"
#include "lacuna/core/tensor.hpp"

namespace lacuna {

enum class Mode { inference, training };

/// Dropout factors given from outside, consumed in call order: replays a run of another program.
/// Each holds the factor per element, 0 or 1/(1-p).
class DropoutTape {
 public:
  struct Entry {
    std::string name;
    Array<double> factors;
  };
  explicit DropoutTape(std::vector<Entry> entries) : entries_(std::move(entries)) {}

  /// The next factors. Throws ShapeError when their size differs from what is asked, Error when the tape has ended.
  const Array<double>& next(const Shape& wanted) {
    if (position_ >= entries_.size())
      throw Error(
          detail::cat("dropout tape: ended after ", entries_.size(), " masks, one of shape ", wanted, " is asked for"));
    const Entry& entry = entries_[position_++];
    detail::expect_shape("dropout tape", entry.name.c_str(), entry.factors.shape(), wanted);
    return entry.factors;
  }
  bool finished() const { return position_ == entries_.size(); }

 private:
  std::vector<Entry> entries_;
  std::size_t position_ = 0;
};

/// What dropout does in a context: nothing; elements drawn from the random source; factors read from the tape.
enum class Dropout { none, drawn, recorded };

/// Passed to every module. A default context is inference: no dropout, no randomness.
struct Context {
  Mode mode = Mode::inference;
  Random* random = nullptr;  ///< needed for dropout in training, unless a tape is given
  DropoutTape* tape = nullptr;

  bool training() const { return mode == Mode::training; }
  /// What an operation that drops elements with probability p has to do. Every operation asks here, once per call.
  /// Throws OptionError, which names the operation, for p outside [0, 1) and for training without a source or a tape.
  Dropout dropout(double p, const char* operation = "dropout") const {
    if (!(p >= 0 && p < 1)) throw OptionError(detail::cat(operation, ": dropout ", p, " is outside [0, 1)"));
    if (!training() || p == 0) return Dropout::none;
    if (tape != nullptr) return Dropout::recorded;
    if (random == nullptr)
      throw OptionError(
          detail::cat(operation, ": training needs a random source; build the context with Context::train(random)"));
    return Dropout::drawn;
  }
  /// Whether a tape holds the factors of dropout: for those padded arrays, in that order, and no others.
  bool recorded() const { return tape != nullptr; }
  static Context train(Random& random) { return {Mode::training, &random, nullptr}; }
};

}  // namespace lacuna
