// lacuna extract: sound to the streams that models take.
#include <zlib.h>

#include <chrono>
#include <mutex>

#include "clip_streams.hpp"
#include "commands.hpp"
#include "lacuna/speech/listener.hpp"
#include "lacuna/speech/sound.hpp"
#include "support/program.hpp"

namespace program {
namespace {

using namespace lacuna;
namespace fs = std::filesystem;

struct ExtractOptions {
  speech::ListenerOptions listener;
  std::string sound, manifest, out, set, format = "npz", states = "sum4", early = "off";
  int jobs = 0;
  bool quiet = false;
};

void declare(CLI::App& app, ExtractOptions& o) {
  speech::ListenerOptions& l = o.listener;
  app.add_option("--sound", o.sound, "folder of clips")->required();
  app.add_option("--manifest", o.manifest,
                 "list of clips, CSV with a header: clip,split,label,class,text; without: all sounds of the folder, "
                 "their transcripts in .txt beside them");
  app.add_option("--model", l.speech, "folder of WavLM, HuBERT or wav2vec 2.0: audio features");
  support::number_option(app, "--layer", l.layer,
                         "which hidden state, negative from the end; the last one is behind the final norm");
  app.add_flag("--raw", l.raw, "count as transformers 5 does: the last one is in front of that norm");
  app.add_option("--language", l.language, "folder of a Llama or Qwen2 model: hidden states of transcripts");
  app.add_option("--projector", l.projector, "folder or file of linear1, linear2: simulated text");
  app.add_flag("--int8", l.weights.int8,
               "keep the language model's weights in eight bits: half the memory of bf16, numbers that are off by some "
               "per cent");
  app.add_option("--prompt", l.prompt, "what the language model is asked; \"short\": the recipe's");
  app.add_option("--language-states", o.states,
                 "sumN: the sum of the last N hidden states; a number: that one, negative from the end")
      ->capture_default_str();
  app.add_flag("--published", l.published,
               "simulated text of beam row 0 at every step, as the authors of SDUMC stored it; else of the best text");
  support::number_option(app, "--beams", l.generate.num_beams, "1: greedy", {1, 1000});
  support::number_option(app, "--new-tokens", l.generate.max_new_tokens, "at most", {1, 1000000});
  support::number_option(app, "--piece-seconds", l.pieces.seconds, "longer clips are heard in overlapping pieces",
                         {0, 1e6});
  app.add_option("--out", o.out, "folder of one file per clip; what is there and was made alike stays")->required();
  app.add_option("--format", o.format, "npz, or npy with a .json beside")
      ->check(CLI::IsMember({"npz", "npy"}))
      ->capture_default_str();
  app.add_option("--set", o.set,
                 "all clips as one data set (.npz), for --data of the other commands; needs --manifest");
  support::number_option(app, "--jobs", o.jobs, "clips at once; 0: as many as there are cores",
                         {0, support::most_threads});
  app.add_flag("--quiet", o.quiet, "no progress");
}

void check(ExtractOptions& o) {
  speech::ListenerOptions& l = o.listener;
  if (l.speech.empty() && l.language.empty()) throw OptionError("nothing to extract: give --model, or --language");
  if (l.weights.int8 && l.language.empty()) throw OptionError("--int8 is of a language model: give --language");
  if (!o.set.empty() && o.manifest.empty()) throw OptionError("--set needs --manifest, which says splits and labels");
  if (l.prompt == "short") l.prompt = speech::short_prompt;
  const bool sum = o.states.starts_with("sum");
  const auto value = lacuna::detail::number_from<index_t>(std::string_view(o.states).substr(sum ? 3 : 0));
  if (!value || (sum && *value < 1)) throw OptionError("--language-states: '" + o.states + "', expected sum4, -4, ...");
  if (sum)
    l.sum = *value;
  else
    l.state = *value;
}

std::uint32_t crc_of(const std::string& path) {
  const io::MappedFile file(path);
  return std::uint32_t(::crc32_z(0, file.bytes().data(), file.bytes().size()));
}
/// A model by the name of its folder and what its settings are; hashing gigabytes of weights would take longer than a clip.
io::Json identity(const std::string& folder) {
  if (folder.empty()) return nullptr;
  io::Json json{{"name", fs::path(folder).filename().string()}};
  if (fs::is_regular_file(folder)) json["bytes"] = fs::file_size(folder);
  if (fs::exists(folder + "/config.json")) json["config"] = crc_of(folder + "/config.json");
  std::uintmax_t bytes = 0;
  if (fs::is_directory(folder))
    for (const auto& entry : fs::directory_iterator(folder))
      if (const std::string kind = entry.path().extension().string();
          kind == ".safetensors" || kind == ".bin" || kind == ".pt")
        bytes += entry.file_size();
  if (bytes > 0) json["bytes"] = bytes;
  return json;
}
io::Json provenance(const ExtractOptions& o) {
  const speech::ListenerOptions& l = o.listener;
  io::Json json{{"lacuna", support::version()}, {"speech", identity(l.speech)}, {"language", identity(l.language)}};
  if (!l.speech.empty()) json.update({{"layer", l.layer}, {"raw", l.raw}, {"piece_seconds", l.pieces.seconds}});
  if (!l.language.empty()) json["language_states"] = o.states;
  if (l.weights.int8) json["int8"] = true;
  if (!l.projector.empty())
    json.update({{"projector", identity(l.projector)},
                 {"prompt", l.prompt},
                 {"published", l.published},
                 {"beams", l.generate.num_beams},
                 {"new_tokens", l.generate.max_new_tokens}});
  return json;
}

/// A line that is written over, and how long it will take.
class Shown {
 public:
  Shown(std::size_t total, bool quiet) : total_(total), quiet_(quiet) {}
  void step(bool worked) {
    const std::lock_guard lock(mutex_);
    ++done_;
    worked_ += worked;
    if (quiet_) return;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    const double left = worked_ > 0 ? seconds / double(worked_) * double(total_ - done_) : 0;
    std::fprintf(stderr, "\rlacuna extract: %zu of %zu clips, %.0f s left  %s", done_, total_, left,
                 done_ == total_ ? "\n" : "");
    std::fflush(stderr);
  }
  void complain(const std::string& line) {
    const std::lock_guard lock(mutex_);
    std::fprintf(stderr, "%slacuna extract: %s\n", quiet_ ? "" : "\n", line.c_str());
    ++failed_;
  }
  std::size_t failed() const { return failed_; }
  std::size_t worked() const { return worked_; }

 private:
  std::size_t total_, done_ = 0, worked_ = 0, failed_ = 0;
  bool quiet_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

int extract_all(ExtractOptions& o) {
  check(o);
  const Manifest manifest = o.manifest.empty() ? manifest_of_folder(o.sound) : read_manifest(o.manifest, o.sound);
  const std::vector<ClipRow>& rows = manifest.rows;
  const speech::Listener<float> listener(o.listener);
  const io::Json how = provenance(o);
  fs::create_directories(o.out);
  std::vector<ClipStreams> clips(rows.size());
  Shown shown(rows.size(), o.quiet);
  const auto work = [&](std::size_t i) {
    const ClipRow& row = rows[i];
    try {
      io::Json json = how;
      if (listener.hears()) json["sound"] = crc_of(row.file);
      if (listener.reads() && row.text) json["text"] = *row.text;
      std::vector<std::string> wanted;
      if (listener.hears()) wanted.push_back("audio");
      if (listener.reads() && row.text) wanted.push_back("text");
      if (listener.simulates()) wanted.push_back("simulated");
      const std::string path = o.out + "/" + row.name, text = json.dump();
      const bool npz = o.format == "npz";
      if (auto stored = stored_streams(path, npz, text, wanted)) {
        clips[i] = *std::move(stored);
        return shown.step(false);
      }
      ClipStreams made;
      made.provenance = text;
      if (listener.hears()) {
        auto heard = listener(speech::load_sound<float>(row.file));
        made.streams["audio"] = heard.audio;
        if (listener.simulates()) made.streams["simulated"] = heard.simulated;
        made.said = heard.said;
      }
      if (listener.reads() && row.text) made.streams["text"] = listener.text(*row.text);
      save_streams(path, npz, made);
      clips[i] = std::move(made);
      shown.step(true);
    } catch (const std::exception& problem) {
      shown.complain(row.name + ": " + problem.what());
      shown.step(false);
    }
  };
  const auto count = std::ptrdiff_t(rows.size());
#ifdef _OPENMP
  const int team = o.jobs > 0 ? o.jobs : int(std::min<std::ptrdiff_t>(lacuna::threads(), count));
#pragma omp parallel for num_threads(team) schedule(dynamic, 1) if (team > 1)
#endif
  for (std::ptrdiff_t i = 0; i < count; ++i) work(std::size_t(i));
  if (shown.failed() > 0)
    return support::fail("lacuna extract",
                         detail::cat(shown.failed(), " of ", rows.size(), " clips failed; what was made is in ", o.out,
                                     ", and a second call goes on"),
                         1);
  if (!o.set.empty()) save_set(o.set, manifest, clips);
  std::printf("%s: %zu clips, %zu made now\n", o.out.c_str(), rows.size(), shown.worked());
  if (listener.simulates())
    for (std::size_t i = 0; i < rows.size() && i < 4; ++i)
      std::printf("  %s: %s\n", rows[i].name.c_str(), clips[i].said.c_str());
  if (!o.set.empty()) std::printf("%s: for --data of the other commands\n", o.set.c_str());
  return 0;
}

}  // namespace

int extract(const Call& call) {
  ExtractOptions options;
  CLI::App app(
      "Makes streams of sound: audio features, hidden states of transcripts, and the text that a language model hears.",
      "lacuna extract");
  return support::run(
      "lacuna extract", app, call.argc, call.argv, [&] { declare(app, options); },
      [&] { return extract_all(options); });
}

}  // namespace program
