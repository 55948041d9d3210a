/// A callable whose type is forgotten: std::function for those who compile many of them. It asks the standard library for
/// nothing that depends on the callable's type, and takes a fraction of std::function's header and instantiations.
///
///     const Function<double(double)> half = [](double x) { return x / 2; };
#pragma once

#include <atomic>
#include <concepts>
#include <type_traits>
#include <utility>

namespace lacuna {

template <class Signature>
class Function;

/// Copies share what they call. Empty until something is put in; calling an empty one is undefined.
template <class R, class... A>
class Function<R(A...)> {
 public:
  Function() = default;
  template <class F>
  requires(!std::same_as<std::decay_t<F>, Function> &&
           requires(const std::decay_t<F>& f, A&&... arguments) { static_cast<R>(f(std::forward<A>(arguments)...)); })
      Function(F&& function)
      : held_(new Holder<std::decay_t<F>>(std::forward<F>(function))) {}
  Function(const Function& other) : held_(other.held_) {
    if (held_) held_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Function(Function&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  Function& operator=(Function other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~Function() {
    if (held_ && held_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete held_;
  }

  explicit operator bool() const { return held_ != nullptr; }
  R operator()(A... arguments) const { return held_->call(std::forward<A>(arguments)...); }

 private:
  struct Held {
    virtual ~Held() = default;
    virtual R call(A... arguments) const = 0;
    std::atomic<long> references{1};
  };
  template <class F>
  struct Holder final : Held {
    F function;
    template <class G>
    explicit Holder(G&& given) : function(std::forward<G>(given)) {}
    R call(A... arguments) const override { return static_cast<R>(function(std::forward<A>(arguments)...)); }
  };
  Held* held_ = nullptr;
};

}  // namespace lacuna
