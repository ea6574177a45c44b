# ANNE_CORE_SOURCES: the core, portable C: everything but the binding (mod_anne.c) and the host's doors (host.c).
# Sets how kernels are compiled, for firmware and host alike: user modules get -Os otherwise, and loops that GCC
# turns into calls of memset or memcpy cost more than they do for the few values of a small layer. GCC 12 takes
# values that depend on the same condition twice for uninitialised ones. -O2, as -O3 makes the firmware larger, and
# where speed counts most the RP2040 has assembly. The activations on floats, where what is called most is inlined by
# name, and the rescaling have -Os, which takes a quarter off their code.
file(GLOB ANNE_KERNEL_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/kernels/*.c)
file(GLOB ANNE_CORE_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.c)
list(REMOVE_ITEM ANNE_CORE_SOURCES ${CMAKE_CURRENT_LIST_DIR}/mod_anne.c ${CMAKE_CURRENT_LIST_DIR}/host.c)
list(APPEND ANNE_CORE_SOURCES ${ANNE_KERNEL_SOURCES})
set_source_files_properties(${ANNE_KERNEL_SOURCES} PROPERTIES
    COMPILE_OPTIONS "-O2;-fno-tree-loop-distribute-patterns;-Wno-maybe-uninitialized")
foreach(name activations_f32 requantize)
    set_property(SOURCE ${CMAKE_CURRENT_LIST_DIR}/kernels/${name}.c APPEND PROPERTY COMPILE_OPTIONS "-Os")
endforeach()
