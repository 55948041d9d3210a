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

/// Passed to every module. A default context is inference: no dropout, no randomness.
struct Context {
  Mode mode = Mode::inference;
  Random* random = nullptr;  ///< needed for dropout in training, unless a tape is given
  DropoutTape* tape = nullptr;

  bool training() const { return mode == Mode::training; }
  static Context train(Random& random) { return {Mode::training, &random, nullptr}; }
};

}  // namespace lacuna
