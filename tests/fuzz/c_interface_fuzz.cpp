// The C interface: the payload of a stored model behind a header that fits it, and, where it loads, every function with numbers and
// pointers that may be none. [length of the call's part (1 byte), that part, payload].
#include "fuzz/archive.hpp"
#include "fuzz/target.hpp"
#include "lacuna/io/checkpoint.hpp"
#include "lacuna/zoo/lacuna.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  if (size < 1) return 0;
  const std::size_t call = std::min<std::size_t>(data[0], size - 1);
  const std::uint8_t* const payload = data + 1 + call;
  const std::size_t left = size - 1 - call;
  test::Bytes file(detail::checkpoint_magic, detail::checkpoint_magic + 8), facts;
  test::put_little(facts, detail::checkpoint_version, 4);
  test::put_little(facts, left, 8);
  const std::uint32_t crc = io::crc32_of(io::crc32_of(0, facts.data(), facts.size()), payload, left);
  file.insert(file.end(), facts.begin(), facts.begin() + 4);
  test::put_little(file, crc, 4);
  file.insert(file.end(), facts.begin() + 4, facts.end());
  file.insert(file.end(), payload, payload + left);
  return test::fuzz_path(file.data(), file.size(), [&](const std::string& path) {
    lacuna_predictor* const predictor = lacuna_create(path.c_str());
    if (predictor == nullptr) {
      if (*lacuna_last_error() == '\0') std::abort();
      throw Error(lacuna_last_error());
    }
    const std::int64_t inputs = lacuna_inputs(predictor);
    for (std::int64_t i = -1; i <= std::min<std::int64_t>(inputs, 40); ++i) {
      const bool there = i >= 0 && i < inputs;
      if (there != (lacuna_input_name(predictor, i) != nullptr)) std::abort();
      if (there != (lacuna_input_features(predictor, i) >= 0)) std::abort();
      (void)lacuna_input_may_be_missing(predictor, i);
    }
    const std::int64_t classes = lacuna_classes(predictor);
    for (std::int64_t k = -1; k <= std::min<std::int64_t>(classes, 40); ++k) (void)lacuna_class_name(predictor, k);
    std::vector<float> frames;
    std::vector<double> probabilities(std::size_t(std::max<std::int64_t>(classes, 0)));
    std::vector<const float*> places;
    std::vector<std::int64_t> counts;
    for (std::int64_t i = 0; i < inputs && i < 64; ++i) {
      const std::uint8_t told = std::size_t(i) < call ? data[1 + std::size_t(i)] : 0;
      counts.push_back(std::int64_t(std::int8_t(told)) / 8);  // below zero too
      const std::int64_t numbers = std::max<std::int64_t>(counts.back(), 0) * lacuna_input_features(predictor, i);
      if (numbers > 1 << 20) counts.back() = 0;
      if (numbers <= 1 << 20 && frames.size() < std::size_t(numbers))
        frames.resize(std::size_t(numbers), float(told) / 8);
    }
    for (std::size_t i = 0; i < counts.size(); ++i)
      places.push_back(i < call && (data[1 + i] & 1) != 0 ? nullptr : frames.data());
    double value = 0;
    if (inputs <= 64)
      (void)lacuna_predict(predictor, places.data(), counts.data(), &value,
                           classes > 0 ? probabilities.data() : nullptr);
    (void)lacuna_predict(predictor, nullptr, counts.data(), &value, nullptr);
    (void)lacuna_predict(nullptr, places.data(), counts.data(), &value, nullptr);
    lacuna_destroy(predictor);
  });
}
