// The library behind lacuna/zoo/lacuna.h: a Predictor, with every error turned into a text of the calling thread.
#include "lacuna/zoo/lacuna.h"
#include "lacuna/zoo/predictor.hpp"

struct lacuna_predictor {
  lacuna::Predictor predictor;
};

namespace {

std::string& last_error() {
  thread_local std::string text;
  return text;
}

/// body(), or `failed` when it throws.
template <class Result, class Body>
Result guarded(Result failed, Body&& body) noexcept {
  try {
    last_error().clear();
    return body();
  } catch (const std::exception& error) {
    try {
      last_error() = error.what();
    } catch (...) {  // not even memory for a text
    }
  } catch (...) {
    try {
      last_error() = "an error of an unknown kind";
    } catch (...) {
    }
  }
  return failed;
}

const lacuna::Predictor& checked(const lacuna_predictor* predictor) {
  if (predictor == nullptr) throw lacuna::Error("lacuna: the predictor is NULL");
  return predictor->predictor;
}

const lacuna::Predictor::Input& input_of(const lacuna_predictor* predictor, std::int64_t input) {
  const auto& inputs = checked(predictor).inputs();
  if (input < 0 || input >= std::int64_t(inputs.size()))
    throw lacuna::OptionError(
        lacuna::detail::cat("lacuna: input ", input, " of ", inputs.size(), "; they count from 0"));
  return inputs[std::size_t(input)];
}

}  // namespace

extern "C" {

lacuna_predictor* lacuna_create(const char* path) {
  return guarded<lacuna_predictor*>(nullptr, [&] {
    if (path == nullptr) throw lacuna::Error("lacuna: the path is NULL");
    return new lacuna_predictor{lacuna::Predictor::load(path)};
  });
}
void lacuna_destroy(lacuna_predictor* predictor) { delete predictor; }
const char* lacuna_last_error(void) { return last_error().c_str(); }

std::int64_t lacuna_inputs(const lacuna_predictor* predictor) {
  return guarded<std::int64_t>(-1, [&] { return std::int64_t(checked(predictor).inputs().size()); });
}
const char* lacuna_input_name(const lacuna_predictor* predictor, std::int64_t input) {
  return guarded<const char*>(nullptr, [&] { return input_of(predictor, input).name.c_str(); });
}
std::int64_t lacuna_input_features(const lacuna_predictor* predictor, std::int64_t input) {
  return guarded<std::int64_t>(-1, [&] { return std::int64_t(input_of(predictor, input).features); });
}
int lacuna_input_may_be_missing(const lacuna_predictor* predictor, std::int64_t input) {
  return guarded<int>(-1, [&] { return int(input_of(predictor, input).may_be_missing); });
}

std::int64_t lacuna_classes(const lacuna_predictor* predictor) {
  return guarded<std::int64_t>(-1, [&] { return std::int64_t(checked(predictor).classes()); });
}
const char* lacuna_class_name(const lacuna_predictor* predictor, std::int64_t id) {
  return guarded<const char*>(nullptr, [&]() -> const char* {
    const auto& names = checked(predictor).class_names();
    return id >= 0 && id < std::int64_t(names.size()) ? names[std::size_t(id)].c_str() : nullptr;
  });
}

int lacuna_predict(const lacuna_predictor* predictor, const float* const* frames, const std::int64_t* frames_count,
                   double* value, double* probabilities) {
  return guarded<int>(1, [&] {
    const lacuna::Predictor& model = checked(predictor);
    if (frames == nullptr || frames_count == nullptr || value == nullptr)
      throw lacuna::Error("lacuna: frames, frames_count and value must not be NULL");
    thread_local lacuna::Answer answer;  // keeps its memory
    lacuna::List<lacuna::Predictor::View> views;
    for (std::size_t i = 0; i < model.inputs().size(); ++i)
      views.push_back({frames_count[i] == 0 ? nullptr : frames[i], lacuna::index_t(frames_count[i])});
    model.predict(views, answer);
    *value = answer.value;
    if (probabilities != nullptr) std::copy(answer.probabilities.begin(), answer.probabilities.end(), probabilities);
    return 0;
  });
}

}  // extern "C"
