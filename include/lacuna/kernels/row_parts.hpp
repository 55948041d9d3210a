/// Arrays whose rows stand side by side in the rows of one: what one kernel of a device joins or takes apart.
#pragma once

#include "lacuna/core/host_device.hpp"
#include "lacuna/core/shape.hpp"

namespace lacuna {

/// Up to eight parts, by value, as a launch takes them. P: `const T*`, or a GradientSlot<T> that receives a part.
template <class P>
struct RowParts {
  static constexpr int most = 8;

  P part[most] = {};
  index_t column[most] = {};  ///< where a part stands in the row of all
  index_t end[most] = {};     ///< widths of the parts up to this one, together
  int count = 0;

  void add(P next, index_t at, index_t width) {
    part[count] = next;
    column[count] = at;
    end[count] = this->width() + width;
    ++count;
  }
  index_t width() const { return count > 0 ? end[count - 1] : 0; }

  /// The part that number `place` of a row belongs to, place < width().
  LACUNA_HD int part_of(index_t place) const {
    int p = 0;
    for (int k = 0; k + 1 < count; ++k) p += place >= end[k];
    return p;
  }
  LACUNA_HD index_t begin_of(int p) const { return p > 0 ? end[p - 1] : 0; }
  LACUNA_HD index_t width_of(int p) const { return end[p] - begin_of(p); }
};

}  // namespace lacuna
