# Headers, one source file and CMake scripts: nothing that depends on the machine, hence share/ and ARCH_INDEPENDENT.
include(CMakePackageConfigHelpers)

set(lacuna_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/lacuna)

install(TARGETS lacuna EXPORT lacuna-targets FILE_SET HEADERS)
install(EXPORT lacuna-targets NAMESPACE lacuna:: DESTINATION ${lacuna_package_dir})
export(EXPORT lacuna-targets NAMESPACE lacuna:: FILE lacuna-targets.cmake)

get_property(lacuna_components GLOBAL PROPERTY lacuna_components)
foreach(component IN LISTS lacuna_components)
  install(TARGETS lacuna_${component} EXPORT lacuna-${component}-targets)
  install(EXPORT lacuna-${component}-targets NAMESPACE lacuna:: DESTINATION ${lacuna_package_dir})
  export(EXPORT lacuna-${component}-targets NAMESPACE lacuna:: FILE lacuna-${component}-targets.cmake)
endforeach()

configure_package_config_file(cmake/lacuna-config.cmake.in lacuna-config.cmake
  INSTALL_DESTINATION ${lacuna_package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(lacuna-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/lacuna-config.cmake ${PROJECT_BINARY_DIR}/lacuna-config-version.cmake
  DESTINATION ${lacuna_package_dir})

if(TARGET lacuna_precompiled)
  set(lacuna_precompiled_files cmake/precompiled.cmake cmake/precompiled.cpp)
  install(FILES ${lacuna_precompiled_files} DESTINATION ${lacuna_package_dir})
  file(COPY ${lacuna_precompiled_files} DESTINATION ${PROJECT_BINARY_DIR})
endif()

if(TARGET lacuna_zoo)
  install(FILES cmake/zoo.cmake DESTINATION ${lacuna_package_dir})
  install(DIRECTORY cmake/zoo DESTINATION ${lacuna_package_dir})
  file(COPY cmake/zoo.cmake cmake/zoo DESTINATION ${PROJECT_BINARY_DIR})
endif()

# Relative to itself, so that the folder may be moved and `cmake --install --prefix` may choose it.
file(RELATIVE_PATH lacuna_pc_prefix ${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH lacuna_pc_include ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/lacuna.pc.in lacuna.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/lacuna.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/lacuna)
