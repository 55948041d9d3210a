/// WAV files: integer samples of 8, 16, 24 and 32 bits, floating ones of 32 and 64, plain or "extensible".
///
/// Integers of b bits become value / 2^(b−1); those of 8 bits are unsigned, (v − 128)/128. Unknown chunks are skipped; a
/// data size of 0 or 2³²−1, as programs write that did not know it, means "to the end"; one of 0 with nothing but other
/// chunks behind it is a sound without samples. Errors are IoError: the file, what was found, what was expected.
#pragma once

#include <bit>
#include <cmath>

#include "lacuna/core/tensor.hpp"
#include "lacuna/io/file_kind.hpp"

namespace lacuna::speech {

struct Sound {
  Tensor<double, 2> samples;  ///< (N, channels)
  index_t rate = 0;           ///< per second
};

}  // namespace lacuna::speech

namespace lacuna::detail {

struct WavFormat {
  std::uint32_t tag = 0, channels = 0, rate = 0, bits = 0;
};

inline double wav_sample(const WavFormat& f, const std::uint8_t* from) {
  if (f.tag == 3)
    return f.bits == 32 ? double(std::bit_cast<float>(load_little<std::uint32_t>(from)))
                        : std::bit_cast<double>(load_little<std::uint64_t>(from));
  if (f.bits == 8) return (double(*from) - 128) / 128;
  std::uint32_t bits = 0;  // in the upper bytes, so that the sign is where it belongs
  for (std::uint32_t i = 0; i < f.bits / 8; ++i) bits |= std::uint32_t(from[i]) << (32 - f.bits + 8 * i);
  return double(std::bit_cast<std::int32_t>(bits)) / 2147483648.0;
}

/// Whether the bytes are whole chunks, each a name and a size, as stand behind the samples (LIST, id3).
inline bool are_wav_chunks(std::span<const std::uint8_t> bytes) {
  std::size_t at = 0;
  while (bytes.size() - at >= 8) {
    if (std::any_of(bytes.begin() + std::ptrdiff_t(at), bytes.begin() + std::ptrdiff_t(at + 4),
                    [](std::uint8_t letter) { return letter < ' ' || letter > '~'; }))
      return false;
    const std::size_t size = load_little<std::uint32_t>(bytes.data() + at + 4), left = bytes.size() - at - 8;
    if (size > left) return false;
    at += 8 + std::min(size + size % 2, left);
  }
  return at > 0 && at == bytes.size();
}

}  // namespace lacuna::detail

namespace lacuna::speech {

/// The bytes of a WAV file.
inline Sound read_wav(const io::MappedFile& file) {
  const auto fail = [&](const auto&... pieces) { throw IoError(detail::cat(file.name(), ": ", pieces...)); };
  const auto bytes = file.bytes();
  if (!detail::starts_with(bytes, "RIFF") || !detail::starts_with(bytes, "WAVE", 8)) {
    detail::refuse_strangers(file, "a WAV file");
    fail("is no WAV file: it does not begin with RIFF and WAVE");
  }
  const auto word = [&](std::size_t at) { return detail::load_little<std::uint32_t>(bytes.data() + at); };
  const auto half = [&](std::size_t at) { return detail::load_little<std::uint16_t>(bytes.data() + at); };
  detail::WavFormat format;
  for (std::size_t at = 12; at + 8 <= bytes.size();) {
    const std::size_t left = bytes.size() - at - 8;
    std::size_t size = word(at + 4);
    if (detail::starts_with(bytes, "data", at)) {
      if (format.channels == 0) fail("has its samples before their format; the header is damaged");
      if (size == 0xFFFFFFFFu || (size == 0 && !detail::are_wav_chunks(bytes.subspan(at + 8)))) size = left;
      const std::size_t frame = std::size_t(format.channels) * format.bits / 8;
      if (size > left)
        fail("claims ", size, " bytes of samples, and ", left, " follow; it is truncated, copy it again");
      Sound sound{Tensor<double, 2>({index_t(size / frame), index_t(format.channels)}), index_t(format.rate)};
      const std::uint8_t* from = bytes.data() + at + 8;
      for (index_t i = 0; i < sound.samples.size(); ++i, from += format.bits / 8) {
        const double value = detail::wav_sample(format, from);
        if (!std::isfinite(value)) fail("sample ", i, " is not a finite number");
        sound.samples.data()[i] = value;
      }
      return sound;
    }
    if (size > left) fail("a part of ", size, " bytes at byte ", at, " reaches beyond its end; it is truncated");
    if (detail::starts_with(bytes, "fmt ", at)) {
      if (size < 16) fail("has a format of ", size, " bytes, expected at least 16; the header is damaged");
      format = {half(at + 8), half(at + 10), word(at + 12), half(at + 22)};
      if (format.tag == 0xFFFE && size >= 40) format.tag = half(at + 32);
      const bool whole =
          format.tag == 1 && (format.bits == 8 || format.bits == 16 || format.bits == 24 || format.bits == 32);
      if (!whole && !(format.tag == 3 && (format.bits == 32 || format.bits == 64)))
        fail("holds samples of kind ", format.tag, " with ", format.bits,
             " bits, expected integers (1) of 8 to 32 or floating ones (3) of 32 or 64; convert it, with ffmpeg for "
             "example");
      if (format.channels < 1 || format.channels > 64 || format.rate < 1000 || format.rate > 1'000'000)
        fail("has ", format.channels, " channels at ", format.rate, " Hz; the header is damaged");
    }
    at += 8 + size + size % 2;
  }
  fail(format.channels ? "has no samples: its part 'data' is missing" : "has no format: its part 'fmt ' is missing");
  return {};
}

}  // namespace lacuna::speech
