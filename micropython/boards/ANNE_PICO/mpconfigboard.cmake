# Raspberry Pi Pico: RP2040, 2 MB of flash.
set(PICO_BOARD pico)
set(PICO_PLATFORM rp2040)

# Storage is as large as in stock firmware, so files on a board survive going over to ours and back.
set(ANNE_STORAGE_KB 1408)
set(ANNE_ROMFS_KB 160)
include(${CMAKE_CURRENT_LIST_DIR}/../common.cmake)
