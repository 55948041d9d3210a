/// Arrays from one device to another. On the device that already holds it an array is shared, not copied.
#pragma once

#include <type_traits>

#include "lacuna/core/tensor.hpp"

namespace lacuna {

/// The same numbers on device `To`; undefined stays undefined.
template <class To, class T, class From>
Array<T, To> to_device(const Array<T, From>& array) {
  if constexpr (std::is_same_v<To, From>) {
    return array;
  } else {
    if (!array.defined()) return {};
    Array<T, To> moved(array.shape());
    const std::size_t bytes = std::size_t(array.size()) * sizeof(T);
    if constexpr (std::is_same_v<To, Cpu>) {
      From::copy_to_host(moved.data(), array.data(), bytes);
    } else if constexpr (std::is_same_v<From, Cpu>) {
      To::copy_from_host(moved.data(), array.data(), bytes);
    } else {
      moved.assign(array.to_vector());
    }
    return moved;
  }
}
template <class To, class T, int R, class From>
Tensor<T, R, To> to_device(const Tensor<T, R, From>& tensor) {
  if constexpr (std::is_same_v<To, From>) {
    return tensor;
  } else {
    if (!tensor.defined()) return {};
    return Tensor<T, R, To>(to_device<To>(static_cast<const Array<T, From>&>(tensor)));
  }
}

/// What the host knows, on device D: the array itself where D is the host, else what `make()` makes there.
template <class D, class T, class Make>
Array<T, D> beside_host(const Array<T>& host, Make&& make) {
  if constexpr (std::is_same_v<D, Cpu>)
    return host;
  else
    return make();
}

/// The device that a module says it is on: its `device`, else the host.
template <class M>
struct DeviceOf {
  using type = Cpu;
};
template <class M>
requires requires { typename M::device; }
struct DeviceOf<M> {
  using type = typename M::device;
};
template <class M>
using device_of = typename DeviceOf<M>::type;

}  // namespace lacuna
