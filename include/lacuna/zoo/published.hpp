/// The published models that papers of this field compare with, as entries of the registry. Training is that of their
/// authors on MOSI: their batches of gradients that are summed before a step are one batch here, which Adam cannot tell
/// apart; 60 epochs at most, the best of them by validation, 8 without a better one end it.
///
/// In f32 alone: every model and precision costs 20 seconds of compilation. In double they are models like any other
/// (`models::Tfn<double>`), and can be added by zoo::add.
#pragma once

#include "lacuna/models/baselines/cra.hpp"
#include "lacuna/models/baselines/cube_mlp.hpp"
#include "lacuna/models/baselines/dmd.hpp"
#include "lacuna/models/baselines/gcnet.hpp"
#include "lacuna/models/baselines/lmf.hpp"
#include "lacuna/models/baselines/lnln.hpp"
#include "lacuna/models/baselines/mctn.hpp"
#include "lacuna/models/baselines/mfn.hpp"
#include "lacuna/models/baselines/misa.hpp"
#include "lacuna/models/baselines/mmim.hpp"
#include "lacuna/models/baselines/mult.hpp"
#include "lacuna/models/baselines/self_mm.hpp"
#include "lacuna/models/baselines/tfn.hpp"
#include "lacuna/models/baselines/tfr_net.hpp"
#include "lacuna/zoo/entry.hpp"

namespace lacuna::zoo {

/// The modality named text or language is the text; without such a name the first one.
template <class Options>
DraftOf<Options> published_draft(Options defaults, Training training) {
  return [plain = plain_draft(defaults, training)](const std::string& variant, const Request& request,
                                                   const Settings& own) {
    Draft<Options> draft = plain(variant, request, own);
    if constexpr (requires { draft.model.text; })
      for (std::size_t m = 0; m < request.modalities.size(); ++m)
        if (request.modalities[m] == "text" || request.modalities[m] == "language") draft.model.text = index_t(m);
    return draft;
  };
}
inline Training published_training(index_t batch, double rate, double decay = 0, double clip = 0) {
  return {.fit = {.epochs = 60,
                  .batch = batch,
                  .learning_rate = rate,
                  .weight_decay = decay,
                  .gradient_clip = clip,
                  .patience = 8}};
}

/// One row per model: its name, what it is, its paper, and how it is trained. `M<T, D>`: the model.
template <template <class, class> class M>
struct Published {
  using Options = typename M<float, Cpu>::Options;
  std::string name, what, paper;
  Options options;
  Training training;
  bool classes = true;
};
/// f(row) for each of them.
template <class F>
void for_each_published(F&& f) {
  f(Published<models::Tfn>{"tfn",
                           "TFN: the outer product of three modalities",
                           "Zadeh et al., EMNLP 2017",
                           {},
                           published_training(32, 1e-3)});
  f(Published<models::Lmf>{
      "lmf", "LMF: that product at low rank", "Liu et al., ACL 2018", {}, published_training(64, 1e-3, 5e-3)});
  f(Published<models::Mult>{"mult",
                            "MulT: modalities attend to each other through all layers",
                            "Tsai et al., ACL 2019, arXiv 1906.00295",
                            {},
                            published_training(128, 2e-3, 0, 0.6)});
  f(Published<models::Misa>{"misa",
                            "MISA: shared and private parts of every modality",
                            "Hazarika et al., ACM MM 2020, arXiv 2005.03545",
                            {},
                            published_training(32, 1e-4, 0, 0.8)});
  f(Published<models::SelfMm>{"self-mm",
                              "Self-MM: a label for every modality, made while it learns",
                              "Yu et al., AAAI 2021, arXiv 2102.04830",
                              {},
                              published_training(64, 1e-3, 1e-3),
                              false});
  f(Published<models::Mfn>{"mfn",
                           "MFN: three LSTMs and a memory that watches them",
                           "Zadeh et al., AAAI 2018",
                           {},
                           published_training(128, 2e-3)});
  models::MfnOptions graph;
  graph.graph = true, graph.memory = 300, graph.keep_hidden = 128, graph.write_hidden = 64, graph.hidden = 256;
  graph.update_hidden = 32;
  f(Published<models::Mfn>{"graph-mfn", "Graph-MFN: MFN whose memory reads a graph of all subsets",
                           "Zadeh et al., ACL 2018", graph, published_training(32, 2e-3, 5e-3)});
  f(Published<models::CubeMlp>{"cubemlp",
                               "CubeMLP: perceptrons over time, modalities and features",
                               "Sun et al., ACM MM 2022, arXiv 2207.14087",
                               {},
                               published_training(128, 4e-3, 0, 1)});
  f(Published<models::Mctn>{"mctn",
                            "MCTN: the text translated into the others and back",
                            "Pham et al., AAAI 2019, arXiv 1812.07809",
                            {},
                            published_training(32, 1e-4, 0, 1)});
  f(Published<models::Mmim>{"mmim",
                            "MMIM: keeps the mutual information of modalities and fusion",
                            "Han et al., EMNLP 2021, arXiv 2109.00412",
                            {},
                            published_training(32, 1e-3, 1e-4, 1),
                            false});
  f(Published<models::Dmd>{"dmd",
                           "DMD: shared and private parts, distilled along learned graphs",
                           "Li et al., CVPR 2023, arXiv 2303.13802",
                           {},
                           published_training(160, 1e-4, 0, 0.6)});
  f(Published<models::Lnln>{"lnln",
                            "LNLN: the text dominates, a proxy stands in for what it lacks",
                            "Zhang et al., NeurIPS 2024, arXiv 2409.20012",
                            {},
                            published_training(64, 1e-4, 1e-4)});
  f(Published<models::TfrNet>{"tfr-net",
                              "TFR-Net: learns by rebuilding erased frames",
                              "Yuan et al., ACM MM 2021",
                              {},
                              published_training(24, 1e-3, 1e-3, 0.8)});
  f(Published<models::Cra>{"cra",
                           "CRA: a cascade of autoencoders rebuilds what is missing",
                           "Tran et al., CVPR 2017",
                           {},
                           published_training(256, 1e-3)});
  models::CraOptions plain;
  plain.residual = false, plain.recon = 0.2;
  f(Published<models::Cra>{"ae", "AE: one plain autoencoder in its place", "Hinton & Salakhutdinov, Science 2006",
                           plain, published_training(256, 1e-3)});
  f(Published<models::Gcnet>{"gcnet",
                             "GCNet: graphs over the speakers and the time of conversations",
                             "Lian et al., TPAMI 2023, arXiv 2203.02177",
                             {},
                             published_training(512, 1e-3, 1e-5)});
}

/// A model whose options are drafted so, in one precision: what the objects of lacuna::zoo hold.
template <class M>
Backend published_backend(const DraftOf<typename M::Options>& draft) {
  return backend_of<M>(draft);
}

#define LACUNA_PUBLISHED_OF(part, T)                                                                   \
  part template Backend published_backend<models::Tfn<T>>(const DraftOf<models::TfnOptions>&);         \
  part template Backend published_backend<models::Lmf<T>>(const DraftOf<models::LmfOptions>&);         \
  part template Backend published_backend<models::Mult<T>>(const DraftOf<models::MultOptions>&);       \
  part template Backend published_backend<models::Misa<T>>(const DraftOf<models::MisaOptions>&);       \
  part template Backend published_backend<models::SelfMm<T>>(const DraftOf<models::SelfMmOptions>&);   \
  part template Backend published_backend<models::Mfn<T>>(const DraftOf<models::MfnOptions>&);         \
  part template Backend published_backend<models::CubeMlp<T>>(const DraftOf<models::CubeMlpOptions>&); \
  part template Backend published_backend<models::Mctn<T>>(const DraftOf<models::MctnOptions>&);       \
  part template Backend published_backend<models::Mmim<T>>(const DraftOf<models::MmimOptions>&);       \
  part template Backend published_backend<models::Dmd<T>>(const DraftOf<models::DmdOptions>&);         \
  part template Backend published_backend<models::Lnln<T>>(const DraftOf<models::LnlnOptions>&);       \
  part template Backend published_backend<models::TfrNet<T>>(const DraftOf<models::TfrNetOptions>&);   \
  part template Backend published_backend<models::Cra<T>>(const DraftOf<models::CraOptions>&);         \
  part template Backend published_backend<models::Gcnet<T>>(const DraftOf<models::GcnetOptions>&);

#ifdef LACUNA_ZOO_PARTS
LACUNA_PUBLISHED_OF(extern, float)
#endif

inline void add_published(Registry& to) {
  for_each_published([&]<template <class, class> class M>(const Published<M>& row) {
    Entry entry{.name = row.name, .what = row.what, .paper = row.paper};
    entry.class_ids = row.classes;
    const auto draft = published_draft(row.options, row.training);
    entry.options = options_of<typename M<float, Cpu>::Options>(row.name, draft);
    to.add(std::move(entry), {published_backend<M<float, Cpu>>(draft)});
  });
}

}  // namespace lacuna::zoo
