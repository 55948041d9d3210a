# lacuna::precompiled: the common templates for float and double, compiled once instead of in every file.
#
# It is compiled where it is used, by lacuna's own build and by a project that found an installed lacuna alike. Eigen's
# templates change with processor and sanitizer flags under the same names; a library built once, elsewhere, would mix them.
if(NOT TARGET lacuna::precompiled)
  add_library(lacuna_precompiled STATIC EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/precompiled.cpp)
  add_library(lacuna::precompiled ALIAS lacuna_precompiled)
  target_link_libraries(lacuna_precompiled PUBLIC lacuna::lacuna)
  target_compile_definitions(lacuna_precompiled
    PRIVATE LACUNA_PRECOMPILED_IMPLEMENTATION INTERFACE LACUNA_PRECOMPILED)
  set_target_properties(lacuna_precompiled PROPERTIES POSITION_INDEPENDENT_CODE ON)
endif()
