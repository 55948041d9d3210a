/// `Tensor<T, R, D>`: owning, contiguous, row-major array of `R` axes on a device, with shared storage.
///
/// Copying a tensor shares its storage; `clone()` copies the numbers. `Array<T, D>` is the same without the rank in its
/// type: what graph nodes and kernels see, so that a rank costs no second copy of their code.
///
/// Eigen's matrices, vectors and tensors convert to tensors and back once lacuna/interop/eigen.hpp is included, see
/// there and docs/tensors.md.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <span>
#include <vector>

#include "lacuna/core/device.hpp"
#include "lacuna/core/eigen_types.hpp"
#include "lacuna/core/list.hpp"
#include "lacuna/core/memory.hpp"
#include "lacuna/core/shape.hpp"

namespace lacuna {

template <class T, class D = Cpu>
class Array {
 public:
  using scalar = T;
  using device = D;

  Array() = default;
  /// Uninitialised.
  explicit Array(const Shape& shape) : shape_(shape) {
    if (shape.size() > std::numeric_limits<index_t>::max() / index_t(sizeof(T)))
      throw ShapeError(detail::cat("tensor: shape ", shape, " has more bytes than there are addresses"));
    const std::size_t bytes = std::size_t(shape.size()) * sizeof(T);
    if (bytes == 0) return;
    data_ = detail::Memory<T, D>(bytes);
  }

  /// Memory of somebody else, see Tensor::borrow.
  Array(const Shape& shape, T* memory, std::shared_ptr<const void> owner = nullptr) : shape_(shape) {
    if (shape.size() == 0) return;
    if (memory == nullptr) throw ShapeError(detail::cat("borrow: shape ", shape, " and no memory: a null pointer"));
    data_ = detail::Memory<T, D>(memory, std::move(owner));
  }

  const Shape& shape() const { return shape_; }
  index_t size() const { return defined_or_scalar() ? shape_.size() : 0; }
  index_t extent(int axis) const { return shape_[axis]; }
  bool empty() const { return size() == 0; }
  /// False for a default-constructed array.
  bool defined() const { return data_.get() != nullptr || (shape_.rank() > 0 && shape_.size() == 0); }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  /// True when both see the same memory.
  bool shares(const Array& other) const { return data_.get() != nullptr && data_.get() == other.data_.get(); }
  /// True when nobody else sees this memory, so that whoever owns the array may write over it.
  bool sole() const { return data_.sole(); }
  /// True when both are windows of one array, so that the distance between them is the same in every run.
  bool beside(const Array& other) const { return data_.beside(other.data_); }

  /// The same numbers under other axes; shares storage. Throws ShapeError when the sizes differ.
  Array reshaped(const Shape& shape) const {
    if (shape.size() != shape_.size())
      throw ShapeError(
          detail::cat("reshape: ", shape_, " has ", shape_.size(), " elements, ", shape, " has ", shape.size()));
    Array result = *this;
    result.shape_ = shape;
    return result;
  }
  /// Gives up the numbers; the shape stays.
  void forget() { data_ = {}; }
  /// `shape.size()` elements from `offset` on; shares storage.
  Array window(index_t offset, const Shape& shape) const {
    if (offset < 0 || offset > shape_.size() || shape.size() > shape_.size() - offset)
      throw ShapeError(
          detail::cat("window: ", shape.size(), " elements from ", offset, " on, of an array of ", shape_.size()));
    Array result;
    result.shape_ = shape;
    result.data_ = data_.from(offset);
    return result;
  }
  /// `size` elements from the first on, also beyond this array where it is a window of a larger one; undefined where
  /// that ends before.
  Array stretched(index_t size) const {
    Array result;
    if (data_.room() < size) return result;
    result.shape_ = Shape{size};
    result.data_ = data_;
    return result;
  }
  Array clone() const {
    Array copy(shape_);
    if (size()) D::copy(copy.data(), data(), std::size_t(size()) * sizeof(T));
    return copy;
  }
  std::vector<T> to_vector() const {
    std::vector<T> host(static_cast<std::size_t>(size()));
    if (size()) D::copy_to_host(host.data(), data(), host.size() * sizeof(T));
    return host;
  }
  /// The same in memory of the pool: for the inside of a step.
  List<T> to_list() const {
    List<T> host(static_cast<std::size_t>(size()));
    if (size()) D::copy_to_host(host.data(), data(), host.size() * sizeof(T));
    return host;
  }
  /// The first number, copied to the host.
  T first() const {
    T number;
    D::copy_to_host(&number, data(), sizeof(T));
    return number;
  }
  void assign(std::span<const T> numbers) {
    if (index_t(numbers.size()) != size())
      throw ShapeError(detail::cat("assign: ", numbers.size(), " numbers for shape ", shape_));
    if (size()) D::copy_from_host(data(), numbers.data(), numbers.size_bytes());
  }

 private:
  bool defined_or_scalar() const { return data_.get() != nullptr || shape_.size() == 0; }

  Shape shape_;
  detail::Memory<T, D> data_;
};

namespace detail {
// Defined in lacuna/interop/eigen.hpp: a program in which one of them is incomplete has not included it.
template <class T, int R, bool Const>
struct EigenView;
template <class E>
struct EigenSource;
}  // namespace detail

template <class T, int R, class D = Cpu>
class Tensor : public Array<T, D> {
 public:
  static_assert(R >= 0 && R <= Shape::max_rank);
  static constexpr int rank = R;
  using Extents = std::array<index_t, std::size_t(R)>;

  Tensor() = default;
  /// Uninitialised.
  explicit Tensor(const Extents& extents) : Array<T, D>(Shape(extents)) {}
  /// Takes an array of matching rank, sharing its storage. Throws ShapeError otherwise.
  explicit Tensor(const Array<T, D>& array) : Array<T, D>(array) {
    if (array.shape().rank() != R)
      throw ShapeError(detail::cat("tensor: an array of shape ", array.shape(), " where rank ", R, " is expected"));
  }

  explicit Tensor(Array<T, D>&& array) : Array<T, D>(std::move(array)) {
    if (this->shape().rank() != R)
      throw ShapeError(detail::cat("tensor: an array of shape ", this->shape(), " where rank ", R, " is expected"));
  }

  /// The numbers of an Eigen expression, computed into new memory: of a matrix (rows, columns), of a vector also
  /// (size), of an Eigen tensor of R axes; row-major whatever the order there. Only of the same number type
  /// (`x.cast<float>()` says otherwise), and of bool for masks. Needs lacuna/interop/eigen.hpp.
  template <class E>
  requires(detail::EigenOfRank<E, T, R>&& std::is_same_v<D, Cpu>) Tensor(const E& expression)
      : Tensor(detail::EigenSource<E>::template copied<T, R>(expression)) {}

  /// A tensor in memory of somebody else: no copy, in row-major order. It must stay where it is as long as this tensor,
  /// or any that shares its storage (copies, reshaped ones, Variables made of it, and the graphs these are in), is in
  /// use; nobody checks. With an `owner` it does: the owner is released with the last of them. What is written through
  /// the tensor is written there, and the other way round; operations of the library write to new memory, parameters
  /// and optimizers write in place. Throws ShapeError when the span has another size, or for a null pointer.
  static Tensor borrow(const Extents& extents, T* memory, std::shared_ptr<const void> owner = nullptr) {
    return Tensor(Array<T, D>(Shape(extents), memory, std::move(owner)));
  }
  /// Of memory that must not be written to. A copy of the result would no longer say so: keep it const, or make a
  /// Variable of it, which is only read.
  static const Tensor borrow(const Extents& extents, const T* memory, std::shared_ptr<const void> owner = nullptr) {
    return borrow(extents, const_cast<T*>(memory), std::move(owner));
  }
  /// Of a vector, an array or a span; const when its numbers are.
  template <class Numbers>
  requires(std::is_convertible_v<Numbers&, std::span<const T>>) static decltype(auto)
      borrow(const Extents& extents, Numbers&& numbers, std::shared_ptr<const void> owner = nullptr) {
    static_assert(std::is_lvalue_reference_v<Numbers> || std::ranges::enable_borrowed_range<Numbers>,
                  "borrow: this list would end before the tensor: give it a name");
    const Shape shape(extents);
    if (index_t(std::size(numbers)) != shape.size())
      throw ShapeError(
          detail::cat("borrow: ", std::size(numbers), " numbers, expected ", shape.size(), " of shape ", shape));
    return borrow(extents, std::data(numbers), std::move(owner));
  }

  static Tensor full(const Extents& extents, T number) {
    Tensor result(extents);
    if constexpr (std::is_same_v<D, Cpu>) {
      std::fill_n(result.data(), result.size(), number);
    } else if (number == T(0)) {
      D::fill(result.data(), 0, std::size_t(result.size()) * sizeof(T));
    } else {
      result.assign(List<T>(std::size_t(result.size()), number));
    }
    return result;
  }
  static Tensor zeros(const Extents& extents) { return full(extents, T(0)); }
  /// Numbers in row-major order. Throws ShapeError when their count does not fit.
  static Tensor from(const Extents& extents, std::span<const T> numbers) {
    Tensor result(extents);
    result.assign(numbers);
    return result;
  }
  static Tensor from(const Extents& extents, std::initializer_list<T> numbers) {
    return from(extents, std::span<const T>(numbers.begin(), numbers.size()));
  }

  Extents extents() const {
    Extents lengths{};
    for (int i = 0; i < R; ++i) lengths[std::size_t(i)] = this->shape()[i];
    return lengths;
  }
  /// Of a tensor without numbers (default-constructed, moved from) another without.
  Tensor clone() const { return this->defined() ? Tensor(Array<T, D>::clone()) : Tensor(); }
  template <std::size_t S>
  Tensor<T, int(S), D> reshape(const std::array<index_t, S>& lengths) const {
    return Tensor<T, int(S), D>(this->reshaped(Shape(lengths)));
  }

  /// One element; host memory only, bounds checked in debug builds.
  template <class... Index>
  requires(sizeof...(Index) == std::size_t(R)) T& operator()(Index... index) {
    return this->data()[offset(index_t(index)...)];
  }
  template <class... Index>
  requires(sizeof...(Index) == std::size_t(R)) const T& operator()(Index... index) const {
    return this->data()[offset(index_t(index)...)];
  }

  /// Views by Eigen, without a copy; include lacuna/interop/eigen.hpp. `eigen()`: Map of a vector (one axis) or of a
  /// row-major matrix (two), else TensorMap; `matrix()`: all rows × the last axis, whatever the rank; `matrix(i)`: of
  /// the i-th sample alone; `tensor_map()`: TensorMap of every rank. Const of a const tensor. A view does not own, so
  /// there is none of a temporary: `eigen(x.grad())`, the free function, gives a matrix that owns.
  auto eigen() & { return detail::EigenView<T, R, false>::eigen(*this); }
  auto eigen() const& { return detail::EigenView<T, R, true>::eigen(*this); }
  auto eigen() const&& = delete;
  auto matrix() & { return detail::EigenView<T, R, false>::matrix(*this); }
  auto matrix() const& { return detail::EigenView<T, R, true>::matrix(*this); }
  auto matrix() const&& = delete;
  auto matrix(index_t sample) & { return detail::EigenView<T, R, false>::matrix(*this, sample); }
  auto matrix(index_t sample) const& { return detail::EigenView<T, R, true>::matrix(*this, sample); }
  auto matrix(index_t) const&& = delete;
  auto tensor_map() & { return detail::EigenView<T, R, false>::tensor(*this); }
  auto tensor_map() const& { return detail::EigenView<T, R, true>::tensor(*this); }
  auto tensor_map() const&& = delete;

 private:
  template <class... Index>
  index_t offset(Index... index) const {
    index_t flat = 0;
    int axis = 0;
    ((assert(index >= 0 && index < this->shape()[axis]), flat = flat * this->shape()[axis] + index, ++axis), ...);
    return flat;
  }
};

/// Presence: 1 = present, 0 = absent. One polarity in the whole library.
template <int R = 2, class D = Cpu>
using Mask = Tensor<std::uint8_t, R, D>;

}  // namespace lacuna
