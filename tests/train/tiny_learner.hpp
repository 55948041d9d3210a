/// The smallest model that has everything the trainer asks for: parameters, dropout, something fitted before training,
/// named loss terms, and two conditions.
#pragma once

#include "lacuna/data/synthetic.hpp"
#include "lacuna/losses/regression.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/train/trainer.hpp"

namespace lacuna::test {

/// ŷ = Lin(dropout(relu(Lin(x)))), x the averages of the present frames, side by side, less the training means.
template <class T = float>
struct TinyLearner {
  using scalar = T;
  struct Options {
    std::vector<index_t> inputs;
    index_t width = 8;
    double dropout = 0.2;
  };
  Options options;
  Linear<T> first, last;
  std::vector<double> means;  ///< fitted by `prepare`
  double poison = 0;          ///< added to one loss term

  TinyLearner() = default;
  TinyLearner(const Options& o, Random random) : options(o), means(std::size_t(total()), 0.0) {
    first = Linear<T>({.in_features = total(), .out_features = o.width}, random);
    last = Linear<T>({.in_features = o.width, .out_features = 1}, random);
  }
  index_t total() const {
    index_t sum = 0;
    for (const index_t in : options.inputs) sum += in;
    return sum;
  }

  void prepare(const data::Dataset& data, Random& random) {
    index_t column = 0;
    for (const auto& modality : data.train.modalities)
      for (index_t d = 0; d < modality.features(); ++d)
        means[std::size_t(column++)] = double(modality.frames(0, 0, d)) * 0.1 + 1e-3 * random.uniform();
  }
  Variable<T, 2> averages(const data::Batch<T>& batch) const {
    Tensor<T, 2> x = Tensor<T, 2>::zeros({batch.size(), total()});
    index_t column = 0;
    for (const auto& stream : batch.streams) {
      for (index_t b = 0; b < batch.size(); ++b) {
        index_t count = 0;
        for (index_t t = 0; t < stream.present.extent(1); ++t) count += stream.present(b, t);
        for (index_t t = 0; t < stream.present.extent(1); ++t)
          for (index_t d = 0; d < stream.frames.extent(2); ++d)
            if (stream.present(b, t))
              x(b, column + d) += (stream.frames(b, t, d) - T(means[std::size_t(column + d)])) / T(count);
      }
      column += stream.frames.extent(2);
    }
    return Variable<T, 2>(x);
  }
  Variable<T, 2> forward(const data::Batch<T>& batch, const Context& context) const {
    return last(dropout(first(averages(batch), Activation::relu), options.dropout, context));
  }
  train::LossTerms<T> loss(const data::Batch<T>& batch, const Context& context) const {
    const Variable<T, 2> target(batch.labels.reshape(std::array<index_t, 2>{batch.size(), 1}));
    const auto squares = mse_loss(forward(batch, context), target);
    const auto total_loss = squares + T(poison) * squares;
    return {total_loss, {{"squares", double(squares.item())}, {"poison", poison}}};
  }
  std::vector<double> predict(const data::Batch<T>& batch) const {
    const auto output = forward(batch, {});
    return {output.data(), output.data() + batch.size()};
  }
  std::vector<missing::MissingSpec> conditions(const std::vector<std::string>& names) const {
    return {missing::without({}, names), missing::without({names.front()}, names)};
  }
  void save_state(State& state) const {
    state.put("inputs", options.inputs);
    state.put("width", options.width);
    state.put("dropout", options.dropout);
    state.put("means", means);
  }
  void load_state(const State& state) {
    Options o;
    state.get("inputs", o.inputs);
    state.get("width", o.width);
    state.get("dropout", o.dropout);
    *this = TinyLearner(o, Random(0));
    state.get("means", means);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("first", self.first);
    visit("last", self.last);
  }
};
static_assert(train::Learner<TinyLearner<float>> && train::Learner<TinyLearner<double>>);

inline data::Corpus tiny_corpus(index_t samples = 70) {
  return data::synthetic({.samples = samples, .seed = 3, .validation = 20, .test = 20, .max_frames = 4});
}

/// All parameters in one vector.
template <class M>
auto flat(const M& model) {
  std::vector<typename M::scalar> all;
  for_each_parameter(model, [&](const std::string&, const auto& parameter) {
    all.insert(all.end(), parameter.data(), parameter.data() + parameter.size());
  });
  return all;
}

}  // namespace lacuna::test
