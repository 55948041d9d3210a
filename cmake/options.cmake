# Everything but the library itself is for developers: on in a checkout of lacuna, off inside another project.
option(LACUNA_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(LACUNA_EXAMPLES "Build the example programs" ${PROJECT_IS_TOP_LEVEL})
option(LACUNA_BENCHMARKS "Build the benchmarks" ${PROJECT_IS_TOP_LEVEL})
option(LACUNA_INSTALL "Create the install target" ${PROJECT_IS_TOP_LEVEL})
option(LACUNA_NATIVE "Compile lacuna's own programs and tests for this machine's processor" ${PROJECT_IS_TOP_LEVEL})
# Every compiler release finds new things to remark on: an error where we look at them, g++ 12 and clang 14, a remark elsewhere.
set(lacuna_known_compiler OFF)
if((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12\\.")
   OR (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^14\\."))
  set(lacuna_known_compiler ${PROJECT_IS_TOP_LEVEL})
endif()
option(LACUNA_WERROR "Warnings in lacuna's own programs and tests are errors" ${lacuna_known_compiler})
option(LACUNA_UNITY "Compile several files of lacuna's own programs and tests as one: less time for all, more for a change"
  ${PROJECT_IS_TOP_LEVEL})
option(LACUNA_LONG_TESTS "Run the tests too that take long and seldom find anything" OFF)
option(LACUNA_FUZZ "Build the targets of tests/fuzz: clang with libFuzzer" OFF)
option(LACUNA_OPENMP "Use OpenMP where the compiler has it" ON)

if(PROJECT_IS_TOP_LEVEL)
  get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(NOT multi_config AND NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
  endif()
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()

# g++ looks for garbage after every few megabytes unless it is told that there is memory: a tenth to a sixth of its time here. The
# largest units then take 4 GB.
if(PROJECT_IS_TOP_LEVEL AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  cmake_host_system_information(RESULT memory QUERY TOTAL_PHYSICAL_MEMORY)
  cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
  math(EXPR megabytes_a_core "${memory} / ${cores}")
  if(megabytes_a_core GREATER 7000)
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:--param=ggc-min-heapsize=1500000>)
  endif()
endif()
