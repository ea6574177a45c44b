# Included by each board's mpconfigboard.cmake, which sets the chip and, in KB, ANNE_STORAGE_KB (files the user
# writes, at the end of flash) and ANNE_ROMFS_KB (read-only files, right below the storage).
include(${CMAKE_CURRENT_LIST_DIR}/../versions.cmake)

set(USER_C_MODULES ${CMAKE_CURRENT_LIST_DIR}/code_end.cmake)
if(ANNE_BARE) # without anything of ours, to measure what that takes
    set(MICROPY_FROZEN_MANIFEST ${ANNE_ROOT}/micropython/manifest_stock.py)
else()
    list(APPEND USER_C_MODULES ${ANNE_ROOT}/native_module)
    set(MICROPY_FROZEN_MANIFEST ${ANNE_ROOT}/micropython/manifest.py)
    if(ANNE_BENCH) # with the peers that `make bench` compares with
        list(APPEND USER_C_MODULES ${ANNE_ROOT}/benchmark)
    endif()
endif()
# MicroPython insists on a folder of micropython-lib with a README.md. No manifest of ours takes anything from
# micropython-lib, as Debian's sources do not have it: this folder does.
set(MICROPY_LIB_DIR ${ANNE_ROOT}/micropython)

math(EXPR ANNE_STORAGE_BYTES "${ANNE_STORAGE_KB} * 1024")
math(EXPR ANNE_ROMFS_BYTES "${ANNE_ROMFS_KB} * 1024")
list(APPEND MICROPY_DEF_BOARD
    MICROPY_HW_FLASH_STORAGE_BYTES=${ANNE_STORAGE_BYTES}
    MICROPY_HW_ROMFS_BYTES=${ANNE_ROMFS_BYTES}
    ANNE_VERSION="${ANNE_VERSION}"
    ANNE_BUILT_WITH="pico-sdk ${PICO_SDK_VERSION}, tinyusb ${TINYUSB_VERSION}"
)
