// The registry of lacuna::zoo: it names all models, which are compiled in the other files of this folder.
#include "lacuna/zoo/models.hpp"
