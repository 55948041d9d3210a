/// Chunks of a dataset of HDF5, unpacked by us. The C library believes what a file says of their sizes: 1.10.8 takes 24 GB
/// for a file of 3 kB with one wrong bit, and gives memory that was never written for a chunk that inflates to less.
/// Filters: deflate, shuffle, fletcher32, in any order, each of them left out where a chunk says so. Source: HDF5 File Format
/// Specification 3.0, "Filter Pipeline".
#pragma once

#include <zlib.h>

#include <array>
#include <cstring>

#include "lacuna/io/hdf5_facts.hpp"

namespace lacuna::detail {

/// Fletcher's checksum over words of two bytes, the first one higher, as HDF5 folds it: sums that are multiples of 65535
/// are 0xffff, unless all bytes are 0.
inline std::uint32_t fletcher32(const std::uint8_t* data, std::size_t size) {
  std::uint64_t one = 0, two = 0, any = 0;
  for (std::size_t i = 0; i < size;) {
    for (const std::size_t end = std::min(size, i + (1 << 16)); i < end; i += 2) {
      const std::uint64_t word = std::uint64_t(data[i]) << 8 | (i + 1 < size ? data[i + 1] : 0);
      any |= word;
      two += one += word;
    }
    one %= 65535;
    two %= 65535;
  }
  const auto folded = [&](std::uint64_t sum) { return std::uint32_t(sum == 0 && any != 0 ? 0xffff : sum); };
  return folded(two) << 16 | folded(one);
}

/// What a number of memory is where nothing was ever written: the fill value, else zeros.
inline std::vector<std::uint8_t> hdf5_fill(const Hdf5Facts& facts, hid_t dataset) {
  const Hdf5Id type(H5Dget_type(dataset), H5Tclose), plan(H5Dget_create_plist(dataset), H5Pclose);
  std::vector<std::uint8_t> fill(facts.header.item_size, 0);
  H5D_fill_value_t state = H5D_FILL_VALUE_UNDEFINED;
  if (H5Pfill_value_defined(plan, &state) >= 0 && state == H5D_FILL_VALUE_USER_DEFINED &&
      H5Pget_fill_value(plan, facts.numbers() ? facts.memory : hid_t(type), fill.data()) < 0)
    facts.fail("has a fill value that cannot be read; the file is damaged");
  return fill;
}

class Hdf5Chunks {
 public:
  /// `facts` of the whole dataset, which is chunked and no list of variable strings. All must outlive this.
  Hdf5Chunks(const Hdf5Facts& facts, hid_t dataset)
      : facts_(facts),
        dataset_(dataset),
        type_(H5Dget_type(dataset), H5Tclose),
        rank_(facts.header.shape.rank()),
        inner_(H5Tget_size(type_)),
        outer_(facts.header.item_size) {
    count_ = 1;
    for (int axis = 0; axis < rank_; ++axis) count_ *= std::size_t(facts.chunk[std::size_t(axis)]);
    converts_ = facts.numbers() && H5Tequal(type_, facts.memory) <= 0;
    fill_ = hdf5_fill(facts, dataset);
  }

  /// The entries begin..end along the first axis.
  void read(index_t begin, index_t end, std::uint8_t* to) {
    Place chunk{};  // its number along every axis
    const auto& shape = facts_.header.shape;
    if (begin >= end || shape.size() == 0) return;
    chunk[0] = hsize_t(begin) / facts_.chunk[0];
    for (int axis = 0; axis >= 0;) {
      copy(chunk, begin, end, to);
      for (axis = rank_ - 1; axis >= 0; --axis) {  // the next one, the last axis first
        const hsize_t limit = axis == 0 ? hsize_t(end) : hsize_t(shape[axis]);
        if (++chunk[std::size_t(axis)] * facts_.chunk[std::size_t(axis)] < limit) break;
        chunk[std::size_t(axis)] = 0;
      }
    }
  }

 private:
  using Place = std::array<hsize_t, H5S_MAX_RANK>;

  /// What chunk and rows have in common, one run of the last axis after the other.
  void copy(const Place& chunk, index_t begin, index_t end, std::uint8_t* to) {
    Place origin{}, low{}, high{}, at{};
    for (int axis = 0; axis < rank_; ++axis) {
      const std::size_t a = std::size_t(axis);
      origin[a] = chunk[a] * facts_.chunk[a];
      low[a] = std::max(origin[a], axis == 0 ? hsize_t(begin) : 0);
      high[a] = std::min(origin[a] + facts_.chunk[a], axis == 0 ? hsize_t(end) : hsize_t(facts_.header.shape[axis]));
    }
    const bool there = unpack(origin);
    const std::size_t last = std::size_t(rank_ - 1), run = std::size_t(high[last] - low[last]);
    at = low;
    for (int axis = 0; axis >= 0;) {
      std::size_t from = 0, place = 0;
      for (std::size_t a = 0; a <= last; ++a) {
        from = from * std::size_t(facts_.chunk[a]) + std::size_t(at[a] - origin[a]);
        place = place * std::size_t(facts_.header.shape[int(a)]) + std::size_t(at[a] - (a == 0 ? hsize_t(begin) : 0));
      }
      if (there)
        std::memcpy(to + place * outer_, bytes_.data() + from * outer_, run * outer_);
      else
        for (std::size_t i = 0; i < run; ++i) std::memcpy(to + (place + i) * outer_, fill_.data(), outer_);
      for (axis = rank_ - 2; axis >= 0; --axis) {
        if (++at[std::size_t(axis)] < high[std::size_t(axis)]) break;
        at[std::size_t(axis)] = low[std::size_t(axis)];
      }
    }
  }

  /// The chunk at that place in `bytes_`, as numbers of memory; false: nothing was ever written there.
  bool unpack(const Place& origin) {
    hsize_t stored = 0;
    haddr_t address = HADDR_UNDEF;
    unsigned left_out = 0;
    if (H5Dget_chunk_info_by_coord(dataset_, origin.data(), &left_out, &address, &stored) < 0) damaged();
    if (address == HADDR_UNDEF) return false;
    if (stored > facts_.file_size || address > facts_.file_size - stored)
      facts_.fail("has a chunk of ", stored, " bytes at ", address, ", beyond the file; it is damaged");
    bytes_.resize(std::size_t(stored));
    std::uint32_t mask = 0;
    if (H5Dread_chunk(dataset_, H5P_DEFAULT, origin.data(), &mask, bytes_.data()) < 0) damaged();
    std::size_t wanted = count_ * inner_;  // behind the filters that are still to be undone
    for (std::size_t i = 0; i < facts_.filters.size(); ++i)
      if (facts_.filters[i] == H5Z_FILTER_FLETCHER32 && (left_out >> i & 1) == 0) wanted += 4;
    for (std::size_t i = facts_.filters.size(); i-- > 0;) {
      if ((left_out >> i & 1) != 0) continue;
      if (facts_.filters[i] == H5Z_FILTER_DEFLATE) inflate(wanted);
      if (facts_.filters[i] == H5Z_FILTER_SHUFFLE) unshuffle();
      if (facts_.filters[i] == H5Z_FILTER_FLETCHER32) wanted -= 4, check_sum();
    }
    if (bytes_.size() != wanted) damaged();
    if (!converts_) return true;
    bytes_.resize(count_ * std::max(inner_, outer_));
    if (H5Tconvert(type_, facts_.memory, count_, bytes_.data(), nullptr, H5P_DEFAULT) < 0) damaged();
    return true;
  }
  void inflate(std::size_t wanted) {
    other_.resize(wanted);
    uLongf length = uLongf(wanted);
    uLong used = uLong(bytes_.size());
    if (uncompress2(other_.data(), &length, bytes_.data(), &used) != Z_OK || length != wanted) damaged();
    bytes_.swap(other_);
  }
  /// First all first bytes of the numbers, then all second ones; what is left over stays behind them.
  void unshuffle() {
    const std::size_t n = bytes_.size() / inner_;
    if (inner_ < 2 || n < 2) return;
    other_.resize(bytes_.size());
    for (std::size_t byte = 0; byte < inner_; ++byte)
      for (std::size_t i = 0; i < n; ++i) other_[i * inner_ + byte] = bytes_[byte * n + i];
    std::copy(bytes_.begin() + std::ptrdiff_t(n * inner_), bytes_.end(), other_.begin() + std::ptrdiff_t(n * inner_));
    bytes_.swap(other_);
  }
  void check_sum() {
    if (bytes_.size() < 4) damaged();
    const std::uint8_t* const sum = bytes_.data() + bytes_.size() - 4;
    const auto number = [&](int a, int b, int c, int d) {
      return std::uint32_t(sum[a]) | std::uint32_t(sum[b]) << 8 | std::uint32_t(sum[c]) << 16 |
             std::uint32_t(sum[d]) << 24;
    };
    const std::uint32_t found = fletcher32(bytes_.data(), bytes_.size() - 4);
    if (found != number(0, 1, 2, 3) && found != number(1, 0, 3, 2))  // the second: before HDF5 1.6.3
      facts_.fail("has a chunk with another checksum than it was written with; the file is damaged");
    bytes_.resize(bytes_.size() - 4);
  }
  [[noreturn]] void damaged() const { facts_.fail("cannot be read; the file is truncated or damaged"); }

  const Hdf5Facts& facts_;
  hid_t dataset_;
  Hdf5Id type_;
  int rank_;
  std::size_t inner_, outer_, count_ = 1;  ///< bytes of a number in the file and in memory, numbers of a chunk
  bool converts_ = false;
  std::vector<std::uint8_t> fill_, bytes_, other_;
};

}  // namespace lacuna::detail
