# Lets linking fail where the code would reach into ROMFS. MicroPython includes this as a user module, that is once
# the SDK has told the size of the flash (which begins at 0x10000000).
math(EXPR ANNE_CODE_END "0x10000000 + ${PICO_FLASH_SIZE_BYTES} - ${ANNE_STORAGE_BYTES} - ${ANNE_ROMFS_BYTES}"
    OUTPUT_FORMAT HEXADECIMAL)
target_link_options(usermod INTERFACE
    -Wl,--defsym=__anne_code_end=${ANNE_CODE_END}
    ${CMAKE_CURRENT_LIST_DIR}/code_end.ld
)
