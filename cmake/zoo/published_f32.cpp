// One part of lacuna::zoo.
#include "lacuna/zoo/published.hpp"
template std::vector<lacuna::zoo::Backend> lacuna::zoo::published_backends<float>();
