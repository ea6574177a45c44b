# Raspberry Pi Pico 2: RP2350 with its Arm cores, 4 MB of flash.
set(PICO_BOARD pico2)
set(PICO_PLATFORM rp2350-arm-s)

# Storage is as large as in stock firmware, so files on a board survive going over to ours and back.
set(ANNE_STORAGE_KB 3072)
set(ANNE_ROMFS_KB 256)
include(${CMAKE_CURRENT_LIST_DIR}/../common.cmake)
