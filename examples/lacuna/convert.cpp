// lacuna convert: data sets and weights of other programs as .npz or safetensors; models as weights or ONNX, and back.
#include "commands.hpp"
#include "data_format.hpp"
#include "foresight.hpp"
#include "lacuna/zoo/onnx/export.hpp"
#include "lacuna/zoo/sdumc_weights.hpp"
#include "model_file.hpp"
#include "support/program.hpp"
#include "weights.hpp"

namespace program {
namespace {

using namespace lacuna;

/// What a model is converted by.
struct ModelOptions {
  std::string model, like, names;
  index_t longest = zoo::OnnxOptions().longest;
};

/// {"ours": "theirs"}, in the order of the file.
zoo::NamePatterns patterns_of(const std::string& path) {
  zoo::NamePatterns patterns;
  if (path.empty()) return patterns;
  (void)io::load_json(path);  // says what is wrong with it
  const io::MappedFile file(path);
  const auto json = nlohmann::ordered_json::parse(file.bytes().begin(), file.bytes().end());
  for (const auto& [ours, theirs] : json.items()) {
    if (!theirs.is_string()) throw IoError(path + ": '" + ours + "' is mapped to no text");
    patterns.emplace_back(ours, theirs.get<std::string>());
  }
  return patterns;
}

/// A stored model as weights or as a graph.
void convert_model(const std::string& from, const std::string& to, const ModelOptions& options) {
  const State state = io::load_checkpoint(from);
  if (to.ends_with(".onnx")) {
    zoo::save_onnx(to, state, {.longest = options.longest});
    std::printf("%s as ONNX, opset 17, in %s\n", zoo::card_of(state).spec.c_str(), to.c_str());
    return;
  }
  zoo::save_weights(to, state, patterns_of(options.names));
  std::printf("%zu tensors in %s\n", zoo::pytorch_tensors(state).size(), to.c_str());
}

/// Weights as a stored model.
void convert_weights(const std::string& from, const std::string& kind, const std::string& to,
                     const ModelOptions& options) {
  const io::Npz tensors = tensors_of(from, kind);
  zoo::LoadedWeights loaded;
  if (!options.model.empty()) {
    loaded = zoo::sdumc_from_pytorch(tensors, zoo::parse_model(options.model));
    const auto model = loaded.state.under("model");
    std::fprintf(stderr,
                 "lacuna convert: note: streams are audio, text, video, simulated_text; nothing is standardised\n");
    if (options.model.find("imagination=") == std::string::npos &&
        model.get<models::Imagination>("imagination") != models::Imagination::off)
      std::fprintf(
          stderr,
          "lacuna convert: note: the file does not say to what the imagination is added; it is taken to "
          "be the stand-in (imagination=input), not its transition (transition), and to be used at all (off)\n");
  } else if (!options.like.empty()) {
    const State like = io::load_checkpoint(options.like);
    auto names = zoo::pytorch_tensors(like);
    zoo::rename_tensors(names, patterns_of(options.names));
    loaded = zoo::load_weights(like, tensors, names);
  } else if (kind == "safetensors") {
    loaded.state = zoo::load_weights(io::Safetensors(from), tensors);
  } else {
    throw OptionError("--model: " + from +
                      " does not say which model it belongs to; name it (sdumc), or a stored model with --like");
  }
  (void)zoo::registry().load(loaded.state);  // refuses what is no model
  for (const std::string& name : loaded.unused)
    std::fprintf(stderr, "lacuna convert: note: tensor '%s' belongs to no parameter and is left out\n",
                 support::printable(name).c_str());
  io::save_checkpoint(to, loaded.state);
  std::printf("%s in %s\n", zoo::card_of(loaded.state).spec.c_str(), to.c_str());
}

}  // namespace

int convert(const Call& call) {
  namespace formats = data::formats;
  std::string from, to;
  FormatOptions options;
  ModelOptions model;
  bool quiet = false;
  CLI::App app(
      "Writes a data set or a file of weights as .npz or .safetensors: with ids, lengths, masks and where it "
      "comes from. A trained model becomes weights for PyTorch or an ONNX graph, weights become a model.",
      "lacuna convert");
  app.add_option("from", from,
                 "a data set of any known format, weights (.pt, .pth, .bin, .safetensors), or a model (.lacuna)")
      ->required();
  app.add_option("to,--out", to,
                 "a name that ends in .npz or .safetensors; of a model also .pt or .onnx; of weights also .lacuna")
      ->required();
  app.add_option("--model", model.model, "weights to .lacuna: the model that they belong to, as sdumc-published")
      ->group("Models");
  app.add_option("--like", model.like,
                 "weights to .lacuna: a stored model of the same kind and sizes, whose numbers they replace")
      ->group("Models");
  app.add_option("--names", model.names,
                 "JSON file {\"our name\": \"theirs\"} for other names of tensors; * stands for any text")
      ->group("Models");
  app.add_option("--longest", model.longest, "ONNX: frames of a stream for which positions are kept")->group("Models");
  app.add_flag("-q,--quiet", quiet, "say nothing but what was inferred or left out");
  declare(app, options);
  return support::run(
      "lacuna convert", app, call.argc, call.argv, [] {},
      [&] {
        const auto say = [&](const data::LoadNotes& notes) {
          for (const data::Note& note : notes)
            if (note.always || !quiet)
              std::fprintf(stderr, "lacuna convert: note: %s\n", support::printable(note.text).c_str());
        };
        expect_other_file("to", to, {from});
        expect_writable(to);
        if (is_model(from)) {
          convert_model(from, to, model);
          return 0;
        }
        if (const std::string kind = kind_of_weights(from); !kind.empty()) {
          if (to.ends_with(".lacuna")) {
            convert_weights(from, kind, to, model);
            return 0;
          }
          const io::Npz tensors = tensors_of(from, kind);
          if (tensors.names().empty())
            throw IoError(from +
                          ": has no tensors under names, expected those of one model: torch.save(model.state_dict(), "
                          "file); lacuna describe shows what it has");
          formats::save(tensors, to, [&] { return formats::provenance(from, {}); });
          std::printf("%zu tensors in %s\n", tensors.names().size(), to.c_str());
          return 0;
        }
        options.import.unlabelled = formats::Unlabelled::keep;  // a file keeps what training may leave out
        formats::Recognised found{options.import.format};
        if (found.format.empty()) found = formats::recognise(from);
        if (found.format == "npz") {
          const io::Npz file(from);
          formats::save(file, to, [&] { return formats::provenance(from, {}); });
          std::printf("%zu arrays in %s\n", file.names().size(), to.c_str());
          return 0;
        }
        const formats::Arrays arrays = formats::import(from, options.import, std::move(found));
        formats::save(arrays.npz(), to, [&] { return formats::provenance(from, arrays.notes()); });
        say(arrays.notes());
        std::printf("%zu arrays in %s\n", arrays.names().size(), to.c_str());
        return 0;
      });
}

}  // namespace program
