# Flags of lacuna's own programs. None of them reaches a user of lacuna.

find_package(CLI11 REQUIRED)
find_package(Threads REQUIRED)

# Private to the target, so that they never travel.
function(lacuna_own_flags target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow)
  if(LACUNA_WERROR)
    set_target_properties(${target} PROPERTIES COMPILE_WARNING_AS_ERROR ON)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Found by data flow after inlining; g++ 12 and 13 raise false alarms in std::string, std::vector and AVX-512 intrinsics.
    target_compile_options(${target} PRIVATE
      -Wno-restrict -Wno-maybe-uninitialized -Wno-error=array-bounds -Wno-error=stringop-overflow -Wno-error=stringop-overread
      -Wno-error=free-nonheap-object)
    if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
      target_compile_options(${target} PRIVATE -Wno-uninitialized)
    endif()
  elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # A remark about a loop that stayed scalar is no fault of the program.
    target_compile_options(${target} PRIVATE -Wno-pass-failed)
  endif()
  if(LACUNA_NATIVE)
    target_compile_options(${target} PRIVATE -march=native)
  endif()
endfunction()

# Objects do not wait for the libraries that programs link with them.
set(CMAKE_OPTIMIZE_DEPENDENCIES ON)

# What programs link: compiled once when there is such a library.
add_library(lacuna_for_programs INTERFACE)
target_link_libraries(lacuna_for_programs INTERFACE lacuna::lacuna lacuna::io)
if(TARGET lacuna::hdf5)
  target_link_libraries(lacuna_for_programs INTERFACE lacuna::hdf5)
endif()
if(TARGET lacuna_precompiled)
  lacuna_own_flags(lacuna_precompiled)
  target_link_libraries(lacuna_for_programs INTERFACE lacuna::precompiled)
endif()
foreach(target IN ITEMS lacuna_zoo_objects lacuna_predict)
  if(TARGET ${target})
    lacuna_own_flags(${target})
  endif()
endforeach()
if(TARGET lacuna::xtensor)
  target_link_libraries(lacuna_for_programs INTERFACE lacuna::xtensor)
endif()
# The kernels of lacuna::precompiled want full optimization; networks and training above them do not (measured: the same
# time per step), and compiling them is what takes time.
if(TARGET lacuna_zoo_objects AND TARGET lacuna_precompiled)
  target_compile_options(lacuna_zoo_objects PRIVATE $<$<CONFIG:Release>:-O2>)
  # Float and double of a model share what does not depend on them: options, drafts, reading of data. Two units, one a core.
  set_target_properties(lacuna_zoo_objects PROPERTIES UNITY_BUILD ${LACUNA_UNITY} UNITY_BUILD_BATCH_SIZE 4)
  # Those that others published stand in tables, and serve nobody.
  set_source_files_properties(${PROJECT_SOURCE_DIR}/cmake/zoo/published_f32.cpp TARGET_DIRECTORY lacuna_zoo_objects
    PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Release>:-O1>)
endif()
