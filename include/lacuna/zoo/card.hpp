/// What a checkpoint says of its model besides numbers: everything that a program needs to load and feed it without
/// knowing where it came from.
///
///     const zoo::Card card = zoo::make_card("corrkd", "f32", corpus, *model);
///     io::save_checkpoint("mine.lacuna", zoo::with_card(train::model_state(network), card));
///     zoo::card_of(io::load_checkpoint("mine.lacuna")).streams      // "audio", "text", "video"
///
/// In the file it stands under "about/". Errors: IoError for a file that has none, or one that contradicts itself.
#pragma once

#include <Eigen/Core>

#include "lacuna/core/state.hpp"
#include "lacuna/data/dataset.hpp"
#include "lacuna/version.hpp"
#include "lacuna/zoo/any_model.hpp"

namespace lacuna::zoo {

struct Card {
  std::string model;                         ///< the registered name, by which the file is loaded
  std::string spec;                          ///< as its user named it: corrkd-student:depth=2
  std::string dtype = "f32";                 ///< of the parameters: f32 or f64
  std::vector<std::string> streams;          ///< names, in the order of the model
  std::vector<index_t> features;             ///< sizes of their frames
  std::vector<std::uint8_t> may_be_missing;  ///< 1: the model was made for the absence of this stream
  index_t classes = 0;                       ///< K class ids; 0: a real label
  std::vector<std::string> class_names;      ///< K of them, or none
  /// What is answered for a sample of which nothing is present: the mean training label, or the share of every class.
  std::vector<double> prior;
  std::string data;      ///< name of the data set
  std::string versions;  ///< of lacuna, Eigen and the compiler that wrote it

  static void reflect(auto& self, auto&& visit) {
    visit("model", self.model);
    visit("spec", self.spec);
    visit("dtype", self.dtype);
    visit("streams", self.streams);
    visit("features", self.features);
    visit("may_be_missing", self.may_be_missing);
    visit("classes", self.classes);
    visit("class_names", self.class_names);
    visit("prior", self.prior);
    visit("data", self.data);
    visit("versions", self.versions);
  }
};

/// lacuna 0.1.0, Eigen 3.4.0, GCC 12.2.0
inline std::string versions() {
  std::string text = detail::cat("lacuna ", LACUNA_VERSION_MAJOR, ".", LACUNA_VERSION_MINOR, ".", LACUNA_VERSION_PATCH,
                                 ", Eigen ", EIGEN_WORLD_VERSION, ".", EIGEN_MAJOR_VERSION, ".", EIGEN_MINOR_VERSION);
#if defined(__clang__)
  text += detail::cat(", Clang ", __clang_major__, ".", __clang_minor__, ".", __clang_patchlevel__);
#elif defined(__GNUC__)
  text += detail::cat(", GCC ", __GNUC__, ".", __GNUC_MINOR__, ".", __GNUC_PATCHLEVEL__);
#endif
  return text;
}

/// Mean of the training labels, or the share of each of `classes`.
inline std::vector<double> prior_of(const data::Split<data::Role::train>& train, index_t classes) {
  std::vector<double> prior(classes > 0 ? std::size_t(classes) : 1, 0.0);
  if (classes > 0) {
    for (const index_t k : train.classes)
      if (k >= 0 && k < classes) prior[std::size_t(k)] += 1 / double(train.classes.size());
  } else {
    for (const float label : train.labels)
      if (std::isfinite(label)) prior[0] += double(label) / double(train.labels.size());
  }
  return prior;
}

inline Card make_card(const std::string& model, const std::string& dtype, const data::Dataset& data,
                      const AnyModel& trained) {
  Card card;
  card.model = card.spec = model;
  card.dtype = dtype;
  card.streams = data.modality_names();
  card.features = data.dimensions();
  card.classes = trained.classes();
  card.prior = prior_of(data.train, card.classes);
  card.data = data.name;
  card.versions = versions();
  card.may_be_missing.assign(card.streams.size(), 0);
  for (const missing::MissingSpec& condition : trained.conditions(card.streams))
    for (std::size_t m = 0; m < condition.absent.size() && m < card.may_be_missing.size(); ++m)
      if (condition.absent[m]) card.may_be_missing[m] = 1;
  return card;
}

/// The state of a model with its card.
inline State with_card(State model, const Card& card) {
  State about;
  about.put_fields(card);
  about.put("task", card.classes > 0 ? "classes" : "real");
  model.put("about", about);
  return model;
}

inline Card card_of(const State& state) {
  if (!state.contains("about/model"))
    throw IoError(state.origin() +
                  ": does not say which model it holds ('about/model' is missing); train it again with this version");
  const State about = state.under("about");
  Card card;
  about.get_fields(card);
  const auto& flags = card.may_be_missing;
  if (card.dtype != "f32" && card.dtype != "f64") about.fail("dtype", "is '" + card.dtype + "', expected f32 or f64");
  if (card.streams.empty() || card.features.size() != card.streams.size() || flags.size() != card.streams.size())
    about.fail("streams", detail::cat("names ", card.streams.size(), " streams; there are sizes of ",
                                      card.features.size(), " and flags of ", flags.size()));
  constexpr index_t most = index_t(1) << 24;  // absent frames have a place, too: no file may ask for any size
  for (const index_t features : card.features)
    if (features < 1 || features > most)
      about.fail("features", detail::cat("holds ", features, ", expected 1..", most));
  if (card.classes < 0 || card.prior.size() != std::size_t(card.classes > 0 ? card.classes : 1))
    about.fail("prior", detail::cat("has ", card.prior.size(), " numbers for ", card.classes, " classes"));
  if (!card.class_names.empty() && index_t(card.class_names.size()) != card.classes)
    about.fail("class_names", detail::cat("are ", card.class_names.size(), ", the model has ", card.classes));
  return card;
}

}  // namespace lacuna::zoo
