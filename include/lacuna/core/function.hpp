/// A callable whose type is forgotten: std::function without its header, which costs every user compile time.
#pragma once

#include <concepts>
#include <memory>
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
  requires(!std::same_as<std::remove_cvref_t<F>, Function> &&
           std::is_invocable_r_v<R, const std::remove_cvref_t<F>&, A...>) Function(F&& function)
      : held_(std::make_shared<const Holder<std::remove_cvref_t<F>>>(std::forward<F>(function))) {}

  explicit operator bool() const { return held_ != nullptr; }
  R operator()(A... arguments) const { return held_->call(std::forward<A>(arguments)...); }

 private:
  struct Held {
    virtual ~Held() = default;
    virtual R call(A... arguments) const = 0;
  };
  template <class F>
  struct Holder final : Held {
    F function;
    template <class G>
    explicit Holder(G&& given) : function(std::forward<G>(given)) {}
    R call(A... arguments) const override {
      if constexpr (std::is_void_v<R>)
        function(std::forward<A>(arguments)...);
      else
        return function(std::forward<A>(arguments)...);
    }
  };
  std::shared_ptr<const Held> held_;
};

}  // namespace lacuna
