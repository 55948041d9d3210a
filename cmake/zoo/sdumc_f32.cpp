// One part of lacuna::zoo.
#include "lacuna/zoo/sdumc.hpp"
template lacuna::zoo::Backend lacuna::zoo::sdumc_backend<float, lacuna::Cpu>(SdumcKind);
template lacuna::zoo::Backend lacuna::zoo::robust_sdumc_backend<float, lacuna::Cpu>();
