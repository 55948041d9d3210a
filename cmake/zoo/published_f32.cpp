// One part of lacuna::zoo.
#include "lacuna/zoo/published.hpp"
namespace lacuna::zoo {
LACUNA_PUBLISHED_OF(, float)
}
