# MicroPython for processor cores that QEMU has, with the module and the package, to be tested; none of it is a firmware:
#   qemu-m0    build/qemu-m0.elf: Cortex-M0, the RP2040's instructions without what else that chip has
#   qemu-m33   build/qemu-m33.elf: Cortex-M33 with its floating-point unit, the processor core of the Pico 2
# Part of CMakeLists.txt. tests/api/qemu.py runs them.
file(GLOB qemu_inputs CONFIGURE_DEPENDS qemu/*.* qemu/*/*)
foreach(board IN ITEMS M0 M33)
    string(TOLOWER qemu-${board} name)
    set(build ${out}/qemu/${name})
    step(${name} "building MicroPython for QEMU, ${board} (about 25 s)"
        OUTPUT ${out}/${name}.elf
        DEPENDS ${sources}/stamp ${mpy_cross} ${inputs} ${qemu_inputs} qemu.cmake
        COMMANDS
            COMMAND ${CMAKE_COMMAND} -E rm -rf ${build}/genhdr/qstr.i.last ${build}/frozen_content.c ${build}/frozen_mpy
            COMMAND make -C ${mpy}/ports/qemu -j${cores} BOARD=${board}
                BOARD_DIR=${CMAKE_CURRENT_SOURCE_DIR}/qemu/${board} BUILD=${build} PYTHON=${Python3_EXECUTABLE}
                USER_C_MODULES=${ANNE_ROOT} FROZEN_MANIFEST=${CMAKE_CURRENT_SOURCE_DIR}/manifest_anne.py
                MPY_LIB_DIR=${CMAKE_CURRENT_SOURCE_DIR} ANNE_SANITIZE= ANNE_WARNINGS=-Wall
                "CFLAGS_EXTRA=-DANNE_VERSION=\\\"${ANNE_VERSION}\\\""
            COMMAND ${CMAKE_COMMAND} -E copy ${build}/firmware.elf ${out}/${name}.elf)
    add_custom_target(${name} DEPENDS ${out}/${name}.elf)
endforeach()
