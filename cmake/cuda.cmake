# lacuna::cuda  the same as lacuna::lacuna for .cu files that include lacuna/cuda.cuh: nvcc's flags, the runtime, cuBLASLt
#
# LACUNA_CUDA  AUTO: when an nvcc is found that compiles what we write; ON: or else an error; OFF: never (inside other projects)
if(PROJECT_IS_TOP_LEVEL)
  set(lacuna_cuda_default AUTO)
else()
  set(lacuna_cuda_default OFF)  # a project that embeds lacuna decides for itself which languages it has
endif()
set(LACUNA_CUDA ${lacuna_cuda_default} CACHE STRING "Build what runs on a GPU: AUTO (where nvcc is found), ON or OFF")
set_property(CACHE LACUNA_CUDA PROPERTY STRINGS AUTO ON OFF)
set(LACUNA_CUDA_ARCHITECTURES "" CACHE STRING "Compute capabilities of lacuna's own CUDA programs; empty: those of the \
GPUs here, without one 80;90, and 90 alone in a build with tests")
if(NOT LACUNA_CUDA)
  return()
endif()

# CUDA is enabled only once a first file was compiled: enable_language ends the configuration of a machine whose nvcc is
# too old for C++20, too old for its host compiler, or broken.
find_program(LACUNA_NVCC NAMES nvcc HINTS ENV CUDACXX ENV CUDA_PATH PATHS /usr/local/cuda /opt/cuda PATH_SUFFIXES bin
  DOC "CUDA compiler")
mark_as_advanced(LACUNA_NVCC)
set(lacuna_cuda_why "no nvcc was found")
if(LACUNA_NVCC AND NOT "${LACUNA_NVCC};${CMAKE_CXX_COMPILER}" STREQUAL "${LACUNA_NVCC_CHECKED}")
  set(check ${PROJECT_BINARY_DIR}/CMakeFiles/lacuna_cuda_check)
  file(WRITE ${check}.cu "#include <concepts>\n#include <cublasLt.h>\n#include <cuda_runtime.h>
template <std::invocable<int> F> __global__ void run(F f) { f(int(threadIdx.x)); }
struct Sizes { int inputs = 0, outputs = 0; };
template <class T> struct Layer { Layer(Sizes s, T& x) { x += T(s.inputs - s.outputs); } };
template <class T> struct Net {  // nvcc 12.0 hands this to its host compiler as another program
  Layer<T> layer;
  Net(int width, T& x) : layer({.inputs = width, .outputs = width}, x) {}
};
int main() {
  float x = 0;
  const Net<float> net(1, x);
  run<<<1, 1>>>([=] __device__(int) {});
  return int(sizeof(&cublasLtMatmul) == 0) + int(x);
}\n")
  execute_process(
    COMMAND ${LACUNA_NVCC} -std=c++20 --extended-lambda -ccbin ${CMAKE_CXX_COMPILER} ${check}.cu -lcublasLt -o ${check}
    RESULT_VARIABLE failed OUTPUT_VARIABLE log ERROR_VARIABLE log TIMEOUT 120)
  if(failed)
    string(REGEX MATCH "[^\n]*(error|rror:|nsupported)[^\n]*" line "${log}")
    set(lacuna_cuda_why "${LACUNA_NVCC} does not compile a first file: ${line}")
  else()
    set(LACUNA_NVCC_CHECKED "${LACUNA_NVCC};${CMAKE_CXX_COMPILER}" CACHE INTERNAL "an nvcc and a host compiler that go together")
  endif()
endif()
if(NOT LACUNA_NVCC OR NOT "${LACUNA_NVCC};${CMAKE_CXX_COMPILER}" STREQUAL "${LACUNA_NVCC_CHECKED}")
  if(LACUNA_CUDA STREQUAL "AUTO")
    message(STATUS "lacuna: without CUDA, ${lacuna_cuda_why}")
    return()
  endif()
  message(FATAL_ERROR "lacuna: LACUNA_CUDA is ${LACUNA_CUDA}, but ${lacuna_cuda_why}")
endif()

if(NOT DEFINED CMAKE_CUDA_COMPILER)
  set(CMAKE_CUDA_COMPILER ${LACUNA_NVCC})
  set(CMAKE_CUDA_HOST_COMPILER ${CMAKE_CXX_COMPILER})
endif()
set(lacuna_cuda_architectures ${LACUNA_CUDA_ARCHITECTURES})
# Of the host's side only: kernels are always compiled at full optimisation, and compiling is what takes time.
set(lacuna_cuda_release_flags "-O1 -DNDEBUG")
if(NOT lacuna_cuda_architectures)
  set(lacuna_cuda_architectures 80 90)
  file(GLOB gpus /dev/nvidia[0-9]*)  # /dev/nvidiactl is there with a driver alone
  if(gpus)
    set(lacuna_cuda_architectures native)
  elseif(LACUNA_TESTS)
    set(lacuna_cuda_architectures 90)  # nothing will run here: one is enough to see that it compiles
    set(lacuna_cuda_release_flags "-Xcompiler=-Og -DNDEBUG")
  endif()
endif()
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES ${lacuna_cuda_architectures})
endif()
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
message(STATUS "lacuna: with CUDA ${CMAKE_CUDA_COMPILER_VERSION}")

lacuna_add_component(cuda CUDA::cudart_static CUDA::cublasLt)
# CMake 3.25 and older do not know that nvcc has C++20: the flag itself.
target_compile_options(lacuna_cuda INTERFACE "$<$<COMPILE_LANGUAGE:CUDA>:-std=c++20;--extended-lambda>")
if(OpenMP_CXX_FOUND AND LACUNA_OPENMP)
  target_compile_options(lacuna_cuda INTERFACE $<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=${OpenMP_CXX_FLAGS}>>)
endif()

# Flags of lacuna's own .cu files, private to the target.
function(lacuna_own_cuda_flags target)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra,-Wshadow>)
  if(LACUNA_WERROR)
    set_target_properties(${target} PROPERTIES COMPILE_WARNING_AS_ERROR ON)
  endif()
endfunction()
