// The one object of lacuna::precompiled.
#include "lacuna/precompiled.hpp"
