/// One protocol for everything that has named fields: a module names its parameters, options what a user may set, scores
/// their numbers, a card what a checkpoint says. The list is written once, as
///
///     struct HeadOptions {
///       index_t hidden = 32;
///       double dropout = 0.1;
///       static void reflect(auto& self, auto&& visit) {
///         visit("hidden", self.hidden, Facts{.help = "size of the hidden layer", .range = Range::at_least(1)});
///         visit("dropout", self.dropout, Facts{.range = Range::half_open(0, 1)});
///       }
///     };
///
/// and read by command lines and configuration files, help, checkpoints and checks:
///
///     for_each_field(options, [](const char* name, const auto& value) { std::cout << name << ' ' << value << '\n'; });
///     check_fields("head", options);      // OptionError "head: hidden is 0, expected at least 1"
///     state.put_fields(options);          // core/state.hpp; get_fields takes them back
///
/// `Facts` may be left out. A struct visits the fields of a member as its own by `Inner::reflect(self.inner, visit)`;
/// all names of a struct differ.
#pragma once

#include <initializer_list>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/number_text.hpp"

namespace lacuna {

/// The numbers that a field may hold: `least` to `most`, without them where that is said. NaN and infinity are never in
/// it.
struct Range {
  double least = std::numeric_limits<double>::lowest(), most = std::numeric_limits<double>::max();
  bool without_least = false, without_most = false;

  bool contains(double x) const {
    return (without_least ? x > least : x >= least) && (without_most ? x < most : x <= most);
  }
  bool unlimited() const { return least == Range().least && most == Range().most; }
  /// "at least 1", "above 0", "0..1", "at least 0, below 1"
  std::string text() const {
    const std::string low = detail::general_text(least, 6), high = detail::general_text(most, 6);
    if (!without_least && !without_most && most < Range().most) return low + ".." + high;
    const std::string from = (without_least ? "above " : "at least ") + low;
    return most == Range().most ? from : from + (without_most ? ", below " : ", at most ") + high;
  }

  static Range at_least(double least) { return {.least = least}; }
  static Range above(double least) { return {.least = least, .without_least = true}; }
  /// least <= x <= most
  static Range between(double least, double most) { return {.least = least, .most = most}; }
  /// least <= x < most
  static Range half_open(double least, double most) { return {.least = least, .most = most, .without_most = true}; }
};

/// What is known of a field besides its name and type.
struct Facts {
  const char* help = "";  ///< one line for a command's help
  Range range = {};
  std::initializer_list<const char*> choices = {};  ///< the values of an enumeration by name, in their order
};

namespace detail {

/// Accepts any field: nvcc takes no lambda inside a requires-expression.
struct FieldProbe {
  void operator()(const char*, const auto&) const {}
  void operator()(const char*, const auto&, const Facts&) const {}
};

/// Calls f with the facts where f wants them, without them where it does not.
template <class F>
struct FieldVisitor {
  F& f;
  template <class Member>
  void operator()(const char* name, Member& member, const Facts& facts = {}) const {
    if constexpr (requires { f(name, member, facts); })  // std::is_invocable_v takes the compiler several times as long
      f(name, member, facts);
    else
      f(name, member);
  }
};

template <class V>
inline constexpr bool is_number_list = false;
template <class E>
inline constexpr bool is_number_list<std::vector<E>> = std::is_arithmetic_v<E>;

}  // namespace detail

/// Names its fields: has a static member reflect(self, visit).
template <class X>
concept Reflected = requires(X& object) {
  std::remove_cvref_t<X>::reflect(object, detail::FieldProbe{});
};

/// Calls f(name, member) or f(name, member, facts) for every field, in the order of `reflect`.
template <Reflected X, class F>
void for_each_field(X&& object, F&& f) {
  std::remove_cvref_t<X>::reflect(object, detail::FieldVisitor<std::remove_reference_t<F>>{f});
}

/// Throws OptionError for a number outside its range: "WHERE: NAME is X, expected at least 1".
template <Reflected X>
void check_fields(const char* where, const X& object) {
  for_each_field(object, [&](const char* name, const auto& value, const Facts& facts) {
    using V = std::remove_cvref_t<decltype(value)>;
    [[maybe_unused]] const auto check = [&](double x) {
      if (!facts.range.unlimited() && !facts.range.contains(x))
        throw OptionError(
            detail::cat(where, ": ", name, " is ", detail::general_text(x, 9), ", expected ", facts.range.text()));
    };
    if constexpr (std::is_arithmetic_v<V> && !std::is_same_v<V, bool>) {
      check(double(value));
    } else if constexpr (detail::is_number_list<V>) {
      for (const auto x : value) check(double(x));
    }
  });
}

}  // namespace lacuna
