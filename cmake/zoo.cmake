# lacuna::zoo      every model of the library under its name: programs that link it include lacuna/zoo/predictor.hpp alone
# lacuna::predict  the same behind the C header lacuna/zoo/lacuna.h, as a shared library for programs in other languages
#
# They are compiled where they are used, with the flags of whoever does, as lacuna::precompiled is and for its reason.
if(NOT TARGET lacuna::zoo)
  file(GLOB lacuna_zoo_sources ${CMAKE_CURRENT_LIST_DIR}/zoo/*.cpp)
  list(FILTER lacuna_zoo_sources EXCLUDE REGEX "/lacuna_c\\.cpp$")
  # An object library: nothing refers to the file that registers the models, and a linker leaves such out of archives.
  add_library(lacuna_zoo_objects OBJECT EXCLUDE_FROM_ALL ${lacuna_zoo_sources})
  target_compile_definitions(lacuna_zoo_objects PRIVATE LACUNA_ZOO_PARTS)
  target_link_libraries(lacuna_zoo_objects PUBLIC lacuna::lacuna lacuna::io)
  if(TARGET lacuna::precompiled)
    target_link_libraries(lacuna_zoo_objects PUBLIC lacuna::precompiled)
  endif()
  # Hidden: the shared library below and a program that has the models itself keep a registry each. Compiled beside
  # lacuna::precompiled, which programs need only when they are linked: it is one large unit.
  set_target_properties(lacuna_zoo_objects PROPERTIES POSITION_INDEPENDENT_CODE ON OPTIMIZE_DEPENDENCIES ON
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  add_library(lacuna_zoo INTERFACE)
  add_library(lacuna::zoo ALIAS lacuna_zoo)
  target_link_libraries(lacuna_zoo INTERFACE lacuna_zoo_objects $<TARGET_OBJECTS:lacuna_zoo_objects>)

  add_library(lacuna_predict SHARED EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/zoo/lacuna_c.cpp)
  add_library(lacuna::predict ALIAS lacuna_predict)
  target_link_libraries(lacuna_predict PRIVATE lacuna::zoo)
  target_include_directories(lacuna_predict INTERFACE $<TARGET_PROPERTY:lacuna::lacuna,INTERFACE_INCLUDE_DIRECTORIES>)
  set_target_properties(lacuna_predict PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endif()
