// One part of lacuna::zoo.
#include "lacuna/zoo/baselines.hpp"
template lacuna::zoo::Backend lacuna::zoo::early_fusion_backend<double, lacuna::Cpu>(bool);
template lacuna::zoo::Backend lacuna::zoo::dropout_transformer_backend<double, lacuna::Cpu>();
template lacuna::zoo::Backend lacuna::zoo::mmin_backend<double, lacuna::Cpu>();
