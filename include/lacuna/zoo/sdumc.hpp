/// SDUMC and its ablations as entries of the registry.
#pragma once

#include "lacuna/data/array_names.hpp"
#include "lacuna/models/sdumc/robust.hpp"
#include "lacuna/models/sdumc/sdumc.hpp"
#include "lacuna/models/set_size.hpp"
#include "lacuna/zoo/entry.hpp"

namespace lacuna::zoo {

/// sdumc: as published, one modality may be missing. any: training takes away any subset. published: the rate, the
/// order of samples, the padding and the unscaled labels of the authors' runs.
enum class SdumcKind { one, any, published };

inline DraftOf<models::SdumcOptions> sdumc_draft(SdumcKind kind) {
  return [kind](const std::string& variant, const Request& request, const Settings&) {
    Draft<models::SdumcOptions> draft{{}, {.schedule = Course::staircase}, {}};
    models::SdumcOptions& o = draft.model;
    o.inputs = request.inputs;
    o.classes = request.classes;
    const auto& names = request.modalities;
    const std::size_t text = detail::text_among(names);
    o.missing = text < names.size() ? index_t(text) : 0;
    if (kind == SdumcKind::any) o.drop = missing::mrm_preset("mplmm");
    if (kind == SdumcKind::published) {
      draft.training.fit.learning_rate = 1e-4;
      draft.training.fit.order = train::Order::published;
      o.padding = models::Padding::published;
      o.standardize_labels = false;
    }
    if (variant == "without-mia") o.imagination = models::Imagination::off;
    if (variant == "without-rnc") o.weights.contrast = 0;
    if (variant == "without-text") o.weights.text = 0;
    if (variant == "without-query") o.weights.query = 0;
    if (variant == "without-feature") o.weights.feature = 0;
    return draft;
  };
}

/// sdumc-robust and what it is without its parts (models/sdumc/robust.hpp). Class ids: longer, at twice the rate, twice as wide,
/// and with four times the weight on the heads of single modalities; of fewer than 1000 training samples at the rate and width
/// of real labels. Few samples ask for more dropout, of either kind of label (docs/research/study.md has the folds and sets
/// that asked for it).
inline DraftOf<models::RobustSdumcOptions> robust_sdumc_draft() {
  return [](const std::string& variant, const Request& request, const Settings&) {
    const bool real = request.classes == 0, few = models::SetSize{.samples = request.samples}.few();
    Draft<models::RobustSdumcOptions> draft{
        {},
        {.fit = {.epochs = real ? 40 : 60, .batch = 64, .learning_rate = real || few ? 1e-3 : 2e-3},
         .schedule = Course::cosine,
         .balance = Balance::automatic},
        {}};
    models::RobustSdumcOptions& o = draft.model;
    o.inputs = request.inputs;
    o.classes = request.classes;
    o.drop = models::robust_sdumc_drop(index_t(request.inputs.size()));
    if (!real) o.weights.own = 2;
    if (!real && !few) o.width = o.fused = 128;
    if (few) o.dropout = 0.3;
    if (few && real) o.frame_dropout = 0.2;
    if (variant == "without-presence") o.presence = false;
    if (variant == "without-gates") o.normalize_gates = false;
    if (variant == "without-own") o.evidence = false;
    if (variant == "without-imagination") o.imagine = false;
    if (variant == "without-stop") o.detach = false;
    if (variant == "without-distillation") o.weights.imagined = o.weights.feature = 0;
    return draft;
  };
}

template <class T, class D = Cpu>
Backend robust_sdumc_backend() {
  return backend_of<models::RobustSdumc<T, D>>(robust_sdumc_draft());
}

template <class T, class D = Cpu>
Backend sdumc_backend(SdumcKind kind) {
  return backend_of<models::Sdumc<T, D>>(sdumc_draft(kind));
}

#ifdef LACUNA_ZOO_PARTS
extern template Backend sdumc_backend<float, Cpu>(SdumcKind);
extern template Backend sdumc_backend<double, Cpu>(SdumcKind);
extern template Backend robust_sdumc_backend<float, Cpu>();
extern template Backend robust_sdumc_backend<double, Cpu>();
#endif

inline void add_sdumc(Registry& to) {
  const std::vector<Variant> variants{{"without-mia", "no imagination autoencoders"},
                                      {"without-rnc", "no Rank-N-Contrast"},
                                      {"without-text", "no loss between queries"},
                                      {"without-query", "no loss between contents"},
                                      {"without-feature", "no loss between fused features"}};
  const auto add = [&](const char* name, const char* what, SdumcKind kind, const std::vector<Variant>& rows) {
    Entry entry{.name = name, .what = what, .paper = "Weng et al., arXiv 2410.15029", .variants = rows};
    entry.options = options_of<models::SdumcOptions>(name, sdumc_draft(kind));
    to.add(std::move(entry), {sdumc_backend<float>(kind), sdumc_backend<double>(kind)});
  };
  add("sdumc", "SDUMC as published: one modality may be missing", SdumcKind::one, variants);
  add("sdumc-any", "SDUMC whose training takes away any subset", SdumcKind::any, variants);
  add("sdumc-published",
      "SDUMC trained as its authors did: rate 1e-4, order of the file, padded frames take part, labels as they are",
      SdumcKind::published, {});
  Entry robust{.name = "sdumc-robust",
               .what = "SDUMC made robust: any subset may be missing, and is imagined",
               .paper = "after Weng et al., arXiv 2410.15029",
               .variants = {{"without-presence", "no flags of what is present"},
                            {"without-gates", "raw numbers as gates"},
                            {"without-own", "no heads of single modalities"},
                            {"without-imagination", "absent modalities are zero"},
                            {"without-stop", "both flows are pulled"},
                            {"without-distillation", "no losses between the flows"}}};
  robust.options = options_of<models::RobustSdumcOptions>("sdumc-robust", robust_sdumc_draft());
  to.add(std::move(robust), {robust_sdumc_backend<float>(), robust_sdumc_backend<double>()});
}

}  // namespace lacuna::zoo
