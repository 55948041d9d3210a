/// What lacuna::precompiled compiles once, for float and double on the CPU, in the place of every file that includes it:
/// the headers whose templates are marked with LACUNA_PRECOMPILE (core/precompile.hpp). Marked is what costs compile time
/// in many files, and kernels that want full optimization where the rest does not.
#pragma once

#include "lacuna/models/baselines/ridge_solutions.hpp"
#include "lacuna/models/corrkd/corrkd.hpp"
#include "lacuna/models/sdumc/sdumc.hpp"
#include "lacuna/ops/recurrent.hpp"
#include "lacuna/ops/stored_linear.hpp"
#include "lacuna/optim/named.hpp"
