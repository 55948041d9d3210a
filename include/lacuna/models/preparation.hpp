/// What can end a long preparation: the training of parts before a model's own (CorrKD's teacher, MMIN's encoders,
/// SDUMC's decoder).
///
/// `prepare(data, random, watch)` calls `watch` before each of its steps; ending is an exception, because a model that
/// is prepared by half is of no use. The model it leaves must be prepared again from its start.
#pragma once

#include <concepts>
#include <type_traits>

#include "lacuna/core/error.hpp"

namespace lacuna::models {

/// Thrown when a preparation is stopped on request before it is done; not a failure.
class Stopped : public Error {
 public:
  Stopped() : Error("stopped while the model was being prepared; it has to be prepared anew") {}
};

/// Called before every step; throws Stopped to end. Empty: nobody watches. Refers to what it was made of, which must
/// outlive the preparation.
class Watch {
 public:
  Watch() = default;
  template <class F>
  requires(!std::same_as<F, Watch> && std::is_invocable_v<const F&>) Watch(const F& body)
      : body_(&body), call_([](const void* given) { (*static_cast<const F*>(given))(); }) {}

  explicit operator bool() const { return call_ != nullptr; }
  void operator()() const { call_(body_); }

 private:
  const void* body_ = nullptr;
  void (*call_)(const void*) = nullptr;
};

/// fetch(samples), watched: every step of a preparation begins with it.
template <class Fetch>
auto watched(const Watch& watch, Fetch fetch) {
  return [&watch, fetch](const auto& samples) {
    if (watch) watch();
    return fetch(samples);
  };
}

}  // namespace lacuna::models
