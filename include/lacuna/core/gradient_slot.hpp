/// Where an operation's backward puts what it adds to the gradient of one input.
#pragma once

#include "lacuna/core/host_device.hpp"

namespace lacuna {

/// False when that input wants no gradient. `fresh`: the memory is uninitialised and must be written; otherwise added
/// to.
template <class T>
struct GradientSlot {
  T* data = nullptr;
  bool fresh = false;

  LACUNA_HD explicit operator bool() const { return data != nullptr; }
  /// 0 to overwrite, 1 to add: the beta of a matrix product.
  T beta() const { return fresh ? T(0) : T(1); }
  /// Writes or adds one number.
  LACUNA_HD void put(long long i, T number) const { data[i] = fresh ? number : data[i] + number; }
  LACUNA_HD GradientSlot at(long long offset) const { return {data + offset, fresh}; }
};

}  // namespace lacuna
