/// Comparison with the oracle's arrays ("<block>/<case>/<group>/<name>", see shared/oracle/README.md), in double and in float.
///
///     const OracleBlocks blocks("nn_blocks.npz", {"linear"});   // at namespace scope: coverage of the file is known at start
///     TEST_CASE("linear: oracle" * doctest::skip(!have_oracle())) {
///       compare_cases(blocks, [](auto& c) {                     // once per case and scalar type
///         using T = typename std::decay_t<decltype(c)>::scalar;
///         const auto x = c.template leaf<2>("in/x");            // wants a gradient where the file has one
///         const auto weight = c.template leaf<2>("par/weight");
///         const auto bias = c.has("par/bias") ? c.template leaf<1>("par/bias") : Variable<T, 1>();
///         c.out("y", linear(x, weight, bias));                  // compares out/y, and adds cot/y · y to the objective
///       });
///     }
///
/// When the function returns, the objective goes backward and every gin/ and gpar/ array is compared. A case fails when an
/// array of out/, gin/ or gpar/ was not compared; a file fails when a case was not. Sizes, names and cases come from the file.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lacuna/io/npz.hpp"
#include "lacuna/nn/module.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "support/paths.hpp"

namespace lacuna::test {

/// Error allowed: largest |a - b| over max(largest |reference|, floor).
template <class T>
struct Tolerance {
  static constexpr bool exact = sizeof(T) == 8;
  double forward = exact ? 1e-10 : 1e-4, gradient = exact ? 1e-9 : 1e-3, floor = exact ? 0.01 : 0.1;
};

/// Infinite for another number of elements and for a number that is not finite where the reference is.
template <class T>
double relative_error(const std::vector<T>& found, const std::vector<double>& reference, double floor) {
  if (found.size() != reference.size()) return INFINITY;
  double largest = floor, worst = 0;
  for (const double number : reference) largest = std::max(largest, std::abs(number));
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double difference = std::abs(double(found[i]) - reference[i]);
    if (!(difference <= worst)) worst = std::isnan(difference) ? INFINITY : difference;
  }
  return worst / largest;
}

/// Blocks of one file that a test covers. Blocks that no object names are found by `uncovered_blocks`.
class OracleBlocks {
 public:
  /// `not_in_float`: "block/case" that has no meaning in float.
  OracleBlocks(std::string in_file, std::vector<std::string> names, std::set<std::string> not_in_float = {})
      : file(std::move(in_file)), blocks(std::move(names)), skip_float(std::move(not_in_float)) {
    for (const std::string& block : blocks) covered()[file].insert(block);
  }
  static std::map<std::string, std::set<std::string>>& covered() {
    static std::map<std::string, std::set<std::string>> names;
    return names;
  }
  bool contains(const std::string& name) const {
    return std::find(blocks.begin(), blocks.end(), name.substr(0, name.find('/'))) != blocks.end();
  }

  const std::string file;
  const std::vector<std::string> blocks;
  const std::set<std::string> skip_float;
};

/// Cases of a file whose block no test of this binary covers.
inline std::vector<std::string> uncovered_cases(const std::string& file) {
  const io::Npz npz(oracle_dir() + "/" + file);
  const std::set<std::string>& blocks = OracleBlocks::covered()[file];
  std::vector<std::string> left;
  for (const std::string& name : npz.get("index").strings())
    if (!blocks.count(name.substr(0, name.find('/')))) left.push_back(name);
  return left;
}

/// One case in one scalar type.
template <class T>
class OracleCase {
 public:
  using scalar = T;

  OracleCase(const io::Npz& file, std::string name, Tolerance<T> tolerance = {})
      : file_(file), name_(std::move(name)), tolerance_(tolerance) {}

  const std::string& name() const { return name_; }  ///< "block/case"
  std::string block() const { return name_.substr(0, name_.find('/')); }
  bool has(const std::string& array) const { return file_.contains(path(array)); }
  Shape shape(const std::string& array) const { return file_.header(path(array)).shape; }
  int rank(const std::string& array) const { return shape(array).rank(); }

  /// "in/x", "par/weight": a leaf where the file has its gradient, a constant otherwise.
  template <int R>
  Variable<T, R> leaf(const std::string& array) {
    const std::string gradient = "g" + array;
    const Variable<T, R> variable(tensor<R>(array), has(gradient));
    if (has(gradient)) leaves_[gradient] = variable.node();
    return variable;
  }
  /// Sets a parameter of a module to "par/..." and makes it a leaf. Its shape must be the module's.
  template <int R>
  void seat(const std::string& array, Parameter<T, R>& parameter) {
    REQUIRE_MESSAGE(shape(array) == parameter.shape(), path(array));
    static_cast<Variable<T, R>&>(parameter) = leaf<R>(array);
  }
  /// The same for a buffer, which is a constant.
  template <int R>
  void seat(const std::string& array, Buffer<T, R>& buffer) {
    REQUIRE_MESSAGE(shape(array) == buffer.shape(), path(array));
    buffer = Buffer<T, R>(tensor<R>(array));
  }
  template <int R>
  Tensor<T, R> tensor(const std::string& array) const {
    return file_.tensor<T, R>(path(array));
  }
  template <int R>
  Mask<R> mask(const std::string& array) const {
    return file_.tensor<std::uint8_t, R>(path(array));
  }
  std::vector<index_t> integers(const std::string& array) const {
    return file_.get(path(array)).template as<index_t>();
  }
  index_t integer(const std::string& array) const { return integers(array).at(0); }
  bool flag(const std::string& array) const { return integer(array) != 0; }
  double number(const std::string& array) const { return file_.get(path(array)).template as<double>().at(0); }
  std::string text(const std::string& array) const { return file_.get(path(array)).strings().at(0); }

  /// Compares out/<output>; where the file has cot/<output> (or the output is a loss) it joins the objective.
  template <int R>
  void out(const std::string& output, const Variable<T, R>& y) {
    out(output, y.value());
    if (has("cot/" + output)) {
      const Tensor<T, R> cotangent = tensor<R>("cot/" + output);
      join(sum(multiply(y, Variable<T, R>(cotangent))));
    } else if constexpr (R == 0) {
      if (output == "loss") join(y);
    }
  }
  /// An output without a gradient. A single number may be stored as (1).
  template <int R>
  void out(const std::string& output, const Tensor<T, R>& y) {
    const Shape expected = shape("out/" + output);
    CHECK_MESSAGE((expected == y.shape() || (expected == Shape{1} && y.shape() == Shape{})),
                  path("out/" + output) << " " << to_string(expected) << " was found as " << to_string(y.shape()));
    compare("out/" + output, y.to_vector(), tolerance_.forward);
  }
  /// Numbers compared with any array of the case; `allowed` as a forward or gradient error.
  void compare(const std::string& array, const std::vector<T>& found, double allowed) {
    const double error = relative_error(found, file_.get(path(array)).template as<double>(), tolerance_.floor);
    CHECK_MESSAGE(error <= allowed, path(array) << ": error " << error << ", allowed " << allowed);
    good_ = good_ && error <= allowed;
    compared_.insert(array);
  }

  /// Backward, gradients, and nothing left over. Returns how many arrays were compared.
  int finish() {
    if (objective_.defined() && objective_.requires_grad()) objective_.backward();
    for (const auto& [array, node] : leaves_) {
      const std::vector<T> zeros(static_cast<std::size_t>(node->value.size()), T(0));
      compare(array, node->has_gradient ? node->gradient.to_vector() : zeros, tolerance_.gradient);
    }
    for (const std::string& full : file_.names()) {
      if (!full.starts_with(name_ + "/")) continue;
      const std::string array = full.substr(name_.size() + 1);
      if (array.starts_with("out/") || array.starts_with("gin/") || array.starts_with("gpar/"))
        CHECK_MESSAGE(compared_.count(array) == 1, full << " was not compared");
    }
    CHECK_MESSAGE(!compared_.empty(), name_ << ": nothing was compared");
    return int(compared_.size());
  }
  bool good() const { return good_; }  ///< every comparison so far succeeded

 private:
  std::string path(const std::string& array) const { return name_ + "/" + array; }
  void join(const Variable<T, 0>& term) { objective_ = objective_.defined() ? objective_ + term : term; }

  const io::Npz& file_;
  std::string name_;
  Tolerance<T> tolerance_;
  Variable<T, 0> objective_;
  std::map<std::string, NodeHandle<T, Cpu>> leaves_;
  std::set<std::string> compared_;
  bool good_ = true;
};

namespace detail {

template <class T, class F>
int run_cases(const OracleBlocks& blocks, const io::Npz& file, F& f, int& arrays) {
  int cases = 0;
  for (const std::string& name : file.get("index").strings()) {
    if (!blocks.contains(name) || (sizeof(T) == 4 && blocks.skip_float.count(name))) continue;
    CAPTURE(name);
    CAPTURE(sizeof(T));
    OracleCase<T> c(file, name);
    try {
      f(c);
      arrays += c.finish();
      if (c.good()) ++cases;
    } catch (const std::exception& problem) {
      FAIL_CHECK(name << ": " << problem.what());
    }
  }
  return cases;
}

}  // namespace detail

/// Runs f on every case of the blocks, in double and in float; prints and checks how many there were.
template <class F>
void compare_cases(const OracleBlocks& blocks, F&& f) {
  const io::Npz file(oracle_dir() + "/" + blocks.file);
  int expected = 0, expected_float = 0;
  for (const std::string& name : file.get("index").strings()) {
    if (!blocks.contains(name)) continue;
    ++expected;
    if (!blocks.skip_float.count(name)) ++expected_float;
  }
  int arrays = 0;
  const int in_double = detail::run_cases<double>(blocks, file, f, arrays);
  const int in_float = detail::run_cases<float>(blocks, file, f, arrays);
  std::string names;
  for (const std::string& block : blocks.blocks) names += " " + block;
  std::printf("%s%s: %d of %d cases in double, %d of %d in float, %d arrays\n", blocks.file.c_str(), names.c_str(),
              in_double, expected, in_float, expected_float, arrays);
  CHECK(expected > 0);
  CHECK(in_double == expected);
  CHECK(in_float == expected_float);
}

}  // namespace lacuna::test
