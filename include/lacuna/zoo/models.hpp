/// Every model of the library, registered under its name when the program starts.
///
///     #include <lacuna/zoo/models.hpp>      // in one source file or in several: each is registered once
///
/// All of them are compiled where this is included, which takes minutes; programs that link the library lacuna::zoo
/// have them without it and include zoo/registry.hpp or zoo/predictor.hpp alone.
#pragma once

#include "lacuna/zoo/baselines.hpp"
#include "lacuna/zoo/corrkd.hpp"
#include "lacuna/zoo/fitted.hpp"
#include "lacuna/zoo/published.hpp"
#include "lacuna/zoo/sdumc.hpp"

namespace lacuna::zoo {

inline bool add_models(Registry& to) {
  add_constant(to);
  add_ridge(to);
  add_baselines(to);
  add_published(to);
  add_corrkd(to);
  add_sdumc(to);
  return true;
}

inline const bool models_are_registered = add_models(registry());

}  // namespace lacuna::zoo
