// lacuna convert: data sets and weights of other programs as .npz or safetensors.
#include "commands.hpp"
#include "data_format.hpp"
#include "support/program.hpp"
#include "weights.hpp"

namespace program {

int convert(const Call& call) {
  using namespace lacuna;
  namespace formats = data::formats;
  std::string from, to;
  FormatOptions options;
  bool quiet = false;
  CLI::App app("Writes a data set or a file of weights as .npz or .safetensors: with ids, lengths, masks and where it "
               "comes from.",
               "lacuna convert");
  app.add_option("from", from, "a data set of any known format, or weights (.pt, .pth, .bin, .safetensors)")->required();
  app.add_option("to", to, "a name that ends in .npz or .safetensors")->required();
  app.add_flag("-q,--quiet", quiet, "say nothing but what was inferred or left out");
  declare(app, options);
  return support::run("lacuna convert", app, call.argc, call.argv, [] {}, [&] {
    const auto say = [&](const data::LoadNotes& notes) {
      for (const data::Note& note : notes)
        if (note.always || !quiet) std::fprintf(stderr, "lacuna convert: note: %s\n", note.text.c_str());
    };
    if (const std::string kind = kind_of_weights(from); !kind.empty()) {
      const io::Npz tensors = tensors_of(from, kind);
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
