// One part of lacuna::zoo.
#include "lacuna/zoo/corrkd.hpp"
template lacuna::zoo::Backend lacuna::zoo::corrkd_backend<double, lacuna::Cpu>(const std::string&);
