# add_anne_core(NAME TYPE [more sources...]): the library NAME of the core, portable C (everything but binding/ and the
# host's doors host.c), compiled as flags.env says. Sets ANNE_CORE_SOURCES and the lists of flags.env.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/flags.env ANNE_OPTIONS REGEX "^[A-Z]")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/flags.env)
foreach(line IN LISTS ANNE_OPTIONS)
    string(REGEX MATCH "^([A-Z_]+)=(.*)$" matched "${line}")
    string(REPLACE " " ";" ${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
endforeach()

set(ANNE_NATIVE_MODULE ${CMAKE_CURRENT_LIST_DIR})
file(GLOB ANNE_KERNEL_SOURCES CONFIGURE_DEPENDS ${ANNE_NATIVE_MODULE}/kernels/*.c)
list(APPEND ANNE_KERNEL_SOURCES ${ANNE_NATIVE_MODULE}/train/passes.c) # compiled as they are
file(GLOB ANNE_CORE_SOURCES CONFIGURE_DEPENDS ${ANNE_NATIVE_MODULE}/*.c ${ANNE_NATIVE_MODULE}/layers/*.c
    ${ANNE_NATIVE_MODULE}/train/*.c)
list(REMOVE_ITEM ANNE_CORE_SOURCES ${ANNE_NATIVE_MODULE}/host.c ${ANNE_KERNEL_SOURCES})
list(APPEND ANNE_CORE_SOURCES ${ANNE_KERNEL_SOURCES})

function(add_anne_core name type)
    add_library(${name} ${type} ${ANNE_CORE_SOURCES} ${ARGN})
    target_include_directories(${name} PUBLIC ${ANNE_NATIVE_MODULE})
    set_target_properties(${name} PROPERTIES C_STANDARD 11)
    target_compile_options(${name} PRIVATE ${ANNE_FLAGS} ${ANNE_WARNINGS})
    # of the folder that calls this, as CMake has it
    set_source_files_properties(${ANNE_KERNEL_SOURCES} PROPERTIES COMPILE_OPTIONS "${ANNE_KERNEL_FLAGS}")
    foreach(kernel IN LISTS ANNE_SMALL_KERNELS)
        set_property(SOURCE ${ANNE_NATIVE_MODULE}/kernels/${kernel}.c APPEND PROPERTY
            COMPILE_OPTIONS ${ANNE_SMALL_FLAGS})
    endforeach()
endfunction()
