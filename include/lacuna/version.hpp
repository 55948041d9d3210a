/// The version of the library. CMake reads it from here; nothing else states it.
#pragma once

#define LACUNA_VERSION_MAJOR 0
#define LACUNA_VERSION_MINOR 1
#define LACUNA_VERSION_PATCH 0
