# lacuna::lacuna       all headers; Eigen, and OpenMP where there is one
# lacuna::io           the same for programs that include lacuna/io/...: cereal, JSON, zlib
# lacuna::hdf5         the same for programs that include io/hdf5.hpp, io/csd.hpp; data/formats reads these files where it is linked
# lacuna::xtensor      the same for programs that include lacuna/interop/xtensor.hpp, data/from_xtensor.hpp, statistics.hpp
# lacuna::sound        the same for programs that include lacuna/speech/sound.hpp and read FLAC and Ogg: libsndfile
# lacuna::cuda         the same for .cu files that include lacuna/cuda.cuh, see cuda.cmake
# lacuna::precompiled  the same as lacuna::lacuna with the common templates compiled once, see precompiled.cmake
# lacuna::zoo          every model by name: training, predicting; lacuna::predict is the C library of it, see zoo.cmake
# No target adds warnings, optimisation or processor flags to the programs of others.

file(GLOB_RECURSE lacuna_headers CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/include/lacuna/*.hpp ${PROJECT_SOURCE_DIR}/include/lacuna/*.h ${PROJECT_SOURCE_DIR}/include/lacuna/*.cuh)

add_library(lacuna INTERFACE)
add_library(lacuna::lacuna ALIAS lacuna)
target_compile_features(lacuna INTERFACE cxx_std_20)
target_sources(lacuna INTERFACE
  FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${lacuna_headers})
target_link_libraries(lacuna INTERFACE Eigen3::Eigen)
if(OpenMP_CXX_FOUND AND LACUNA_OPENMP)
  # An installed package asks the compiler of its user instead: lacuna-config.cmake.
  target_link_libraries(lacuna INTERFACE $<BUILD_INTERFACE:OpenMP::OpenMP_CXX>)
endif()

include(${PROJECT_SOURCE_DIR}/cmake/blas.cmake)

# Each optional part is its own export set, so that a package without it still loads.
function(lacuna_add_component name)
  add_library(lacuna_${name} INTERFACE)
  add_library(lacuna::${name} ALIAS lacuna_${name})
  set_target_properties(lacuna_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(lacuna_${name} INTERFACE lacuna ${ARGN})
  set_property(GLOBAL APPEND PROPERTY lacuna_components ${name})
endfunction()

if(cereal_FOUND AND nlohmann_json_FOUND AND ZLIB_FOUND)
  lacuna_add_component(io cereal::cereal nlohmann_json::nlohmann_json ZLIB::ZLIB)
endif()
if(xtensor_FOUND)
  lacuna_add_component(xtensor xtensor)
endif()
if(TARGET PkgConfig::hdf5 AND TARGET lacuna_io)
  lacuna_add_component(hdf5 lacuna_io PkgConfig::hdf5)
  target_compile_definitions(lacuna_hdf5 INTERFACE LACUNA_HDF5)
endif()
if(LACUNA_SNDFILE_INCLUDE AND LACUNA_SNDFILE_LIBRARY AND TARGET lacuna_io)
  # By its name: an installed package finds it on the machine of its user.
  lacuna_add_component(sound lacuna_io sndfile)
  target_compile_definitions(lacuna_sound INTERFACE LACUNA_SNDFILE)
else()
  message(STATUS "lacuna: libsndfile is not installed, FLAC and Ogg are not read")
endif()

include(${PROJECT_SOURCE_DIR}/cmake/cuda.cmake)

if(EXISTS ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
  include(${PROJECT_SOURCE_DIR}/cmake/precompiled.cmake)
endif()
if(TARGET lacuna::io)
  include(${PROJECT_SOURCE_DIR}/cmake/zoo.cmake)
endif()
