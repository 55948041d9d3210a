// A model that lacuna trained, as text: what it answers, of what, and its parameters.
#pragma once

#include <cmath>
#include <cstdio>

#include "lacuna/data/formats/import.hpp"
#include "lacuna/io/checkpoint.hpp"
#include "lacuna/zoo/card.hpp"
#include "support/program.hpp"

namespace program {

inline bool is_model(const std::string& path) {
  using namespace lacuna::data;
  return formats::kind_of_path(path) == formats::PathKind::file &&
         lacuna::detail::starts_with(lacuna::io::MappedFile(path).bytes(), "\x89LACUNA\n");
}

/// What the file says of its model besides numbers.
inline void show_card(const lacuna::zoo::Card& card) {
  using support::printable;
  std::printf("  %s, numbers of %s, trained on %s\n  written by %s\n\n", printable(card.spec).c_str(),
              card.dtype.c_str(), printable(card.data).c_str(), printable(card.versions).c_str());
  for (std::size_t m = 0; m < card.streams.size(); ++m)
    std::printf("  stream    %s, %lld features%s\n", printable(card.streams[m]).c_str(),
                static_cast<long long>(card.features[m]), card.may_be_missing[m] ? ", may be missing" : "");
  if (card.classes == 0)
    std::printf("  answers   a real label; %.6g where nothing is present\n", card.prior[0]);
  else
    std::printf("  answers   %lld classes; where nothing is present, their shares\n",
                static_cast<long long>(card.classes));
  for (std::size_t k = 0; k < card.prior.size() && card.classes > 0; ++k)
    std::printf("            %zu %s %.6g\n", k, card.class_names.empty() ? "" : printable(card.class_names[k]).c_str(),
                card.prior[k]);
}

inline void show_model(const std::string& path) {
  using namespace lacuna;
  const State state = io::load_checkpoint(path);
  std::printf("%s   a model that lacuna trained\n\n", path.c_str());
  show_card(zoo::card_of(state));
  index_t numbers = 0, bad = 0, count = 0;
  const auto show = [&](const std::string& name, const auto& array, const char* type) {
    for (const auto x : std::span(array.data(), std::size_t(array.size()))) bad += !std::isfinite(x);
    numbers += array.size();
    std::printf("%s  %-60s %-4s %s\n", count++ == 0 ? "\n" : "", support::printable(name).c_str(), type,
                to_string(array.shape()).c_str());
  };
  for (const auto& [name, value] : state.values()) {  // of an ensemble: member-0/parameters/...
    if (name.find("parameters/") == std::string::npos) continue;
    if (const auto* narrow = std::get_if<Array<float>>(&value)) show(name, *narrow, "f32");
    if (const auto* wide = std::get_if<Array<double>>(&value)) show(name, *wide, "f64");
  }
  std::printf("\n  %lld numbers in %lld parameters, %lld of them NaN or infinite\n", static_cast<long long>(numbers),
              static_cast<long long>(count), static_cast<long long>(bad));
}

}  // namespace program
