/// Sound files, other rates, and what is said about damaged ones; damaged weights.
#include "lacuna/speech/sound.hpp"

#include <unistd.h>

#include "lacuna/io/weights.hpp"
#include "lacuna/speech/config.hpp"
#include "speech/speech_oracle.hpp"

namespace sound_test {

using namespace speech_test;

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
/// A file in a folder of the test's own, gone with it.
struct Made {
  std::string path = std::string(std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp") + "/lacuna-speech-" +
                     std::to_string(::getpid());
  Made() { ::mkdir(path.c_str(), 0700); }
  ~Made() {
    for (const std::string& file : files) ::unlink(file.c_str());
    ::rmdir(path.c_str());
  }
  std::string write(const std::string& name, const std::string& bytes) {
    const std::string file = path + "/" + name;
    std::ofstream(file, std::ios::binary) << bytes;
    files.push_back(file);
    return file;
  }
  std::vector<std::string> files;
};
/// The one line that a call throws, without the folder.
template <class F>
std::string said(F&& call) {
  try {
    call();
  } catch (const lacuna::Error& problem) {
    const std::string line = problem.what();
    CHECK(line.find('\n') == std::string::npos);
    return line.substr(std::min(line.size(), line.find_last_of('/', line.find(": ")) + 1));
  }
  return "nothing";
}

TEST_CASE("sound: every kind of WAV, every rate" * doctest::skip(!have())) {
  Oracle oracle("audio.npz");
  for (const std::string& name : oracle.names()) {
    const std::size_t tail = name.rfind('/');
    if (name.starts_with("wav/") && !name.ends_with("/rate")) {
      const auto sound = lacuna::speech::read_sound(folder() + name + ".wav");
      CHECK(sound.rate == oracle.integers(name + "/rate")[0]);
      CHECK(sound.samples.extent(1) == (oracle.shape(name).rank() == 2 ? oracle.shape(name)[1] : 1));
      oracle.compare(name, sound.samples, 1e-12);
    } else if (name.ends_with("/y")) {
      const std::string at = name.substr(0, tail);
      const auto y = lacuna::speech::resample(oracle.numbers(at + "/x"), std::stoll(at.substr(at.find('/') + 1)));
      oracle.compare(name, Tensor<double, 1>::from({index_t(y.size())}, y), 1e-12);
    }
  }
  const auto left = oracle.left([](const std::string&) { return true; });
  CHECK_MESSAGE(left.empty(), left.size() << " arrays were not compared");
}

TEST_CASE("sound: one line for what is no sound" * doctest::skip(!have())) {
  using lacuna::speech::load_sound;
  Made made;
  const std::string good = bytes_of(folder() + "wav/pcm16_mono_16k.wav");
  const auto about = [&](const std::string& bytes) {
    return said([&] { load_sound<float>(made.write("x.wav", bytes)); });
  };
  CHECK(about("") == "x.wav: is empty (0 bytes), expected a sound");
  CHECK(about(good.substr(0, 20)) == "x.wav: a part of 16 bytes at byte 12 reaches beyond its end; it is truncated");
  CHECK(about(good.substr(0, 36)) == "x.wav: has no samples: its part 'data' is missing");
  CHECK(about(good.substr(0, 44)).find("claims 1602 bytes of samples, and 0 follow; it is truncated") !=
        std::string::npos);
  CHECK(about(good.substr(0, good.size() - 10)).find("it is truncated, copy it again") != std::string::npos);
  std::string changed = good;
  changed[22] = 0;
  CHECK(about(changed) == "x.wav: has 0 channels at 16000 Hz; the header is damaged");
  changed = good;
  changed[20] = 85;  // MP3 in WAV
  CHECK(about(changed).find("holds samples of kind 85 with 16 bits") != std::string::npos);
  changed = good.substr(0, 44);
  changed.replace(40, 4, std::string(4, '\0'));
  CHECK(about(changed) == "x.wav: has no samples (0 s of sound)");
  // a sound without samples, and a list of names behind it
  CHECK(about(changed + std::string("LIST\4\0\0\0INFO", 12)) == "x.wav: has no samples (0 s of sound)");
  CHECK(about("hello").find("is no") != std::string::npos);
  CHECK(said([&] { load_sound<float>(made.path + "/none.wav"); }) ==
        "none.wav: cannot be opened: No such file or directory");
  // 8 kHz, two channels, 24 bits: heard as it is meant
  std::string stereo("RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\2\0\x40\x1f\0\0\x80\xbb\0\0\6\0\x18\0data\0\0\0\0", 44);
  for (int i = 0; i < 400; ++i) stereo += std::string("\0\0\x40\0\0\xc0", 6);  // 0.5 and −0.5
  const auto wave = load_sound<float>(made.write("stereo.wav", stereo));
  CHECK(wave.size() == 800);
  CHECK(std::all_of(wave.data(), wave.data() + 800, [](float x) { return x == 0; }));
}

TEST_CASE("weights: one line for what does not fit" * doctest::skip(!have())) {
  Made made;
  using lacuna::io::Weights;
  const std::string from = model("wavlm_large_like");
  const std::string good = bytes_of(from + "/model.safetensors");
  CHECK(said([&] {
          Weights("/nonexistent");
        }).find("cannot be opened: No such file or directory; expected the folder of a model") != std::string::npos);
  CHECK(said([&] { const Weights w(made.path); }).find("has no weights: expected model.safetensors") !=
        std::string::npos);
  made.write("model.safetensors", good.substr(0, good.size() / 2));
  CHECK(said([&] { const Weights w(made.path); }).find("or the file is truncated") != std::string::npos);
  made.write("model.safetensors", good);
  const Weights weights(made.path);
  CHECK(said([&] {
          weights.at("encoder.layer_norm.wait");
        }).find("tensor 'encoder.layer_norm.wait' is missing; there are") != std::string::npos);
  CHECK(said([&] { weights.matrix("encoder.layer_norm.weight", 3, 4); }) ==
        "model.safetensors: tensor 'encoder.layer_norm.weight' has shape (32), expected (3, 4) by config.json; the "
        "weights "
        "belong to another model");
  ::unlink((made.path + "/model.safetensors").c_str());
  made.write("model.safetensors.index.json", R"({"weight_map": {"a": "one.safetensors"}})");
  CHECK(said([&] { const Weights w(made.path); }) ==
        "model.safetensors.index.json: names the file 'one.safetensors', which is not there");
  made.write("one.safetensors", good);
  CHECK(said([&] {
          const Weights w(made.path);
        }).find("tensor 'a' is not in one.safetensors; index and shards belong to different models") !=
        std::string::npos);
  made.write("model.safetensors.index.json", R"({"weight_map": {"a": "../one.safetensors"}})");
  CHECK(said([&] { const Weights w(made.path); }).find("expected the name of a file beside it") != std::string::npos);
  made.write("model.safetensors.index.json", "{\"weight");
  CHECK(said([&] { const Weights w(made.path); }).find("is no JSON") != std::string::npos);
  made.write("config.json", R"({"model_type": "bert"})");
  CHECK(said([&] { lacuna::speech::read_encoder_config(made.path); }) ==
        "config.json: model_type is 'bert', expected wavlm, hubert or wav2vec2");
  made.write("config.json", R"({"model_type": "wavlm", "conv_dim": [4], "conv_kernel": [2, 2], "conv_stride": [1]})");
  CHECK(said([&] {
          lacuna::speech::read_encoder_config(made.path);
        }).find("conv_dim, conv_kernel and conv_stride have 1, 2 and 1 entries") != std::string::npos);
}

}  // namespace sound_test
