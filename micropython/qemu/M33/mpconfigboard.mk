# A Cortex-M33 with a floating-point unit, QEMU's mps2-an505: the processor core of the Pico 2.
QEMU_ARCH = arm
QEMU_MACHINE = mps2-an505

CFLAGS += -mthumb -mcpu=cortex-m33 -mfpu=fpv5-sp-d16 -mfloat-abi=hard
CFLAGS += -DMICROPY_HW_MCU_NAME='"Cortex-M33"'
LDSCRIPT = $(BOARD_DIR)/memory.ld
AFLAGS += -mcpu=cortex-m33
SRC_BOARD_O = shared/runtime/gchelper_native.o shared/runtime/gchelper_thumb1.o
ANNE_PROCESSOR = armv8m

include $(BOARD_DIR)/../common.mk
