/// Speech encoders against transformers: every state of every clip, alone and in batches.
#include "lacuna/speech/encoder.hpp"

#include "speech/speech_oracle.hpp"

namespace encoder_test {

using namespace speech_test;
using lacuna::speech::Encoder;

template <class T>
Tensor<T, 2> first_rows(const Tensor<T, 2>& x, index_t rows) {
  return Tensor<T, 2>(x.window(0, Shape{rows, x.extent(1)}));
}

template <class T>
void heard(const std::string& name, double allowed) {
  CAPTURE(name);
  Oracle oracle("speech.npz");
  const Encoder<T> encoder(model(name));
  const auto& config = encoder.config();
  const auto wave = [&](index_t i) { return oracle.tensor<T, 1>("in/wave" + std::to_string(i)); };
  const std::string at = name + "/";
  const auto states = [&](const std::string& where, const auto& found) {
    for (index_t k = 0; k <= config.layers; ++k)
      oracle.compare(where + "hs" + std::to_string(k), found.raw(k), allowed);
    oracle.compare(where + "last", found.state(-1), allowed);
  };
  for (index_t i = 0; oracle.has(at + "alone" + std::to_string(i) + "/last"); ++i) {
    std::map<std::string, std::vector<double>> inside;
    typename Encoder<T>::Watch watch;
    if (i == 0)
      watch = [&](const std::string& part, const lacuna::Array<T>& array) {
        const auto numbers = array.to_vector();
        inside[part].assign(numbers.begin(), numbers.end());
      };
    const auto found = encoder(wave(i), {.states = true}, watch);
    CHECK(found.last.extent(0) == config.frames(wave(i).size()));
    states(at + "alone" + std::to_string(i) + "/", found);
    if (i > 0) continue;
    oracle.compare(at + "alone0/last_f32", found.last, 1e-4);
    const index_t frames = found.last.extent(0);
    for (std::size_t j = 0; j < config.channels.size(); ++j) {  // stored as (1, C, T), the first of them cut
      const std::string part = "conv" + std::to_string(j);
      const index_t columns = oracle.shape(at + "act/" + part)[2], width = config.channels[j];
      Tensor<double, 2> turned({width, columns});
      for (index_t c = 0; c < width; ++c)
        for (index_t t = 0; t < columns; ++t) turned(c, t) = inside[part][std::size_t(t * width + c)];
      oracle.compare(at + "act/" + part, turned, allowed);
    }
    for (const char* part : {"proj", "posconv", "attn0", "attn1"})
      oracle.compare_numbers(at + "act/" + part, inside[part].data(), oracle.numbers(at + "act/" + part), allowed);
    if (!oracle.has(at + "act/bias")) continue;
    Tensor<double, 3> bias({config.heads, frames, frames});
    for (index_t h = 0; h < config.heads; ++h)
      for (index_t q = 0; q < frames; ++q)
        for (index_t k = 0; k < frames; ++k)
          bias(h, q, k) = inside["bias"][std::size_t(h * (2 * frames - 1) + k - q + frames - 1)];
    oracle.compare(at + "act/bias", bias, allowed);
  }
  // batches: padded behind the normalisation; masked, frames beyond the clip's mean nothing
  const auto frames = oracle.integers(at + "frames");
  index_t longest = 0;
  for (index_t i = 0; i < index_t(frames.size()); ++i) longest = std::max(longest, wave(i).size());
  for (index_t i = 0; i < index_t(frames.size()); ++i) {
    const auto clip = wave(i);
    auto padded = Tensor<T, 1>::zeros({longest});
    std::copy_n(clip.data(), clip.size(), padded.data());
    for (const bool mask : {true, false}) {
      const auto found = encoder(padded, {.states = true, .samples = clip.size(), .mask = mask});
      const index_t rows = mask ? frames[std::size_t(i)] : found.last.extent(0), width = config.hidden;
      const auto part = [&](const std::string& array, const Tensor<T, 2>& y) {
        const auto all = oracle.numbers(array);
        const auto from = all.begin() + std::ptrdiff_t(i * found.last.extent(0) * width);
        oracle.compare_numbers(array, y.data(), {from, from + rows * width}, allowed);
      };
      const std::string batch = at + (mask ? "batch_masked/" : "batch_nomask/");
      part(batch + "last", found.last);
      for (index_t k = 0; mask && k <= config.layers; ++k) part(batch + "hs" + std::to_string(k), found.raw(k));
      if (mask && !config.group_norm) {
        const auto alone = encoder(clip);
        for (index_t j = 0; j < rows * width; ++j)
          if (std::abs(double(alone.last.data()[j]) - double(found.last.data()[j])) > 10 * allowed)
            FAIL("padding reaches the clip");
      }
    }
  }
  const auto left = oracle.left([&](const std::string& one) { return one.starts_with(at); });
  CHECK_MESSAGE(left.empty(), left.size() << " arrays were not compared, the first is " << left[0]);
  MESSAGE(name << " " << sizeof(T) << ": worst error " << oracle.worst());
}

TEST_CASE("speech encoders: every state, alone and in batches" * doctest::skip(!have())) {
  Oracle oracle("speech.npz");
  for (const std::string& name : first_parts(oracle))
    if (name != "in" && name != "buckets") heard<double>(name, 1e-10), heard<float>(name, 1e-4);
}

TEST_CASE("speech encoders: normalisation, buckets" * doctest::skip(!have())) {
  Oracle oracle("speech.npz");
  for (int i = 0; oracle.has("in/wave" + std::to_string(i)); ++i) {
    const auto wave = oracle.tensor<double, 1>("in/wave" + std::to_string(i));
    oracle.compare("in/normed" + std::to_string(i), lacuna::speech::normalized(wave, wave.size()), 1e-12);
  }
  for (const auto& [name, buckets, far] : {std::tuple("320_800", 320, 800), {"16_20", 16, 20}, {"32_128", 32, 128}}) {
    const auto table = oracle.tensor<index_t, 2>("buckets/" + std::string(name));
    for (index_t i = 0; i < table.extent(1); ++i)
      REQUIRE(lacuna::speech::position_bucket(table(0, i), buckets, far) == table(1, i));
  }
}

TEST_CASE("speech encoders: old names and PyTorch's file give the same bits" * doctest::skip(!have())) {
  Oracle oracle("speech.npz");
  const auto wave = oracle.tensor<float, 1>("in/wave1");
  const auto now = Encoder<float>(model("wavlm_large_like"))(wave).last.to_vector();
  CHECK(Encoder<float>(model("wavlm_large_like_oldnames"))(wave).last.to_vector() == now);
  const auto config = lacuna::speech::read_encoder_config(model("wavlm_large_like_oldnames"));
  const lacuna::io::Weights torch(model("wavlm_large_like_oldnames") + "/pytorch_model.bin", {"wavlm."});
  CHECK(Encoder<float>(config, torch)(wave).last.to_vector() == now);
}

}  // namespace encoder_test
