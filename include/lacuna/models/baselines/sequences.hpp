/// What the published baselines share: streams as variables, which of them is the text, and the last frame that counts.
///
/// Their papers name three streams: text (language), audio, vision. The option `text` says which stream of the data is
/// the text; the others follow in the order of the data, the first of them in the place of audio. Every network is a
/// function of `Sequences`, so that gradients reach inputs as well.
///
/// `published` in the options of a baseline: what its authors' code does, padding and defects included. Without it the
/// network does what the paper says, and sees present frames only.
#pragma once

#include "lacuna/models/model.hpp"
#include "lacuna/ops/indexing.hpp"
#include "lacuna/ops/manipulation.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna::models {

/// One stream: frames (B, T, D), 0 where absent, and present (B, T).
template <class T, class D = Cpu>
struct Sequence {
  Variable<T, 3, D> frames;
  Mask<2, D> present;

  /// The frames that the network looks at: those present, or with `all` every row, padding included (undefined).
  Mask<2, D> seen(bool all) const { return all ? Mask<2, D>() : present; }
};
template <class T, class D = Cpu>
using Sequences = std::vector<Sequence<T, D>>;

/// Number `text` first, the others in their order.
template <class X>
std::vector<X> text_first(const std::vector<X>& all, index_t text) {
  std::vector<X> order{all[std::size_t(text)]};
  for (std::size_t m = 0; m < all.size(); ++m)
    if (index_t(m) != text) order.push_back(all[m]);
  return order;
}
template <class T, class D>
Sequences<T, D> sequences(const Streams<T, D>& streams, index_t text) {
  Sequences<T, D> all;
  for (const auto& stream : streams) all.push_back({Variable<T, 3, D>(stream.frames), stream.present});
  return text_first(all, text);
}

/// Feature sizes, text first. Throws OptionError for data of another number of modalities, and says why.
template <class Options>
std::vector<index_t> three_inputs(const char* name, const Options& o) {
  if (o.inputs.size() != 3)
    throw OptionError(detail::cat(name, ": is made of text and two other modalities, the data have ", o.inputs.size(),
                                  "; choose three with --modalities"));
  if (o.text < 0 || o.text > 2) throw OptionError(detail::cat(name, ": text is modality ", o.text, ", expected 0..2"));
  return text_first(o.inputs, o.text);
}

/// With frames behind its own that are absent. Throws ShapeError where there are more already.
template <class T, class D>
Sequence<T, D> lengthened(const Sequence<T, D>& x, index_t frames, const char* name) {
  const index_t batch = x.frames.extent(0), own = x.frames.extent(1);
  if (own == frames) return x;
  if (own > frames) throw ShapeError(detail::cat(name, ": ", own, " frames, expected at most ", frames));
  Sequence<T, D> y{pad(x.frames, 1, 0, frames - own), {}};
  if (!x.present.defined()) return y;
  const auto all = x.present.to_vector();
  std::vector<std::uint8_t> longer(std::size_t(batch * frames), 0);
  for (index_t b = 0; b < batch; ++b) std::copy_n(all.begin() + b * own, own, longer.begin() + b * frames);
  y.present = Mask<2, D>::from({batch, frames}, longer);
  return y;
}

/// 1 for every of n samples that has something; undefined: all have.
template <class D>
std::vector<std::uint8_t> flags(const Mask<1, D>& has, index_t n) {
  return has.defined() ? has.to_vector() : std::vector<std::uint8_t>(std::size_t(n), 1);
}
/// The samples that both masks have; undefined where both are.
template <class D>
Mask<1, D> both(const Mask<1, D>& a, const Mask<1, D>& b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  auto all = a.to_vector();
  const auto other = b.to_vector();
  for (std::size_t i = 0; i < all.size(); ++i) all[i] &= other[i];
  return Mask<1, D>::from({index_t(all.size())}, all);
}

/// x (B, T, F) at the last present frame of every sample → (B, F), 0 for a sample without one; without a mask the last
/// row.
template <class T, class D>
Variable<T, 2, D> last_frame(const Variable<T, 3, D>& x, const Mask<2, D>& present) {
  if (!present.defined()) return select(x, 1, -1);
  const index_t batch = x.extent(0), frames = x.extent(1);
  const auto mask = present.to_list();
  List<index_t> rows;
  for (index_t b = 0; b < batch; ++b) {
    index_t t = frames - 1;
    while (t > 0 && !mask[std::size_t(b * frames + t)]) --t;
    rows.push_back(b * frames + t);
  }
  const auto flat = reshape(x, std::array<index_t, 2>{batch * frames, x.extent(2)});
  return apply_mask(index_select(flat, 0, std::span<const index_t>(rows)), any_present(present));
}

/// Throws OptionError for a size below 1.
inline void expect_sizes(const char* name, std::initializer_list<index_t> sizes) {
  for (const index_t size : sizes)
    if (size < 1) throw OptionError(detail::cat(name, ": a size is ", size, ", expected at least 1"));
}

/// Throws OptionError for data with sequences longer than `most` frames, which `option` says.
inline void refuse_longer(const char* name, const char* option, index_t most, const data::Dataset& data) {
  for (const auto& modality : data.train.modalities)
    if (modality.frames.extent(1) > most)
      throw OptionError(detail::cat(name, ": '", modality.name, "' of ", data.name, " has ", modality.frames.extent(1),
                                    " frames, ", option, " is ", most));
}
/// Whether every modality has one frame.
inline bool are_vectors(const data::Dataset& data) {
  for (const auto& modality : data.train.modalities)
    if (modality.frames.extent(1) != 1) return false;
  return true;
}

}  // namespace lacuna::models
