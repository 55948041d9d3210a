// One part of lacuna::zoo.
#include "lacuna/zoo/corrkd.hpp"
template lacuna::zoo::Backend lacuna::zoo::corrkd_backend<float, lacuna::Cpu>(const std::string&);
