# Eigen is asked for without a version: its own version file calls 5 incompatible with a request for 3.4.
find_package(Eigen3 NO_MODULE REQUIRED)
if(Eigen3_VERSION VERSION_LESS 3.4)
  message(FATAL_ERROR "lacuna needs Eigen 3.4 or later, found ${Eigen3_VERSION} in ${Eigen3_DIR}")
endif()

if(LACUNA_OPENMP)
  find_package(OpenMP QUIET COMPONENTS CXX)
  if(NOT OpenMP_CXX_FOUND)
    message(STATUS "lacuna: the compiler has no OpenMP, everything runs on one thread")
  endif()
endif()

# Files: checkpoints (cereal), JSON, compressed archives. A project that embeds lacuna and reads no files needs none of them.
if(LACUNA_TESTS OR LACUNA_EXAMPLES OR LACUNA_BENCHMARKS)
  set(lacuna_io_need REQUIRED)
else()
  set(lacuna_io_need QUIET)
endif()
find_package(cereal ${lacuna_io_need})
find_package(nlohmann_json ${lacuna_io_need})
find_package(ZLIB ${lacuna_io_need})
find_package(xtensor QUIET)
# HDF5: computational sequences, folders of MFN. Optional; its C library is found by pkg-config, which Debian's package has.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(hdf5 QUIET IMPORTED_TARGET hdf5)
endif()
# Sound other than WAV. Debian's package has a pkg-config file and no CMake one.
find_path(LACUNA_SNDFILE_INCLUDE sndfile.h)
find_library(LACUNA_SNDFILE_LIBRARY sndfile)
mark_as_advanced(LACUNA_SNDFILE_INCLUDE LACUNA_SNDFILE_LIBRARY)
