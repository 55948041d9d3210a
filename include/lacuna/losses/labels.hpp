/// What a loss reads of its samples: their labels, and which of them are present. Both on the host, where they are
/// checked and counted, and on the device, where kernels read them.
///
/// Made once per batch they cost one upload, whatever number of losses takes them; losses take lists and masks as well,
/// and make them anew. Nothing here waits for the device, but where numbers are given that lie on a device alone:
/// copying them to the host is one wait.
///
/// A step that is being recorded (core/recorded.hpp) may ask how many there are, whether a mask is defined, and what
/// `all` says of its labels; who reads the host's side of them otherwise is refused.
#pragma once

#include <algorithm>
#include <concepts>
#include <initializer_list>
#include <span>
#include <type_traits>

#include "lacuna/core/recorded.hpp"
#include "lacuna/core/transfer.hpp"
#include "lacuna/kernels/cpu/loss_rows.hpp"
#include "lacuna/kernels/cpu/shape.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {

/// A parameter that takes whatever converts to X, and from which no template argument is deduced.
template <class X>
using Given = std::type_identity_t<X>;

/// Labels (N): class numbers, or with another N real ones.
template <class D, class N = index_t>
class Labels {
 public:
  Labels() = default;
  /// A list of the host: std::vector, List, std::span.
  template <class Numbers>
  requires(std::convertible_to<const Numbers&, std::span<const N>> && !detail::EigenDense<Numbers>)
      Labels(const Numbers& host)
      : Labels(listed(std::span<const N>(host))) {}
  /// A vector of Eigen: whole numbers, or of type N. Needs lacuna/interop/eigen_dense.hpp.
  template <detail::EigenVector E>
  requires(std::integral<typename E::Scalar> || std::is_same_v<typename E::Scalar, N>) Labels(const E& host)
      : Labels(Labels::of(Tensor<N, 1>(host.template cast<N>()))) {}
  template <std::integral I>
  requires(std::is_same_v<N, index_t>) Labels(std::initializer_list<I> host)
      : Labels(List<N>(host.begin(), host.end())) {}
  /// A tensor, shared. On another device than the host: one wait.
  Labels(const Tensor<N, 1, D>& there) : host_(to_device<Cpu>(static_cast<const Array<N, D>&>(there))), there_(there) {}
  /// A tensor of the host.
  static Labels of(const Tensor<N, 1>& host) { return Labels(static_cast<const Array<N>&>(host)); }

  index_t size() const { return there_.size(); }
  bool empty() const { return size() == 0; }
  /// On the host.
  std::span<const N> list() const {
    detail::host_is_read("labels");
    return {host_.data(), std::size_t(size())};
  }
  N operator[](index_t i) const { return list()[std::size_t(i)]; }
  /// Whether `holds` is true of every label. A step that is being recorded may ask: its recording is launched only for
  /// batches with the same answer.
  template <class P>
  bool all(P holds) const {
    if (flags_ && detail::step_is_recorded()) {
      if (!(holds(N(0)) && holds(N(1)))) detail::host_is_read("labels");
      return true;
    }
    return detail::host_answers(
        [host = host_, holds] { return std::all_of(host.data(), host.data() + host.size(), holds); });
  }
  /// On the device.
  const Array<N, D>& there() const { return there_; }
  const N* data() const { return there_.data(); }

  /// 1 where the label is k, else 0: the labels of the head for class k.
  Labels equal_to(N k) const {
    Labels own;
    own.flags_ = true;
    if (!detail::step_is_recorded()) {  // its numbers would be those of this batch
      own.host_ = Array<N>(host_.shape());
      for (index_t i = 0; i < size(); ++i) own.host_.data()[i] = N(host_.data()[i] == k);
    }
    own.there_ = beside_host<D>(own.host_, [&] {
      Array<N, D> equal(there_.shape());
      Kernels<D>::LossRows::equal_to(size(), data(), k, equal.data());
      return equal;
    });
    return own;
  }
  /// The labels, and behind them the same again: of two views of each sample.
  Labels twice() const {
    Labels both;
    both.flags_ = flags_;
    both.host_ = detail::step_is_recorded() ? host_ : repeated<Cpu>(host_);  // of which `all` says the same
    both.there_ = beside_host<D>(both.host_, [&] { return repeated<D>(there_); });
    return both;
  }
  /// Labels of the host, in the memory that these have when they are as many; else in memory of their own.
  void put(const Labels<Cpu, N>& from) {
    if (!host_.defined()) host_ = Array<N>(from.there().shape());
    host_.assign(from.list());
    if (!there_.defined()) there_ = Array<N, D>(host_.shape());
    there_.assign(from.list());
  }

 private:
  explicit Labels(const Array<N>& host) : host_(host), there_(to_device<D>(host)) {}
  static Array<N> listed(std::span<const N> numbers) {
    Array<N> host(Shape{index_t(numbers.size())});
    host.assign(numbers);
    return host;
  }
  template <class On>
  static Array<N, On> repeated(const Array<N, On>& once) {
    Array<N, On> both(Shape{2 * once.size()});
    Kernels<On>::ShapeMoves::copy_runs(2, once.size(), once.data(), 0, both.data(), once.size());
    return both;
  }

  Array<N> host_;
  Array<N, D> there_;
  bool flags_ = false;  ///< all are 0 or 1
};

/// Which rows of a batch take part, on the device: their numbers, and for every row its place among them, or −1.
/// Undefined until somebody asks.
template <class D>
struct KeptRows {
  Array<index_t, D> rows, places;
};

/// present (N), 1 = present, or undefined for all.
template <class D>
class Present {
 public:
  Present() = default;
  /// On another device than the host: one wait. Undefined costs nothing.
  Present(const Mask<1, D>& there) : host_(to_device<Cpu>(there)), there_(there) {}
  /// Known on the host. Undefined when all are present.
  static Present of(const Mask<1>& host) {
    const auto here = [](std::uint8_t one) { return one != 0; };
    Present present;
    if (!std::all_of(host.data(), host.data() + host.size(), here)) present.host_ = host;
    return present;
  }

  bool defined() const {
    if (!said_.defined()) return host_.defined();
    return detail::host_answers([said = said_] { return said.data()[0] != 0; });
  }
  const Mask<1>& host() const {
    if (defined()) detail::host_is_read("which samples are present");
    return host_;
  }
  /// On the device, uploaded when it is first asked for.
  const Mask<1, D>& mask() const {
    static const Mask<1, D> none;
    if (!defined()) return none;
    if (!there_.defined()) there_ = to_device<D>(host_);
    return there_;
  }

  /// Kept here, as the mask is, for all losses of one thread that are given these.
  KeptRows<D>& kept_rows() const { return kept_rows_; }

  /// Those present in both. Throws ShapeError when they are of other batches.
  Present and_in(const Present& other) const {
    if (!defined()) return other;
    if (!other.defined()) return *this;
    const Mask<1>&a = host(), &b = other.host();
    detail::expect_shape("present", "other mask", b.shape(), a.shape());
    Mask<1> both(a.extents());
    for (index_t i = 0; i < both.size(); ++i) both.data()[i] = std::uint8_t(a(i) && b(i));
    return of(both);
  }
  /// Of two views of each of `batch` samples, the first view first.
  static Present joined(const Present& first, const Present& second, index_t batch) {
    if (!first.defined() && !second.defined()) return {};
    Present both;
    both.host_ = Mask<1>::full({2 * batch}, 1);
    if (first.defined()) std::copy_n(first.host().data(), batch, both.host_.data());
    if (second.defined()) std::copy_n(second.host().data(), batch, both.host_.data() + batch);
    return both;
  }
  /// A mask of the host, in the memory of the one that was put here before; on the device at once. In a step that is being
  /// recorded, whether it is defined is a question like those of Labels::all.
  void put(const Present<Cpu>& from) {
    if (!said_.defined()) said_ = Mask<1>({1});
    said_.data()[0] = from.defined();
    kept_rows_ = {};
    if (!from.defined()) return;
    const Mask<1>& mask = from.host();
    if (!host_.defined()) host_ = Mask<1>(mask.extents());
    host_.assign({mask.data(), std::size_t(mask.size())});
    if (!there_.defined()) there_ = Mask<1, D>(mask.extents());
    there_.assign({mask.data(), std::size_t(mask.size())});
  }

 private:
  Mask<1> host_, said_;  ///< said_: 1 while it is defined, of one that was put here
  mutable Mask<1, D> there_;
  mutable KeptRows<D> kept_rows_;
};

}  // namespace lacuna
