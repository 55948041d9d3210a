# LACUNA_BLAS: OFF multiplies with lacuna's own kernel; ON with OpenBLAS, BLIS or MKL, an error without one; AUTO with one
# of them where there is one. The reference BLAS of a distribution is none of them: it is many times slower than ours.
# A property of this build: an installed package leaves the choice to the project that finds it.
set(LACUNA_BLAS OFF CACHE STRING "Matrix products by the machine's BLAS: OFF, AUTO or ON")
set_property(CACHE LACUNA_BLAS PROPERTY STRINGS OFF AUTO ON)
set(lacuna_blas_message "lacuna: matrix products by lacuna's own kernel (LACUNA_BLAS=${LACUNA_BLAS})")
if(LACUNA_BLAS)
  find_library(LACUNA_BLAS_LIBRARY NAMES openblas blis mkl_rt
    PATH_SUFFIXES openblas-pthread openblas-openmp openblas-serial blis-openmp blis-pthread blis-serial)
  mark_as_advanced(LACUNA_BLAS_LIBRARY)
  if(LACUNA_BLAS_LIBRARY)
    set(lacuna_blas_message "lacuna: matrix products by ${LACUNA_BLAS_LIBRARY} (LACUNA_BLAS=${LACUNA_BLAS})")
    target_compile_definitions(lacuna INTERFACE $<BUILD_INTERFACE:LACUNA_USE_BLAS>)
    target_link_libraries(lacuna INTERFACE $<BUILD_INTERFACE:${LACUNA_BLAS_LIBRARY}>)
  elseif(NOT LACUNA_BLAS STREQUAL "AUTO")
    message(FATAL_ERROR "LACUNA_BLAS=${LACUNA_BLAS}, but there is no OpenBLAS, BLIS or MKL; "
      "set LACUNA_BLAS_LIBRARY to its file, or LACUNA_BLAS=AUTO")
  endif()
endif()
message(STATUS "${lacuna_blas_message}")
