# The native module for MicroPython ports built with CMake (rp2). The core is a library of its own, without
# MicroPython's folders in its include path: whatever it includes, it cannot come to depend on them.
include(${CMAKE_CURRENT_LIST_DIR}/core.cmake)

add_anne_core(anne_core STATIC)
# The loops for the chip's processor; whatever has none there is in the portable files.
if(PICO_RP2040)
    file(GLOB ANNE_ASSEMBLY CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/kernels/armv6m/*.S)
    target_compile_definitions(anne_core PRIVATE ANNE_ROM_FLOATS) # pico-sdk has them there
elseif(PICO_PLATFORM STREQUAL "rp2350-arm-s")
    file(GLOB ANNE_ASSEMBLY CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/kernels/armv8m/*.S)
endif()
target_sources(anne_core PRIVATE ${ANNE_ASSEMBLY})
# A section a function, so that the linker leaves out what is not called.
target_compile_options(anne_core PRIVATE -Werror -g -ffunction-sections -fdata-sections)

# The binding as part of a firmware (binding/runtime.h).
set(ANNE_BINDING ${CMAKE_CURRENT_LIST_DIR}/binding)
file(GLOB ANNE_BINDING_SOURCES CONFIGURE_DEPENDS ${ANNE_BINDING}/*.c ${ANNE_BINDING}/linked/*.c)
add_library(usermod_anne INTERFACE)
target_sources(usermod_anne INTERFACE ${ANNE_BINDING_SOURCES})
target_include_directories(usermod_anne INTERFACE ${ANNE_BINDING} ${ANNE_BINDING}/linked)
set_source_files_properties(${ANNE_BINDING_SOURCES} PROPERTIES COMPILE_OPTIONS "${ANNE_FLAGS}")
target_link_libraries(usermod_anne INTERFACE anne_core)
target_link_libraries(usermod INTERFACE usermod_anne)
set_source_files_properties(${CMAKE_BINARY_DIR}/frozen_content.c PROPERTIES
    COMPILE_OPTIONS "-include;${CMAKE_CURRENT_LIST_DIR}/frozen_floats.h")
