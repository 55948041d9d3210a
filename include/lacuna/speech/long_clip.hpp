/// Clips of any length by an encoder whose memory grows with the square of it: in pieces that overlap.
///
/// Pieces of `seconds` start every seconds − 2 · overlap; of each, the frames within `overlap` of an inner border are
/// dropped, since they lack what stands beyond it. A clip that fits in one piece is heard as a whole: the same bits.
/// Normalisation is over the whole clip. Longer clips get features of the pieces' contexts: close to those of the whole,
/// not equal.
#pragma once

#include "lacuna/speech/encoder.hpp"

namespace lacuna::speech {

struct PieceOptions {
  double seconds = 30, overlap = 2;
};

/// What is kept of a clip: `last`, and one of the states (F, D).
template <class T>
struct Features {
  Tensor<T, 2> last, state;
};

/// `layer` as in Heard::state, or with `raw` as in Heard::raw. Throws OptionError for pieces that are all overlap.
template <class T>
Features<T> features(const Encoder<T>& encoder, const Tensor<T, 1>& wave, index_t layer, bool raw = false,
                     const PieceOptions& options = {}) {
  const auto& config = encoder.config();
  const index_t hop = config.hop(), frames = config.frames(wave.size());
  const auto piece = index_t(options.seconds * 16000 / double(hop)),
             aside = index_t(options.overlap * 16000 / double(hop));
  if (piece <= 2 * aside || aside < 0)
    throw OptionError(detail::cat("speech: pieces of ", options.seconds, " s that overlap by ", options.overlap, " s"));
  const auto chosen = [&](const Heard<T>& heard) { return raw ? heard.raw(layer) : heard.state(layer); };
  if (frames <= piece) {
    const Heard<T> heard = encoder(wave, {.states = true});
    return {heard.last, chosen(heard)};
  }
  const Tensor<T, 1> whole = config.normalize ? normalized(wave, wave.size()) : wave;
  Features<T> all{Tensor<T, 2>({frames, config.hidden}), Tensor<T, 2>({frames, config.hidden})};
  for (index_t begin = 0, done = 0; done < frames; begin += piece - 2 * aside) {
    const index_t end = std::min(begin + piece, frames), from = begin * hop,
                  samples = std::min((end - begin - 1) * hop + config.field(), wave.size() - from);
    const Heard<T> heard =
        encoder(Tensor<T, 1>(whole.window(from, Shape{samples})), {.states = true, .normalized = true});
    const index_t last = end == frames ? frames : end - aside, count = (last - done) * config.hidden;
    const Tensor<T, 2> state = chosen(heard);
    std::copy_n(heard.last.data() + (done - begin) * config.hidden, count, all.last.data() + done * config.hidden);
    std::copy_n(state.data() + (done - begin) * config.hidden, count, all.state.data() + done * config.hidden);
    done = last;
  }
  return all;
}

}  // namespace lacuna::speech
