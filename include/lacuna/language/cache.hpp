/// Keys and values of the positions that a language model has read: those of the prompt once, those behind it per beam.
#pragma once

#include <span>

#include "lacuna/core/tensor.hpp"
#include "lacuna/kernels/cpu/grouped_attention.hpp"

namespace lacuna::language {

template <class T>
class Cache {
 public:
  /// `layers` of rows of `width` numbers (key heads · head size).
  Cache(index_t layers, index_t width) : layers_(std::size_t(layers)), width_(width) {}

  index_t beams() const { return beams_; }
  /// Positions read so far, by each beam.
  index_t length() const { return prefix_ + tail_; }
  /// What has been read so far is common to `beams` that go on from here. Needs a cache of one beam.
  void fork(index_t beams) {
    for (Layer& layer : layers_) {
      layer.prefix_key = Tensor<T, 1>::from({prefix_ * width_ + tail_ * width_}, joined(layer.prefix_key, layer.key));
      layer.prefix_value =
          Tensor<T, 1>::from({prefix_ * width_ + tail_ * width_}, joined(layer.prefix_value, layer.value));
    }
    prefix_ += tail_;
    restart(beams);
  }
  /// Forgets what was read behind the common part.
  void restart(index_t beams) {
    for (Layer& layer : layers_) layer.key = layer.value = {};
    beams_ = beams;
    tail_ = room_ = 0;
  }
  /// Beam b goes on from where beam parents[b] was. There may be fewer or more beams than before.
  void reorder(std::span<const index_t> parents) {
    const auto count = index_t(parents.size());
    for (Layer& layer : layers_)
      for (Tensor<T, 1>* kept : {&layer.key, &layer.value}) {
        Tensor<T, 1> moved({count * room_ * width_});
        for (index_t b = 0; b < count; ++b)
          copy(kept->data() + parents[std::size_t(b)] * room_ * width_, moved.data() + b * room_ * width_);
        *kept = moved;
      }
    beams_ = count;
  }
  /// Room for `more` positions of each beam, before the layers `append` theirs.
  void grow(index_t more) {
    next_ = tail_ + more;
    if (next_ <= room_) return;
    const index_t room = std::max<index_t>(next_, 2 * room_);
    for (Layer& layer : layers_)
      for (Tensor<T, 1>* kept : {&layer.key, &layer.value}) {
        Tensor<T, 1> larger({beams_ * room * width_});
        for (index_t b = 0; b < beams_; ++b) copy(kept->data() + b * room_ * width_, larger.data() + b * room * width_);
        *kept = larger;
      }
    room_ = room;
  }
  /// The rows (beams · more, width) of one layer.
  void append(index_t layer, const T* key, const T* value) {
    Layer& kept = layers_[std::size_t(layer)];
    const index_t more = next_ - tail_, size = more * width_;
    for (index_t b = 0; b < beams_; ++b) {
      const index_t to = (b * room_ + tail_) * width_;
      std::copy_n(key + b * size, size, kept.key.data() + to);
      std::copy_n(value + b * size, size, kept.value.data() + to);
    }
  }
  /// All that beam b sees in a layer, with what was appended last.
  std::array<cpu::KeyRun<T>, 2> runs(index_t layer, index_t beam) const {
    const Layer& kept = layers_[std::size_t(layer)];
    const index_t at = beam * room_ * width_;
    return {{{kept.prefix_key.data(), kept.prefix_value.data(), prefix_},
             {kept.key.data() + at, kept.value.data() + at, next_}}};
  }
  /// Every layer has appended.
  void advance() { tail_ = next_; }

 private:
  struct Layer {
    Tensor<T, 1> prefix_key, prefix_value, key, value;
  };
  void copy(const T* from, T* to) const {
    if (tail_ > 0) std::copy_n(from, tail_ * width_, to);
  }
  /// The common part, and the tail of the only beam behind it.
  std::vector<T> joined(const Tensor<T, 1>& first, const Tensor<T, 1>& second) const {
    std::vector<T> all(first.data(), first.data() + prefix_ * width_);
    all.insert(all.end(), second.data(), second.data() + tail_ * width_);
    return all;
  }

  std::vector<Layer> layers_;
  index_t width_, beams_ = 1, prefix_ = 0, tail_ = 0, room_ = 0, next_ = 0;
};

}  // namespace lacuna::language
