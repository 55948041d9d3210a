/// Gradient hooks: functions that see, and may change, gradients between the backward pass and the step.
///
///     optim::GradientHooks<float> hooks;
///     hooks.add("text.*", [](const std::string& path, Array<float> gradient) { ... gradient.data() ... });
///     loss.backward();  hooks(optimizer.packed());  optimizer.step();
#pragma once

#include <memory>
#include <utility>

#include "lacuna/optim/groups.hpp"

namespace lacuna::optim {

template <class T = float, class D = Cpu>
class GradientHooks {
 public:
  /// f(path, gradient) for every parameter that matches the pattern (see groups.hpp). The array shares the gradient's
  /// memory.
  template <class F>
  void add(std::string pattern, F f) {
    hooks_.push_back({std::move(pattern), std::make_shared<Function<F>>(std::move(f))});
  }
  /// Runs all hooks, in the order they were added, on every parameter that has a gradient.
  void operator()(const Packed<T, D>& packed) const {
    for (const auto& hook : hooks_)
      for (const auto& segment : packed.segments)
        if (segment.node->has_gradient && path_matches(hook.pattern, segment.path))
          hook.function->call(segment.path, segment.node->gradient);
  }

 private:
  struct Callable {
    virtual ~Callable() = default;
    virtual void call(const std::string& path, Array<T, D> gradient) = 0;
  };
  template <class F>
  struct Function final : Callable {
    explicit Function(F f) : function(std::move(f)) {}
    void call(const std::string& path, Array<T, D> gradient) override { function(path, gradient); }
    F function;
  };
  struct Hook {
    std::string pattern;
    std::shared_ptr<Callable> function;
  };
  std::vector<Hook> hooks_;
};

}  // namespace lacuna::optim
