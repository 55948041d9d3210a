/// What the other models are compared with, as entries of the registry: networks inside models::Model.
#pragma once

#include "lacuna/models/baselines/early_fusion.hpp"
#include "lacuna/models/baselines/mmin.hpp"
#include "lacuna/models/baselines/modality_dropout_transformer.hpp"
#include "lacuna/zoo/entry.hpp"

namespace lacuna::zoo {

inline Training baseline_training(index_t epochs, Course schedule) {
  return {.fit = {.epochs = epochs, .batch = 64, .learning_rate = 1e-3, .gradient_clip = 1}, .schedule = schedule};
}

inline DraftOf<models::EarlyFusionOptions> early_fusion_draft(bool drop) {
  models::EarlyFusionOptions o;
  if (drop) o.drop = models::modality_dropping();
  return plain_draft(o, baseline_training(150, Course::constant));
}
inline DraftOf<models::ModalityDropoutTransformerOptions> dropout_transformer_draft() {
  return plain_draft(models::ModalityDropoutTransformerOptions{}, baseline_training(60, Course::cosine));
}
inline DraftOf<models::MminOptions> mmin_draft() {
  return [plain = plain_draft(models::MminOptions{}, baseline_training(40, Course::cosine))](
             const std::string& variant, const Request& request, const Settings& own) {
    Draft<models::MminOptions> draft = plain(variant, request, own);
    draft.couple = [](models::MminOptions& o, Training& t) {
      o.pretraining = {t.fit.epochs, t.fit.batch, t.fit.learning_rate, t.fit.gradient_clip};
    };
    return draft;
  };
}

template <class T, class D = Cpu>
Backend early_fusion_backend(bool drop) {
  return backend_of<models::EarlyFusion<T, D>>(early_fusion_draft(drop));
}
template <class T, class D = Cpu>
Backend dropout_transformer_backend() {
  return backend_of<models::ModalityDropoutTransformer<T, D>>(dropout_transformer_draft());
}
template <class T, class D = Cpu>
Backend mmin_backend() {
  return backend_of<models::Mmin<T, D>>(mmin_draft());
}

#ifdef LACUNA_ZOO_PARTS
extern template Backend early_fusion_backend<float, Cpu>(bool);
extern template Backend early_fusion_backend<double, Cpu>(bool);
extern template Backend dropout_transformer_backend<float, Cpu>();
extern template Backend dropout_transformer_backend<double, Cpu>();
extern template Backend mmin_backend<float, Cpu>();
extern template Backend mmin_backend<double, Cpu>();
#endif

inline void add_baselines(Registry& to) {
  for (const bool drop : {false, true}) {
    Entry entry{.name = drop ? "early-fusion-drop" : "early-fusion",
                .what = drop ? "the same with modalities dropped at random"
                             : "averages side by side and a perceptron, complete data"};
    entry.options = options_of<models::EarlyFusionOptions>(entry.name, early_fusion_draft(drop));
    to.add(std::move(entry), {early_fusion_backend<float>(drop), early_fusion_backend<double>(drop)});
  }
  Entry transformer{.name = "modality-dropout-transformer",
                    .what = "one Transformer over all frames, modalities dropped at random",
                    .paper = "Neverova et al., TPAMI 2016; Ma et al., CVPR 2022"};
  transformer.options = options_of<models::ModalityDropoutTransformerOptions>(transformer.name, dropout_transformer_draft());
  to.add(std::move(transformer), {dropout_transformer_backend<float>(), dropout_transformer_backend<double>()});
  Entry mmin{.name = "mmin",
             .what = "MMIN: an autoencoder imagines what is missing",
             .paper = "Zhao, Li & Jin, ACL 2021"};
  mmin.options = options_of<models::MminOptions>(mmin.name, mmin_draft());
  to.add(std::move(mmin), {mmin_backend<float>(), mmin_backend<double>()});
}

}  // namespace lacuna::zoo
