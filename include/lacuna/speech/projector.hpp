/// What makes a language model hear: five frames of a speech encoder become one soft token. (Ma et al. 2024, SLAM-LLM)
///   y = W₂ relu(W₁ [x_{5t}; …; x_{5t+4}] + b₁) + b₂;  the last F mod 5 frames are dropped.
#pragma once

#include "lacuna/io/weights.hpp"
#include "lacuna/kernels/cpu/widen.hpp"
#include "lacuna/nn/linear.hpp"

namespace lacuna::speech {

template <class T = float>
struct Projector {
  Linear<T> linear1, linear2;

  Projector() = default;
  struct Options {
    index_t encoder = 1024, hidden = 2048, language = 4096, frames = 5;
  };
  Projector(const Options& o, Random& random)
      : linear1({.in_features = o.encoder * o.frames, .out_features = o.hidden}, random),
        linear2({.in_features = o.hidden, .out_features = o.language}, random) {}
  /// linear1 and linear2 of a folder or file; names may begin with "encoder_projector.", as SLAM-LLM writes them.
  explicit Projector(const std::string& path) {
    const io::Weights weights(path, {"encoder_projector."});
    const auto load = [&](Linear<T>& to, const std::string& name, index_t in) {
      const StoredArray weight = weights.at(name + ".weight");
      if (weight.shape.rank() != 2 || (in > 0 && weight.shape[1] != in))
        throw IoError(detail::cat(weight.where, " has shape ", weight.shape, ", expected (out, ",
                                  in > 0 ? std::to_string(in) : "in", ")"));
      const StoredArray bias = weights.at(name + ".bias", {weight.shape[0]});
      Tensor<T, 2> w({weight.shape[0], weight.shape[1]});
      Tensor<T, 1> b({weight.shape[0]});
      cpu::Widen::widen(weight.type, w.size(), weight.bytes, w.data());
      cpu::Widen::widen(bias.type, b.size(), bias.bytes, b.data());
      to.weight = Parameter<T, 2>(w);
      to.bias = Parameter<T, 1>(b);
    };
    load(linear1, "linear1", 0);
    load(linear2, "linear2", linear1.weight.extent(0));
  }

  /// Frames that make one soft token, given their width D. Throws ShapeError when the sizes do not fit.
  index_t frames(index_t width) const {
    const index_t in = linear1.weight.extent(1);
    if (width < 1 || in % width != 0)
      throw ShapeError(detail::cat("projector: takes ", in, " numbers, which is no multiple of the encoder's ", width));
    return in / width;
  }
  /// (F, D) → (⌊F / frames⌋, language).
  Variable<T, 2> operator()(const Tensor<T, 2>& heard) const {
    const index_t together = frames(heard.extent(1)), tokens = heard.extent(0) / together;
    const Tensor<T, 2> stacked(heard.window(0, Shape{tokens, together * heard.extent(1)}));
    return linear2(linear1(Variable<T, 2>(stacked), Activation::relu));
  }
  static void reflect(auto& self, auto&& visit) {
    visit("linear1", self.linear1);
    visit("linear2", self.linear2);
  }
};

}  // namespace lacuna::speech
