/// The published models that papers of this field compare with, as entries of the registry. Training is that of their
/// authors on MOSI: their batches of gradients that are summed before a step are one batch here, which Adam cannot tell
/// apart; 60 epochs at most, the best of them by validation, 8 without a better one end it.
///
/// In f32 alone: every model and precision costs 20 seconds of compilation. In double they are models like any other
/// (`models::Tfn<double>`), and can be added by zoo::add.
#pragma once

#include "lacuna/data/array_names.hpp"
#include "lacuna/models/baselines/cra.hpp"
#include "lacuna/models/baselines/cube_mlp.hpp"
#include "lacuna/models/baselines/dicmor.hpp"
#include "lacuna/models/baselines/dmd.hpp"
#include "lacuna/models/baselines/gcnet.hpp"
#include "lacuna/models/baselines/imder.hpp"
#include "lacuna/models/baselines/lmf.hpp"
#include "lacuna/models/baselines/lnln.hpp"
#include "lacuna/models/baselines/mctn.hpp"
#include "lacuna/models/baselines/mfn.hpp"
#include "lacuna/models/baselines/misa.hpp"
#include "lacuna/models/baselines/mmim.hpp"
#include "lacuna/models/baselines/mult.hpp"
#include "lacuna/models/baselines/self_mm.hpp"
#include "lacuna/models/baselines/smil.hpp"
#include "lacuna/models/baselines/tfn.hpp"
#include "lacuna/models/baselines/tfr_net.hpp"
#include "lacuna/zoo/entry.hpp"

namespace lacuna::zoo {

/// The modality that is text by its name (data/array_names.hpp) is the text; without such a name the first one. A phase
/// before the rest is as long as the rest.
template <class Options>
DraftOf<Options> published_draft(Options defaults, Training training) {
  return [plain = plain_draft(defaults, training)](const std::string& variant, const Request& request,
                                                   const Settings& own) {
    Draft<Options> draft = plain(variant, request, own);
    if constexpr (requires { draft.model.text; })
      if (const std::size_t text = detail::text_among(request.modalities); text < request.modalities.size())
        draft.model.text = index_t(text);
    if constexpr (requires { draft.model.pretraining; })
      draft.couple = [](Options& o, Training& t) {
        o.pretraining = {t.fit.epochs, t.fit.batch, t.fit.learning_rate, t.fit.gradient_clip};
      };
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

/// One row per model: its name, what it is, its paper, how it is trained (batch, rate, decay, clip). `M<T, D>`: the
/// model.
template <template <class, class> class M>
struct Published {
  using Options = typename M<float, Cpu>::Options;
  const char *name, *what, *paper;
  Training training;
  bool classes = true;
  Options options = {};
};
inline models::MfnOptions graph_mfn_options() {
  return {.memory = 300,
          .attention_hidden = 32,
          .update_hidden = 32,
          .keep_hidden = 128,
          .write_hidden = 64,
          .hidden = 256,
          .graph = true};
}

inline models::CraOptions plain_autoencoder_options() {
  models::CraOptions o;
  o.residual = false, o.recon = 0.2;
  return o;
}

/// The table: f(row) for each of them. A row is all that a new model needs here.
template <class F>
void for_each_published(F&& f) {
  using namespace models;
  const auto t = published_training;
  f(Published<Tfn>{"tfn", "TFN: the outer product of three modalities", "Zadeh et al., EMNLP 2017", t(32, 1e-3, 0, 0)});
  f(Published<Lmf>{"lmf", "LMF: that product at low rank", "Liu et al., ACL 2018", t(64, 1e-3, 5e-3, 0)});
  f(Published<Mult>{"mult", "MulT: modalities attend to each other through all layers",
                    "Tsai et al., ACL 2019, arXiv 1906.00295", t(128, 2e-3, 0, 0.6)});
  f(Published<Misa>{"misa", "MISA: shared and private parts of every modality",
                    "Hazarika et al., ACM MM 2020, arXiv 2005.03545", t(32, 1e-4, 0, 0.8)});
  f(Published<SelfMm>{"self-mm", "Self-MM: a label for every modality, made while it learns",
                      "Yu et al., AAAI 2021, arXiv 2102.04830", t(64, 1e-3, 1e-3, 0), false});
  f(Published<Mfn>{"mfn", "MFN: three LSTMs and a memory that watches them", "Zadeh et al., AAAI 2018",
                   t(128, 2e-3, 0, 0)});
  f(Published<Mfn>{"graph-mfn", "Graph-MFN: MFN whose memory reads a graph of all subsets", "Zadeh et al., ACL 2018",
                   t(32, 2e-3, 5e-3, 0), true, graph_mfn_options()});
  f(Published<CubeMlp>{"cubemlp", "CubeMLP: perceptrons over time, modalities and features",
                       "Sun et al., ACM MM 2022, arXiv 2207.14087", t(128, 4e-3, 0, 1)});
  f(Published<Mctn>{"mctn", "MCTN: the text translated into the others and back",
                    "Pham et al., AAAI 2019, arXiv 1812.07809", t(32, 1e-4, 0, 1)});
  f(Published<Mmim>{"mmim", "MMIM: keeps the mutual information of modalities and fusion",
                    "Han et al., EMNLP 2021, arXiv 2109.00412", t(32, 1e-3, 1e-4, 1), false});
  f(Published<Dmd>{"dmd", "DMD: shared and private parts, distilled along learned graphs",
                   "Li et al., CVPR 2023, arXiv 2303.13802", t(160, 1e-4, 0, 0.6)});
  f(Published<Lnln>{"lnln", "LNLN: the text dominates, a proxy stands in for what it lacks",
                    "Zhang et al., NeurIPS 2024, arXiv 2409.20012", t(64, 1e-4, 1e-4, 0)});
  f(Published<Dicmor>{"dicmor", "DiCMoR: flows carry a missing modality over from the others", "Wang et al., ICCV 2023",
                      t(32, 1e-4, 0, 0.6)});
  f(Published<TfrNet>{"tfr-net", "TFR-Net: learns by rebuilding erased frames", "Yuan et al., ACM MM 2021",
                      t(24, 1e-3, 1e-3, 0.8)});
  f(Published<Cra>{"cra", "CRA: a cascade of autoencoders rebuilds what is missing", "Tran et al., CVPR 2017",
                   t(256, 1e-3, 0, 0)});
  f(Published<Cra>{"ae", "AE: one plain autoencoder in its place", "Hinton & Salakhutdinov, Science 2006",
                   t(256, 1e-3, 0, 0), true, plain_autoencoder_options()});
  f(Published<Gcnet>{"gcnet", "GCNet: graphs over the speakers and the time of conversations",
                     "Lian et al., TPAMI 2023, arXiv 2203.02177", t(512, 1e-3, 1e-5, 0)});
  f(Published<Imder>{"imder", "IMDer: diffusion makes a missing modality from the others", "Wang et al., NeurIPS 2023",
                     t(32, 2e-3, 0, 1)});
  f(Published<Smil>{"smil", "SMIL: learns to learn with stand-ins for what is missing",
                    "Ma et al., AAAI 2021, arXiv 2103.05677", t(64, 1e-3, 1e-4, 0)});
}

/// What can be done with every model of the table in one precision, in its order: an object of lacuna::zoo.
template <class T>
std::vector<Backend> published_backends() {
  std::vector<Backend> all;
  for_each_published([&]<template <class, class> class M>(const Published<M>& row) {
    all.push_back(backend_of<M<T, Cpu>>(published_draft(row.options, row.training)));
  });
  return all;
}
#ifdef LACUNA_ZOO_PARTS
extern template std::vector<Backend> published_backends<float>();
#endif

inline void add_published(Registry& to) {
  const std::vector<Backend> backends = published_backends<float>();
  std::size_t next = 0;
  for_each_published([&]<template <class, class> class M>(const Published<M>& row) {
    Entry entry{.name = row.name, .what = row.what, .paper = row.paper};
    entry.class_ids = row.classes;
    entry.f32_only = true;
    entry.options = options_of<typename Published<M>::Options>(row.name, published_draft(row.options, row.training));
    to.add(std::move(entry), {backends[next++]});
  });
}

}  // namespace lacuna::zoo
