/// The machinery of the table in tests/ops.hpp: what a row is, how its inputs are made, and what every row must
/// satisfy. No doctest here: the same rows serve tests, benchmarks and the comparison of devices.
///
/// A row is one operation (or a layer or loss that is one):
///
///     struct MultiplyRow {
///       static constexpr const char* name = "multiply";
///       static std::vector<Case> cases() {                        // small: every gradient is checked by differences
///         return {{.name = "2d", .leaves = {{3, 4}, {3, 4}}}, {.name = "empty", .leaves = {{0, 4}, {0, 4}}}};
///       }
///       static std::vector<Case> large() {                        // work splits over threads; benchmarks time these
///         return {{.name = "large", .leaves = {{300, 257}, {300, 257}}}};
///       }
///       template <class T, class D>
///       static Outputs<T, D> build(const Inputs<T, D>& in) {
///         return {flat(multiply(in.template leaf<2>(0), in.template leaf<2>(1)))};
///       }
///     };
///
/// Write it in tests/rows/<family>.hpp, add it to that family's list there (tests/ops.hpp joins the families), and
/// every check of support/row_checks.hpp runs on it. A layer builds its module and calls `seat(module, in, first)`: its parameters are then
/// leaves.
#pragma once

#include "lacuna/nn/module.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "support/row_checks.hpp"

namespace lacuna::test {

template <class Row>
AnyRow any_row() {
  return {Row::name, &Row::cases, &Row::large, build_of<Row, float>, build_of<Row, double>, habits_of<Row>};
}

template <class T, int R, class D>
Variable<T, 1, D> flat(const Variable<T, R, D>& x) {
  return reshape(x, std::array<index_t, 1>{x.size()});
}

/// Makes the leaves from number `first` on the parameters of `module`, in the order of reflection.
template <class M, class T, class D>
void seat(M& module, const Inputs<T, D>& in, std::size_t first) {
  for_each_parameter(module, [&](const std::string& path, auto& parameter) {
    using Plain = std::remove_cvref_t<decltype(parameter)>;
    const auto leaf = in.template leaf<Plain::rank>(first++);
    lacuna::detail::expect_shape("seat", path.c_str(), leaf.shape(), parameter.shape());
    static_cast<Variable<T, Plain::rank, D>&>(parameter) = leaf;
  });
}

/// Present (B, T), row b with its first lengths[b] frames.
inline Constant present_frames(const std::vector<index_t>& lengths, index_t frames) {
  Constant mask{Shape{index_t(lengths.size()), frames}, {}};
  for (const index_t length : lengths)
    for (index_t t = 0; t < frames; ++t) mask.numbers.push_back(t < length ? 1 : 0);
  return mask;
}

/// All of the above; the first thing that is wrong, with the names of the row and the case.
inline std::string check_row(const AnyRow& row) {
  using Check = std::string (*)(const AnyRow&, const Case&);
  const Check small[] = {[](const AnyRow& r, const Case& c) { return check_gradient(r.in_double, c); },
                         [](const AnyRow& r, const Case& c) { return check_float(r, c); },
                         [](const AnyRow& r, const Case& c) { return check_slots(r.in_double, c); },
                         [](const AnyRow& r, const Case& c) { return check_absent(r.in_float, c); },
                         [](const AnyRow& r, const Case& c) { return check_absent(r.in_double, c); },
                         [](const AnyRow& r, const Case& c) { return check_not_finite(r.in_float, r.habits, c, 60); },
                         [](const AnyRow& r, const Case& c) { return check_not_finite(r.in_double, r.habits, c, 30); }};
  const Check large[] = {[](const AnyRow& r, const Case& c) { return check_direction(r.in_double, c); },
                         [](const AnyRow& r, const Case& c) { return check_float(r, c); },
                         [](const AnyRow& r, const Case& c) { return check_threads(r.in_float, c); },
                         [](const AnyRow& r, const Case& c) { return check_threads(r.in_double, c); },
                         [](const AnyRow& r, const Case& c) { return check_absent(r.in_float, c); },
                         [](const AnyRow& r, const Case& c) { return check_not_finite(r.in_float, r.habits, c, 4); }};
  const auto all = [&](const std::vector<Case>& cases, const auto& checks) -> std::string {
    for (const Case& c : cases)
      for (const Check check : checks)
        if (std::string wrong = check(row, c); !wrong.empty()) return detail::cat(row.name, " (", c.name, "): ", wrong);
    return {};
  };
  std::string wrong = all(row.cases(), small);
  return wrong.empty() ? all(row.large(), large) : wrong;
}
template <class Row>
std::string check_row() {
  return check_row(any_row<Row>());
}

/// A list of rows. Lists join with `Join`.
template <class... Row>
struct Rows {
  static constexpr std::size_t count = sizeof...(Row);
  /// Calls f.template operator()<Row>() for each.
  template <class F>
  static void for_each(F&& f) {
    (f.template operator()<Row>(), ...);
  }
};

template <class...>
struct Joined;
template <class... A>
struct Joined<Rows<A...>> {
  using type = Rows<A...>;
};
template <class... A, class... B, class... Rest>
struct Joined<Rows<A...>, Rows<B...>, Rest...> : Joined<Rows<A..., B...>, Rest...> {};
template <class... Lists>
using Join = typename Joined<Lists...>::type;

}  // namespace lacuna::test
