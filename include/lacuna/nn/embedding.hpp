/// Embedding table.
#pragma once

#include "lacuna/nn/init.hpp"
#include "lacuna/nn/module.hpp"
#include "lacuna/ops/embedding.hpp"

namespace lacuna {

/// ids (B, T), 0..num_embeddings-1 → (B, T, embedding_dim). Start: N(0, 1), the padding row 0; that row gets no gradient.
template <class T = float, class D = Cpu>
struct Embedding {
  struct Options {
    index_t num_embeddings, embedding_dim;
    index_t padding_index = -1;  ///< none when negative
  };
  index_t padding_index = -1;
  Parameter<T, 2, D> weight;

  Embedding() = default;
  Embedding(Options o, Random& random)
      : padding_index(o.padding_index),
        weight(init::normal<T, 2, D>({o.num_embeddings, o.embedding_dim}, 1.0, random)) {
    if (padding_index >= o.num_embeddings)
      throw OptionError(detail::cat("Embedding: padding index ", padding_index, " of a table of ", o.num_embeddings));
    if (padding_index < 0) return;
    auto row = Tensor<T, 1, D>(weight.value().window(padding_index * o.embedding_dim, Shape{o.embedding_dim}));
    row.assign(std::vector<T>(std::size_t(o.embedding_dim), T(0)));
  }
  template <int R>
  Variable<T, R + 1, D> operator()(const Tensor<index_t, R, D>& ids) const {
    return embedding<R, T, D>(ids, weight, padding_index);
  }
  static void reflect(auto& self, auto&& visit) { visit("weight", self.weight); }
};

}  // namespace lacuna
