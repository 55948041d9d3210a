/// Vector registers under one name for every processor: the only file that speaks to Eigen's packet functions, which are
/// internal to it and change between its versions.
///
/// Policy: the functions keep Eigen's names, so that its sources say what each does on which processor. `Packet<T>` is
/// the widest register of T, `lanes<T>` how many numbers it holds (1: a plain number); a half register is `Half<P>`.
/// Tried with Eigen 3.4.0, 3.4.1 and 5.0.1; what they call differently is settled here.
///
///     using namespace simd;
///     const auto x = ploadu<Packet<T>>(from);              // any address
///     pstoreu(to, pmadd(x, pset1<Packet<T>>(T(2)), x));    // 2 x + x, fused where the processor can
#pragma once

#include <Eigen/Core>
#include <type_traits>

#include "lacuna/core/shape.hpp"

namespace lacuna::cpu::simd {

template <class T>
using Packet = typename Eigen::internal::packet_traits<T>::type;
template <class T>
inline constexpr index_t lanes = Eigen::internal::packet_traits<T>::size;
/// How many registers there are, by the rules of the processor that is compiled for.
inline constexpr int registers = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS;

/// Whether a function comes for whole registers of T; without, one computes number by number.
template <class T>
inline constexpr bool has_exp = bool(Eigen::internal::packet_traits<T>::HasExp);
template <class T>
inline constexpr bool has_tanh = bool(Eigen::internal::packet_traits<T>::HasTanh);
template <class T>
inline constexpr bool has_sqrt = bool(Eigen::internal::packet_traits<T>::HasSqrt);

using Eigen::internal::ploadu;
using Eigen::internal::pset1;
using Eigen::internal::pstoreu;

using Eigen::internal::padd;
using Eigen::internal::pdiv;
using Eigen::internal::pmadd;
using Eigen::internal::pmax;
using Eigen::internal::pmul;
using Eigen::internal::psub;

using Eigen::internal::pcmp_eq;
using Eigen::internal::pcmp_le;
using Eigen::internal::pcmp_lt;
using Eigen::internal::pselect;

using Eigen::internal::pexp;
using Eigen::internal::pfloor;
using Eigen::internal::psqrt;
using Eigen::internal::ptanh;

/// Sum over the lanes.
using Eigen::internal::predux;

/// As many registers as one has lanes, seen as a square; ptranspose(block) transposes it in place.
using Eigen::internal::PacketBlock;
using Eigen::internal::ptranspose;

template <class P>
inline constexpr index_t lanes_of = Eigen::internal::unpacket_traits<P>::size;
template <class P>
using Half = typename Eigen::internal::unpacket_traits<P>::half;
/// The sum of both halves of a register.
template <class P>
auto add_halves(const P& x) {
  using namespace Eigen::internal;
  if constexpr (requires { predux_half(x); })
    return predux_half(x);  // its name from Eigen 5 on
  else
    return predux_half_dowto4(x);
}

/// Whether `power_of_two` comes for registers of this kind.
template <class P>
inline constexpr bool has_power_of_two = false;
template <class P>
requires(!std::is_arithmetic_v<P> && requires { typename Eigen::internal::unpacket_traits<P>::integer_packet; } &&
         std::is_same_v<typename Eigen::internal::unpacket_traits<P>::type,
                        float>) inline constexpr bool has_power_of_two<P> = true;

/// 2ᵐ for whole numbers m of [−126, 127]. Behind the sum the last bits of the mantissa are m + 127; pushed to their
/// place, they are the exponent.
template <class P>
P power_of_two(const P& m) {
  using namespace Eigen::internal;
  using Integers = typename unpacket_traits<P>::integer_packet;
  const P shifted = padd(m, pset1<P>(12582912.0f + 127.0f));  // 1.5 · 2²³: its own bits fall off at the top
  return preinterpret<P>(plogical_shift_left<23>(preinterpret<Integers>(shifted)));
}

}  // namespace lacuna::cpu::simd
