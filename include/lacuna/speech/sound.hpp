/// A sound file as a speech encoder wants it: one channel, 16 kHz, numbers in [−1, 1].
///
///     const Tensor<float, 1> wave = speech::load_sound<float>("clip.wav");
///
/// WAV is read here; FLAC, Ogg and all else by libsndfile, where the program is built with it (the CMake component
/// lacuna::sound, which defines LACUNA_SNDFILE). Channels are averaged.
#pragma once

#include "lacuna/speech/resample.hpp"
#include "lacuna/speech/wav.hpp"

#ifdef LACUNA_SNDFILE
#include <sndfile.h>
#endif

namespace lacuna::speech {

#ifdef LACUNA_SNDFILE
/// Whatever libsndfile knows. Integers come as value / 2^(bits − 1).
inline Sound read_with_sndfile(const std::string& path) {
  SF_INFO facts{};
  const std::shared_ptr<SNDFILE> file(sf_open(path.c_str(), SFM_READ, &facts), [](SNDFILE* open) {
    if (open) sf_close(open);
  });
  if (!file) throw IoError(detail::cat(path, ": is no sound that libsndfile reads: ", sf_strerror(nullptr)));
  if (facts.frames < 0 || facts.frames > index_t(1) << 34 || facts.channels < 1 || facts.channels > 64)
    throw IoError(detail::cat(path, ": claims ", index_t(facts.frames), " samples in ", facts.channels,
                              " channels; it is damaged"));
  std::vector<double> all;
  std::vector<double> block(std::size_t(65536 * facts.channels));
  while (const sf_count_t got = sf_readf_double(file.get(), block.data(), 65536))
    all.insert(all.end(), block.begin(), block.begin() + got * facts.channels);
  if (index_t(all.size()) != index_t(facts.frames) * facts.channels)
    throw IoError(detail::cat(path, ": claims ", index_t(facts.frames), " samples, and ",
                              index_t(all.size()) / facts.channels, " follow; it is truncated or damaged"));
  return {Tensor<double, 2>::from({index_t(facts.frames), facts.channels}, all), facts.samplerate};
}
#endif

/// Throws IoError for a file that is missing, damaged, or of a kind that this program does not read.
inline Sound read_sound(const std::string& path) {
  const io::MappedFile file(path);
  if (file.bytes().empty()) throw IoError(path + ": is empty (0 bytes), expected a sound");
  if (detail::starts_with(file.bytes(), "RIFF")) return read_wav(file);
#ifdef LACUNA_SNDFILE
  return read_with_sndfile(path);
#else
  const char* const kind = detail::starts_with(file.bytes(), "fLaC")   ? "is FLAC"
                           : detail::starts_with(file.bytes(), "OggS") ? "is Ogg"
                                                                       : nullptr;
  if (kind)
    throw IoError(detail::cat(path, ": ", kind,
                              ", and this program is built without libsndfile: build it with libsndfile1-dev "
                              "installed, or convert the file to WAV"));
  return read_wav(file);  // says what it is
#endif
}

/// The mean of all channels.
inline std::vector<double> mono(const Sound& sound) {
  const index_t channels = sound.samples.extent(1);
  std::vector<double> mixed(std::size_t(sound.samples.extent(0)), 0.0);
  for (std::size_t i = 0; i < mixed.size(); ++i) {
    for (index_t c = 0; c < channels; ++c) mixed[i] += sound.samples.data()[index_t(i) * channels + c];
    mixed[i] /= double(channels);
  }
  return mixed;
}

/// A file as a model hears it. Throws IoError, also for a sound without samples.
template <class T>
Tensor<T, 1> load_sound(const std::string& path) {
  const Sound sound = read_sound(path);
  if (sound.samples.size() == 0) throw IoError(path + ": has no samples (0 s of sound)");
  const std::vector<double> wave = resample(mono(sound), sound.rate);
  Tensor<T, 1> y({index_t(wave.size())});
  for (std::size_t i = 0; i < wave.size(); ++i) y.data()[i] = T(wave[i]);
  return y;
}

}  // namespace lacuna::speech
