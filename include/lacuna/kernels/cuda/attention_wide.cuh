/// Attention with heads of many features: lanes along the features, several keys of a team at once.
///
/// Policy: forward, a block has R queries of one head: their scores against all keys, softmax and the weighted sum, so
/// that keys and values are read once for all of them. Backward, a block has a slice of the keys of one head, and all
/// queries, R at a time: since Σ_j w_ij f_ij ⟨dy_i, v_j⟩ = ⟨y_i, dy_i⟩, slices need nothing of each other; what they
/// add to the queries is added up in order by another launch. How the work is cut depends on the sizes and on how much
/// memory a block can have.
#pragma once

#include "lacuna/kernels/cuda/attention_head.cuh"

namespace lacuna::cuda {

/// Threads of a block with `rows` queries at a time: as many as there are registers for.
LACUNA_HD constexpr int wide_threads(index_t rows) { return rows == 1 ? 1024 : 512; }

/// What both directions do alike. Flags: bits of the present keys, eight to a byte.
template <class T, int R>
struct WideParts {
  static constexpr int keys_at_once = R == 1 ? 8 : 4;
  using Four = SharedRow<T, 4>;

  /// rows (R, width) = x_i for i < count, zeros behind them.
  template <class Block>
  LACUNA_DEVICE static void load(Block block, const T* x, int stride, int width, int count, T* rows) {
    for (int e = block.thread(); e < R * width; e += block.threads()) {
      const int i = e / width;
      rows[e] = i < count ? x[i * stride + e - i * width] : T(0);
    }
  }
  /// Flags of keys begin .. begin + 8 · groups - 1; of keys from `end` on they are 0.
  template <class Block>
  LACUNA_DEVICE static void find(Block block, const BlockHead<T>& head, int begin, int end, int groups,
                                 std::uint8_t* here) {
    for (int g = block.thread(); g < groups; g += block.threads()) {
      int bits = 0;
      for (int u = 0; u < 8; ++u) {
        const int j = begin + 8 * g + u;
        bits |= int(j < end && head.here(j)) << u;
      }
      here[g] = std::uint8_t(bits);
    }
  }
  /// to (R, to_stride): ⟨rows_i, x_j⟩ over `width` features for the first `count` keys that are present.
  template <class Block>
  LACUNA_DEVICE static void dots(Block block, const T* rows, const T* x, int stride, int width,
                                 const std::uint8_t* here, int count, T* to, int to_stride) {
    constexpr int S = keys_at_once;
    const auto team = block.team();
    for (int j = block.team_number() * S; j < count; j += block.teams() * S) {
      const unsigned flags = unsigned(here[j / 8]) >> (j % 8) & ((1u << S) - 1u);
      if (!flags) continue;
      const T* const from = x + j * stride;
      T sum[R * S] = {};
      for (int c = team.lane(); c < width; c += team.lanes()) {
        T number[S];
        for (int u = 0; u < S; ++u) number[u] = flags >> u & 1u ? from[u * stride + c] : T(0);
        for (int r = 0; r < R; ++r) {
          const T a = rows[r * width + c];
          for (int u = 0; u < S; ++u) sum[r * S + u] += a * number[u];
        }
      }
      team.sums(sum, [=](int k, T total) { to[k / S * to_stride + j + k % S] = total; });
    }
  }
  /// sum_r += Σ weight_rj number_j over keys 8g ..: all of them, or those that query first + r sees in causal order.
  LACUNA_HD static void spread(const Four* weights, int fours, int g, bool all, int key, int first,
                               const T (&number)[8], T (&sum)[R]) {
    for (int half = 0; half < 2; ++half)
      for (int r = 0; r < R; ++r) {
        const Four weight = weights[r * fours + 2 * g + half];
        for (int u = 0; u < 4; ++u)
          if (all || key + 4 * half + u <= first + r) sum[r] += weight.at[u] * number[4 * half + u];
      }
  }
};

/// How a block of the forward pass is cut, and where things stand in its memory.
struct WideForwardCut {
  int chunks, groups, splits, columns;  ///< columns: value_size, a multiple of 32
  int query, score, sums, here, bytes;

  template <class T>
  static WideForwardCut of(const AttentionSizes& s, index_t rows, std::size_t most) {
    WideForwardCut cut{};
    cut.chunks = int((s.queries + rows - 1) / rows);
    cut.groups = int((s.keys + 7) / 8);
    cut.columns = int((s.value_size + 31) / 32 * 32);
    cut.splits = std::max(1, std::min({wide_threads(rows) / std::max(cut.columns, 32), cut.groups, 16}));
    for (;; cut.splits /= 2) {
      SharedRoom room;
      cut.query = room.take<T>(rows * s.key_size);
      cut.score = room.take<T>(rows * 8 * cut.groups);
      cut.sums = room.take<T>(rows * cut.splits * s.value_size);
      cut.here = room.take<std::uint8_t>(cut.groups);
      cut.bytes = room.bytes;
      if (cut.splits == 1 || std::size_t(cut.bytes) <= most) return cut;
    }
  }
};

template <class T, int R>
struct WideForward {
  using Parts = WideParts<T, R>;
  using Four = SharedRow<T, 4>;
  AttentionInput<T> in;
  WideForwardCut cut;
  T *weights, *statistics, *y;  // y (B, Q, heads · value_size); the others as AttentionKept, or null

  template <class Block>
  LACUNA_DEVICE void operator()(index_t number, Block block) const {
    const int head_number = int(number) / cut.chunks, first = int(number) % cut.chunks * R;
    const BlockHead<T> head = BlockHead<T>::of(in, head_number);
    const int count = R < head.queries - first ? R : head.queries - first, stride = 8 * cut.groups;
    const int end = head.causal && first + count < head.keys ? first + count : head.keys;
    T* const rows = block.template memory<T>(std::size_t(cut.query));
    T* const score = block.template memory<T>(std::size_t(cut.score));
    T* const sums = block.template memory<T>(std::size_t(cut.sums));
    std::uint8_t* const here = block.template memory<std::uint8_t>(std::size_t(cut.here));
    Parts::load(block, head.query + first * head.query_stride, head.query_stride, head.key_size, count, rows);
    Parts::find(block, head, 0, end, cut.groups, here);
    block.sync();
    Parts::dots(block, rows, head.key, head.key_stride, head.key_size, here, end, score, stride);
    block.sync();
    const auto team = block.team();
    for (int r = block.team_number(); r < R; r += block.teams()) {
      T* const row = score + r * stride;
      if (r < count)
        soften(team, head, head_number, first + r, here, row, stride);
      else
        for (int j = team.lane(); j < stride; j += team.lanes()) row[j] = T(0);
    }
    block.sync();
    const Four* const fours = block.template memory<Four>(std::size_t(cut.score));
    for (int w = block.thread(); w < cut.columns * cut.splits; w += block.threads()) {
      const int split = w / cut.columns, c = w - split * cut.columns;
      if (c >= head.value_size) continue;
      T sum[R] = {};
      for (int g = split; g < cut.groups; g += cut.splits) {
        const unsigned flags = here[g];
        if (!flags) continue;
        T numbers[8];
        for (int u = 0; u < 8; ++u)
          numbers[u] = flags >> u & 1u ? head.value[(8 * g + u) * head.value_stride + c] : T(0);
        if (!head.causal || 8 * g + 7 <= first)
          Parts::spread(fours, stride / 4, g, true, 8 * g, first, numbers, sum);
        else
          Parts::spread(fours, stride / 4, g, false, 8 * g, first, numbers, sum);
      }
      for (int r = 0; r < R; ++r) sums[(split * R + r) * head.value_size + c] = sum[r];
    }
    block.sync();
    for (int e = block.thread(); e < count * head.value_size; e += block.threads()) {
      const int r = e / head.value_size, c = e - r * head.value_size;
      T sum = T(0);
      for (int split = 0; split < cut.splits; ++split) sum += sums[(split * R + r) * head.value_size + c];
      y[head.output_at + (first + r) * head.output_stride + c] = sum;
    }
  }

  /// The products of query i in `row` become weights after dropout, zeros where it does not see the key.
  template <class Team>
  LACUNA_DEVICE void soften(Team team, const BlockHead<T>& head, int head_number, int i, const std::uint8_t* here,
                            T* row, int stride) const {
    const int end = head.causal ? i + 1 : head.keys;
    T largest = T(-INFINITY);
    for (int j = team.lane(); j < stride; j += team.lanes()) {
      const bool seen = j < end && (here[j / 8] >> (j % 8) & 1);
      const T score = seen ? finite_or_nan(row[j] * head.scale) + head.bias_of(i, j) : T(-INFINITY);
      row[j] = score;
      largest = score > largest ? score : largest;
    }
    largest = team.largest(largest);
    if (largest == T(-INFINITY)) largest = T(0);
    T total = T(0);
    for (int j = team.lane(); j < stride; j += team.lanes()) {
      const T e = std::exp(row[j] - largest);
      row[j] = e;
      total += e;
    }
    total = team.sum(total);
    const T share = total == T(0) ? T(0) : T(1) / total;
    const index_t first = head.weight + index_t(i) * head.keys;
    for (int j = team.lane(); j < stride; j += team.lanes()) {
      const bool seen = j < end && (here[j / 8] >> (j % 8) & 1);
      const T weight = seen ? row[j] * share : T(0);
      if (weights && j < head.keys) weights[first + j] = weight;
      row[j] = seen ? weight * weight_factor(in.extras, first + j) : T(0);
    }
    if (!statistics || team.lane() > 0) return;
    T* const to = statistics + index_t(head_number) * 2 * head.queries + i;
    to[0] = largest;
    to[head.queries] = share;
  }
};

/// How the keys of a head are cut for the backward pass, and where things stand in the memory of a block.
struct WideBackwardCut {
  int slices, groups, splits, columns;  ///< groups of eight keys in a slice; columns: key_size, a multiple of 32
  int query, cotangent, slope, used, found, sums, here, bytes;

  template <class T>
  static WideBackwardCut of(const AttentionSizes& s, index_t rows, std::size_t most) {
    WideBackwardCut cut{};
    const index_t heads = s.batch * s.heads, all = (s.keys + 7) / 8;
    const index_t wanted = std::max<index_t>(1, std::min<index_t>({128 / heads, (all + 1) / 2, 8}));
    cut.groups = int((all + wanted - 1) / wanted);
    cut.slices = int((all + cut.groups - 1) / cut.groups);
    cut.columns = int((std::max(s.key_size, s.value_size) + 31) / 32 * 32);
    cut.splits = std::max(1, std::min({wide_threads(rows) / std::max(cut.columns, 32), cut.groups, 16}));
    for (;; cut.splits /= 2) {
      SharedRoom room;
      cut.query = room.take<T>(rows * s.key_size);
      cut.cotangent = room.take<T>(rows * s.value_size);
      cut.slope = room.take<T>(rows * 8 * cut.groups);
      cut.used = room.take<T>(rows * 8 * cut.groups);
      cut.found = room.take<T>(3 * rows);
      cut.sums = room.take<T>(rows * cut.splits * s.key_size);
      cut.here = room.take<std::uint8_t>(cut.groups);
      cut.bytes = room.bytes;
      if (cut.splits == 1 || std::size_t(cut.bytes) <= most) return cut;
    }
  }
};

template <class T, int R>
struct WideBackward {
  using Parts = WideParts<T, R>;
  using Four = SharedRow<T, 4>;
  AttentionInput<T> in;
  WideBackwardCut cut;
  const T *weights, *statistics, *y, *dy;  // one of the first two may be null
  GradientSlot<T> dquery, dkey, dvalue;    // no query is shared here
  index_t slice_apart;                     // numbers between the gradients of the queries from slice to slice
  T* dscore;                               // (B, heads, Q, K) or null

  template <class Block>
  LACUNA_DEVICE void operator()(index_t number, Block block) const {
    const int head_number = int(number) / cut.slices, slice = int(number) % cut.slices;
    const BlockHead<T> head = BlockHead<T>::of(in, head_number);
    const int begin = slice * 8 * cut.groups, stride = 8 * cut.groups;
    const int count = stride < head.keys - begin ? stride : head.keys - begin;
    T* const rows = block.template memory<T>(std::size_t(cut.query));
    T* const cotangents = block.template memory<T>(std::size_t(cut.cotangent));
    T* const slope = block.template memory<T>(std::size_t(cut.slope));
    T* const used = block.template memory<T>(std::size_t(cut.used));
    T* const found = block.template memory<T>(std::size_t(cut.found));
    T* const sums = block.template memory<T>(std::size_t(cut.sums));
    std::uint8_t* const here = block.template memory<std::uint8_t>(std::size_t(cut.here));
    const T* const keys = head.key + begin * head.key_stride;
    const T* const values = head.value + begin * head.value_stride;
    Parts::find(block, head, begin, begin + count, cut.groups, here);
    const auto team = block.team();
    for (int first = 0; first < head.queries; first += R) {
      const int queries = R < head.queries - first ? R : head.queries - first;
      const index_t output = head.output_at + index_t(first) * head.output_stride;
      if (first > 0) block.sync();
      Parts::load(block, head.query + first * head.query_stride, head.query_stride, head.key_size, queries, rows);
      Parts::load(block, dy + output, head.output_stride, head.value_size, queries, cotangents);
      for (int r = block.team_number(); r < queries; r += block.teams()) {
        const index_t at = output + r * head.output_stride;
        T sum = T(0);
        for (int c = team.lane(); c < head.value_size; c += team.lanes()) sum += y[at + c] * dy[at + c];
        sum = team.sum(sum);
        if (team.lane() > 0) continue;
        found[r] = sum;
        if (weights) continue;
        const T* const from = statistics + index_t(head_number) * 2 * head.queries + first + r;
        found[R + r] = from[0];
        found[2 * R + r] = from[head.queries];
      }
      block.sync();
      Parts::dots(block, cotangents, values, head.value_stride, head.value_size, here, count, slope, stride);
      if (!weights) Parts::dots(block, rows, keys, head.key_stride, head.key_size, here, count, used, stride);
      block.sync();
      for (int e = block.thread(); e < R * stride; e += block.threads()) {
        const int r = e / stride, i = first + r, local = e - r * stride, j = begin + local;
        const bool seen = r < queries && (!head.causal || j <= i) && (here[local / 8] >> (local % 8) & 1);
        T change = T(0), dropped = T(0);
        if (seen) {
          const index_t at = head.weight + index_t(i) * head.keys + j;
          const T weight = weights
                               ? weights[at]
                               : std::exp(used[e] * head.scale + head.bias_of(i, j) - found[R + r]) * found[2 * R + r];
          const T factor = weight_factor(in.extras, at);
          dropped = weight * factor;
          change = weight * (slope[e] * factor - found[r]);
          if (dscore) dscore[at] = change;
        }
        slope[e] = change * head.scale;
        used[e] = dropped;
      }
      block.sync();
      add_up(block, head, begin, first, here, rows, cotangents, sums);
      block.sync();
      if (dquery)
        for (int e = block.thread(); e < queries * head.key_size; e += block.threads()) {
          const int r = e / head.key_size, c = e - r * head.key_size;
          T sum = T(0);
          for (int split = 0; split < cut.splits; ++split) sum += sums[(split * R + r) * head.key_size + c];
          dquery.put(slice * slice_apart + head.query_at + (first + r) * head.query_stride + c, sum);
        }
    }
  }

  /// What R queries add to the keys and values of the slice, and these to them. A thread has a feature.
  template <class Block>
  LACUNA_DEVICE void add_up(Block block, const BlockHead<T>& head, int begin, int first, const std::uint8_t* here,
                            const T* rows, const T* cotangents, T* sums) const {
    const Four* const slope = block.template memory<Four>(std::size_t(cut.slope));
    const Four* const used = block.template memory<Four>(std::size_t(cut.used));
    const GradientSlot<T> to_key{dkey.data, dkey.fresh && first == 0};
    const GradientSlot<T> to_value{dvalue.data, dvalue.fresh && first == 0};
    const int fours = 2 * cut.groups;
    for (int w = block.thread(); w < cut.columns * cut.splits; w += block.threads()) {
      const int split = w / cut.columns, c = w - split * cut.columns;
      T query[R], cotangent[R], sum[R] = {};
      for (int r = 0; r < R; ++r) {
        query[r] = c < head.key_size ? rows[r * head.key_size + c] : T(0);
        cotangent[r] = c < head.value_size ? cotangents[r * head.value_size + c] : T(0);
      }
      for (int four = 2 * split; four < fours; four += four % 2 ? 2 * cut.splits - 1 : 1) {
        const int at = begin + 4 * four;
        const unsigned flags = unsigned(here[four / 2]) >> (four % 2 * 4) & 15u;
        const bool all = !head.causal || at + 3 <= first;
        if (to_value && c < head.value_size) {
          T add[4] = {};
          if (flags) gather(used, fours, four, all, at, first, cotangent, add);
          put(to_value, head.value_at, head.value_stride, head.keys, flags, at, c, add);
        }
        if (c >= head.key_size) continue;
        if (to_key) {
          T add[4] = {};
          if (flags) gather(slope, fours, four, all, at, first, query, add);
          put(to_key, head.key_at, head.key_stride, head.keys, flags, at, c, add);
        }
        if (!flags || !dquery) continue;
        T number[4];
        for (int u = 0; u < 4; ++u) number[u] = flags >> u & 1u ? head.key[(at + u) * head.key_stride + c] : T(0);
        for (int r = 0; r < R; ++r) {
          const Four weight = slope[r * fours + four];
          for (int u = 0; u < 4; ++u)
            if (all || at + u <= first + r) sum[r] += weight.at[u] * number[u];
        }
      }
      if (c < head.key_size)
        for (int r = 0; r < R; ++r) sums[(split * R + r) * head.key_size + c] = sum[r];
    }
  }
  /// add_u += Σ_r weight_r,u number_r over the queries that see key at + u.
  LACUNA_HD static void gather(const Four* weights, int fours, int four, bool all, int at, int first,
                               const T (&number)[R], T (&add)[4]) {
    for (int r = 0; r < R; ++r) {
      const Four weight = weights[r * fours + four];
      for (int u = 0; u < 4; ++u)
        if (all || at + u <= first + r) add[u] += weight.at[u] * number[r];
    }
  }
  /// A key that is absent gets 0: a query that sees nothing may be no number, and times 0 it still would be none.
  LACUNA_HD static void put(const GradientSlot<T>& slot, index_t start, int stride, int keys, unsigned flags, int at,
                            int c, const T (&add)[4]) {
    for (int u = 0; u < 4; ++u)
      if (at + u < keys) slot.put(start + (at + u) * stride + c, flags >> u & 1u ? add[u] : T(0));
  }
};

}  // namespace lacuna::cuda
