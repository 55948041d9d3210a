// SDUMC and its ablations.
#include "lacuna/models/sdumc/sdumc.hpp"
#include "systems_learner.hpp"

namespace support {
namespace {

lacuna::lab::System make_sdumc(const ModelSpec& spec, const std::string& variant, const SystemRequest& request,
                               bool any_subset) {
  using namespace lacuna;
  models::SdumcOptions o;
  o.inputs = request.inputs;
  o.classes = request.classes;
  const auto& names = request.modalities;
  const auto text = std::find(names.begin(), names.end(), "text") - names.begin();
  o.missing = text < std::ptrdiff_t(names.size()) ? index_t(text) : 0;
  if (any_subset) o.drop = missing::mrm_preset("mplmm");
  if (variant == "without-mia") o.imagination = models::Imagination::off;
  if (variant == "without-rnc") o.weights.contrast = 0;
  if (variant == "without-text") o.weights.text = 0;
  if (variant == "without-query") o.weights.query = 0;
  if (variant == "without-feature") o.weights.feature = 0;
  ModelSpec own = spec;  // the modality that may be missing goes by its name
  for (auto& [option, value] : own.settings)
    for (std::size_t m = 0; option == "missing" && m < names.size(); ++m)
      if (value == names[m]) value = std::to_string(m);
  return learner<models::Sdumc<>>(own, request, o, {}, "warm-up 5, then x 0.9 every 10", [](auto&, const auto&) {});
}

}  // namespace

std::vector<SystemEntry> sdumc_systems() {
  const std::vector<Variant> variants{{"without-mia", "no imagination autoencoders"},
                                      {"without-rnc", "no Rank-N-Contrast"},
                                      {"without-text", "no loss between queries"},
                                      {"without-query", "no loss between contents"},
                                      {"without-feature", "no loss between fused features"}};
  return {
      {"sdumc", "SDUMC as published: one modality may be missing", variants,
       [](const auto& spec, const auto& variant, const auto& request) {
         return make_sdumc(spec, variant, request, false);
       }},
      {"sdumc-any", "SDUMC whose training takes away any subset", variants,
       [](const auto& spec, const auto& variant, const auto& request) {
         return make_sdumc(spec, variant, request, true);
       }},
  };
}

}  // namespace support
