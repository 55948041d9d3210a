/// What `from_arrays` (from_xtensor.hpp, which has the rules) makes a data set of: named arrays of xtensor with what
/// says which of their frames are present. Numbers are copied where these are made; expressions need not live on. Needs
/// xtensor.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "lacuna/data/load_options.hpp"
#include "lacuna/interop/xtensor.hpp"

namespace lacuna::data {

/// One number per sample, from an expression of one axis or a vector. Lengths and class ids must come as integers.
template <class T>
class Column {
 public:
  Column() = default;
  Column(std::vector<T> values) : values_(std::move(values)), given_(true) {}
  Column(std::initializer_list<T> values) : Column(std::vector<T>(values)) {}
  template <class E>
  Column(const xt::xexpression<E>& expression) : values_(from_xtensor<T, 1>(expression).to_vector()), given_(true) {
    static_assert(!std::is_integral_v<T> || std::is_integral_v<typename E::value_type>,
                  "lengths and class ids are integers: xt::cast says how others become some");
  }

  bool given() const { return given_; }
  const std::vector<T>& values() const { return values_; }

 private:
  std::vector<T> values_;
  bool given_ = false;
};

/// Zeros and ones (N, T), or (N) for T = 1; empty: not given.
class FrameMask {
 public:
  FrameMask() = default;
  template <class E>
  FrameMask(const xt::xexpression<E>& expression) {
    const auto axes = expression.derived_cast().dimension();
    if (axes != 1 && axes != 2) throw ShapeError(lacuna::detail::cat("mask: ", axes, " axes, expected (N, T) or (N)"));
    values_ = axes == 2 ? from_xtensor<float, 2>(expression)
                        : from_xtensor<float, 1>(expression).reshape(std::array{rows_of(expression), index_t(1)});
  }
  bool given() const { return values_.defined(); }
  const Tensor<float, 2>& values() const { return values_; }

 private:
  template <class E>
  static index_t rows_of(const xt::xexpression<E>& expression) {
    return index_t(expression.derived_cast().shape()[0]);
  }
  Tensor<float, 2> values_;
};

struct PresenceArrays {
  Column<index_t> lengths = {};  ///< (N) present frames, from the first
  FrameMask mask = {};           ///< (N, T)
};

/// One modality of one split: (N, T, F), or (N, F) for one vector per sample.
struct ModalityArray {
  template <class E>
  ModalityArray(std::string its_name, const xt::xexpression<E>& expression, PresenceArrays which = {})
      : name(std::move(its_name)), presence(std::move(which)) {
    const auto& values = expression.derived_cast();
    if (values.dimension() == 3) {
      frames = from_xtensor<float, 3>(expression);
    } else if (values.dimension() == 2) {
      const auto flat = from_xtensor<float, 2>(expression);
      frames = flat.reshape(std::array{flat.extent(0), index_t(1), flat.extent(1)});
    } else {
      throw ShapeError(
          lacuna::detail::cat(name, ": an array of ", values.dimension(), " axes, expected (N, T, F) or (N, F)"));
    }
  }

  std::string name;
  Tensor<float, 3> frames;
  PresenceArrays presence;
};

/// What one split is made of; an empty one is a split without samples.
struct SplitArrays {
  std::vector<ModalityArray> modalities = {};
  Column<float> labels = {};     ///< (N) real labels
  Column<index_t> classes = {};  ///< (N) class ids from 0
  std::vector<std::string> ids = {};
};

/// Which rows of one set of arrays are in which split, in this order. Rows in none are left out.
struct SplitRows {
  Column<index_t> train = {}, validation = {}, test = {};
};

struct ArrayOptions {
  NonFinite non_finite = NonFinite::refuse;  ///< present features that are NaN or infinite
};

}  // namespace lacuna::data
