/// All kernels of losses.
#pragma once

#include "lacuna/kernels/cpu/alignment_losses.hpp"
#include "lacuna/kernels/cpu/class_losses.hpp"
#include "lacuna/kernels/cpu/contrast_losses.hpp"
#include "lacuna/kernels/cpu/difference_losses.hpp"
#include "lacuna/kernels/cpu/information_losses.hpp"
#include "lacuna/kernels/cpu/prototype_losses.hpp"
#include "lacuna/kernels/cpu/ranking.hpp"
#include "lacuna/kernels/cpu/relation_losses.hpp"

namespace lacuna::cpu {

struct Losses : LossRows,
                DifferenceLosses,
                ClassLosses,
                ContrastLosses,
                RelationLosses,
                PrototypeLosses,
                AlignmentLosses,
                InformationLosses,
                Ranking {};

}  // namespace lacuna::cpu
