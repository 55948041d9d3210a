/// The models that can be named: what programs list, train, compare, store and load.
///
///     #include <lacuna/zoo/models.hpp>                          // all models of the library, or link lacuna::zoo
///     for (const zoo::Entry& entry : zoo::registry().entries()) std::puts(entry.name.c_str());
///     const auto system = zoo::registry().make(zoo::parse_model("corrkd:scd=0.5"), request);   // ready to be trained
///     const auto model = zoo::registry().load(io::load_checkpoint("mine.lacuna"));             // ready to predict
///
/// A model of one's own joins with one line, `zoo::add<MyModel>("mine", "what it is")` (zoo/entry.hpp), in any file of
/// the program. `zoo::registry()` is one object per program; entries are added before they are used, not while.
#pragma once

#include <algorithm>
#include <map>

#include "lacuna/core/function.hpp"
#include "lacuna/zoo/card.hpp"
#include "lacuna/zoo/spec.hpp"

namespace lacuna::lab {
struct System;
}

namespace lacuna::zoo {

/// What every model is told about data and task.
struct Request {
  std::vector<std::string> modalities = {};
  std::vector<index_t> inputs = {};  ///< feature size of every modality
  index_t classes = 0;               ///< K, or 0 for real labels
  Settings common = {};              ///< options that the user has set for all models
  std::string dtype = "f32";         ///< of all arithmetic: f32 or f64
  std::string device = "cpu";        ///< cpu or cuda
  std::vector<double> prior = {};    ///< share of every class in the training split; empty: not known, or real labels
  index_t frames = 0;                ///< of the longest training sample; 1: vectors, 0: not known
  index_t samples = 0;               ///< of the training split; 0: not known

  /// A stand-in where data are not known yet: what help is shown for.
  static Request example() { return {{"audio", "text", "video"}, {5, 5, 5}}; }
};

/// An option of a model or of its training, as help shows it.
struct OptionInfo {
  std::string name, value, help;  ///< value: the default
  std::vector<std::string> choices;
  bool training = false;  ///< of the training, not of the model
};

/// A name that may follow after a hyphen: a row of the ablation table.
struct Variant {
  std::string name, what;
};

/// What can be done with a model of one dtype on one device.
struct Backend {
  std::string dtype = "f32", device = "cpu";
  Function<lab::System(const ModelSpec&, const std::string& variant, const Request&)> make;
  Function<std::shared_ptr<const AnyModel>(const State&)> load;
};

struct Entry {
  std::string name, what;
  std::string paper = {};
  std::vector<Variant> variants = {};
  bool real_labels = true, class_ids = true;  ///< what it can be trained on
  bool f32_only = false;                      ///< registered in no other precision, to keep compilation short
  /// Options with the defaults they have for these data. Throws OptionError for what cannot be.
  Function<std::vector<OptionInfo>(const std::string& variant, const Request&)> options = {};
};

class Registry {
 public:
  const std::vector<Entry>& entries() const { return entries_; }

  /// Throws OptionError when the name is taken or cannot be one.
  void add(Entry entry, std::vector<Backend> backends) {
    if (entry.name.empty() || entry.name.find_first_of(":=, \t") != std::string::npos)
      throw OptionError("a model cannot be named '" + entry.name + "'");
    for (const Entry& one : entries_)
      if (one.name == entry.name) throw OptionError("there is a model '" + entry.name + "' already");
    for (Backend& backend : backends) add_backend(entry.name, std::move(backend));
    entries_.push_back(std::move(entry));
  }
  /// For a model that is there already, or will be.
  void add_backend(const std::string& name, Backend backend) {
    backends_[{name, backend.device, backend.dtype}] = std::move(backend);
  }

  /// The entry that a name means, and the variant it asks for. Throws OptionError for a name that no entry has.
  std::pair<const Entry*, std::string> find(const std::string& name) const {
    const Entry* best = nullptr;
    std::string known;
    for (const Entry& entry : entries_) {
      known += (known.empty() ? "" : ", ") + entry.name;
      if (name != entry.name && name.rfind(entry.name + "-", 0) != 0) continue;
      const std::string variant = name == entry.name ? "" : name.substr(entry.name.size() + 1);
      const bool has = variant.empty() || std::any_of(entry.variants.begin(), entry.variants.end(),
                                                      [&](const Variant& one) { return one.name == variant; });
      if (has && (best == nullptr || entry.name.size() > best->name.size())) best = &entry;
    }
    if (best == nullptr)
      throw OptionError("there is no model '" + name + "'; there are " + known + "; 'models' shows their variants");
    return {best, name == best->name ? "" : name.substr(best->name.size() + 1)};
  }

  /// A recipe, ready to be trained. Throws OptionError for names, options and data that do not fit.
  lab::System make(const ModelSpec& spec, const Request& request) const;

  /// All options of a model, or of one of its variants. Throws OptionError.
  std::vector<OptionInfo> options(const std::string& name, const Request& request = Request::example()) const {
    const auto [entry, variant] = find(name);
    return entry->options(variant, request);
  }

  /// A stored model, on the host or on another device. Throws IoError for a state that is none of these models.
  std::shared_ptr<const AnyModel> load(const State& state, const std::string& device = "cpu") const {
    const Card card = card_of(state);
    const bool known =
        std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == card.model; });
    if (!known) state.fail("about/model", "is '" + card.model + "', which this program does not know");
    return backend(card.model, device, card.dtype).load(state);
  }

  /// The card of a model that was just trained. state: lab::Trained::state, which has no card yet. Throws OptionError.
  Card card(const std::string& spec, const std::string& dtype, const data::Dataset& data, const State& state) const {
    const Entry* entry = find(parse_model(spec).name).first;
    Card card;
    card.model = entry->name;
    card.dtype = dtype;
    card.streams = data.modality_names();
    card.features = data.dimensions();
    card.may_be_missing.assign(card.streams.size(), 0);
    card.prior = {0};
    // what a model says of itself can only be asked of a loaded one
    const auto model = backend(entry->name, "cpu", dtype).load(with_card(state, card));
    card = make_card(entry->name, dtype, data, *model);
    card.spec = spec;
    return card;
  }

  /// A model and all its variants, the rows of an ablation table; options behind the name are those of every row.
  /// Throws OptionError.
  std::vector<std::string> ablation(const std::string& text) const {
    const std::string name = parse_model(text).name, options = text.substr(name.size());
    std::string known;
    for (const Entry& entry : entries_) {
      if (entry.variants.empty()) continue;
      known += (known.empty() ? "" : ", ") + entry.name;
      if (entry.name != name) continue;
      std::vector<std::string> models{text};
      for (const Variant& variant : entry.variants) models.push_back(name + "-" + variant.name + options);
      return models;
    }
    throw OptionError("there is no ablation table of '" + name + "'; there are those of " + known);
  }

  bool has(const std::string& name, const std::string& device, const std::string& dtype) const {
    return backends_.count({name, device, dtype}) != 0;
  }
  /// Throws OptionError.
  const Backend& backend(const std::string& name, const std::string& device, const std::string& dtype) const {
    const auto found = backends_.find({name, device, dtype});
    if (found == backends_.end())
      throw OptionError("model '" + name + "' cannot be had in " + dtype + " on device " + device + " in this program");
    return found->second;
  }

 private:
  struct Key {
    std::string name, device, dtype;
    auto operator<=>(const Key&) const = default;
  };
  std::vector<Entry> entries_;
  std::map<Key, Backend> backends_;
};

/// The models of this program.
inline Registry& registry() {
  static Registry all;
  return all;
}

}  // namespace lacuna::zoo
