# What our boards for MicroPython's port qemu share. ANNE_QEMU is this folder, below USER_C_MODULES.
ANNE_QEMU := micropython/qemu
# The Pico's with our firmware, 227 KB.
MICROPY_HEAP_SIZE = 232448
MICROPY_VFS_LFS2 = 1

INC += -I$(BOARD_DIR)/..
CFLAGS += -g -DMP_CONFIGFILE='<config.h>'
SRC_C += $(ANNE_QEMU)/machine.c
LDFLAGS += -L $(BOARD_DIR)/..
