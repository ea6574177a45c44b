# The native module as .mpy files, which stock firmware loads: natmod/CMakeLists.txt, once for each architecture.
#   natmod                   build/natmod/_anne-armv6m.mpy (Pico, Pico W), _anne-armv7emsp.mpy (Pico 2, Pico 2 W and other
#                            Cortex-M4F and M33), _anne-x64.mpy (the unix port); each also with dense layers alone,
#                            _anne-armv6m-dense.mpy
#   micropython-unix-plain   build/micropython-unix-plain: an unmodified unix port to load the last one into
set(binding ${ANNE_ROOT}/native_module/binding)
file(GLOB natmod_inputs CONFIGURE_DEPENDS natmod/*.* ${binding}/loaded/*.*)

add_custom_target(natmod)
function(add_natmod architecture compiler)
    set(modules ${out}/natmod/_anne-${architecture}.mpy ${out}/natmod/_anne-${architecture}-dense.mpy)
    set(build ${out}/natmod/${architecture})
    step(natmod-${architecture} "building the native module for ${architecture} (about 10 s)"
        OUTPUT ${modules}
        DEPENDS ${mpy_cross} ${inputs} ${natmod_inputs} natmod.cmake
        COMMANDS
            COMMAND ${CMAKE_COMMAND} -G Ninja -S ${CMAKE_CURRENT_SOURCE_DIR}/natmod -B ${build}
                -DANNE_ARCH=${architecture} -DCMAKE_SYSTEM_NAME=Generic -DCMAKE_C_COMPILER=${compiler}
                -DPython3_EXECUTABLE=${Python3_EXECUTABLE} -DMPY_DIR=${mpy} -DMPY_CROSS=${mpy_cross}
            COMMAND ${CMAKE_COMMAND} --build ${build}
            COMMAND ${CMAKE_COMMAND} -E copy ${build}/all/_anne.mpy ${out}/natmod/_anne-${architecture}.mpy
            COMMAND ${CMAKE_COMMAND} -E copy ${build}/dense/_anne.mpy ${out}/natmod/_anne-${architecture}-dense.mpy)
    add_custom_target(natmod-${architecture} DEPENDS ${modules})
    add_dependencies(natmod natmod-${architecture})
endfunction()

add_natmod(armv6m arm-none-eabi-gcc)
add_natmod(armv7emsp arm-none-eabi-gcc)
add_natmod(x64 ${CMAKE_C_COMPILER})

# As its own makefiles build it, but for what takes sources that are not there: so with floats of 64 bits.
step(micropython-unix-plain "building MicroPython's unix port (about 30 s)"
    OUTPUT ${out}/micropython-unix-plain
    DEPENDS ${sources}/stamp ${mpy_cross} natmod.cmake
    COMMANDS
        COMMAND make -C ${mpy}/ports/unix -j${cores} VARIANT=standard BUILD=${out}/unix-plain
            PYTHON=${Python3_EXECUTABLE} FROZEN_MANIFEST=${mpy}/extmod/asyncio/manifest.py
            MPY_LIB_DIR=${CMAKE_CURRENT_SOURCE_DIR} MICROPY_PY_BTREE=0 MICROPY_PY_SSL=0
        COMMAND ${CMAKE_COMMAND} -E copy ${out}/unix-plain/micropython ${out}/micropython-unix-plain)
add_custom_target(micropython-unix-plain DEPENDS ${out}/micropython-unix-plain)
