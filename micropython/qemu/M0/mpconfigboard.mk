# A Cortex-M0, QEMU's microbit, with more memory than that has: the RP2040's instructions without its divider and its
# floating point in ROM.
QEMU_ARCH = arm
QEMU_MACHINE = microbit

CFLAGS += -mthumb -mcpu=cortex-m0 -mfloat-abi=soft -DQEMU_SOC_NRF51 # so MicroPython's uart.c drives its UART
CFLAGS += -DMICROPY_HW_MCU_NAME='"Cortex-M0"'
LDSCRIPT = $(BOARD_DIR)/memory.ld
AFLAGS += -mcpu=cortex-m0
SRC_BOARD_O = shared/runtime/gchelper_native.o shared/runtime/gchelper_thumb1.o
ANNE_PROCESSOR = armv6m
# The activations in assembly take the RP2040's divider.
$(addprefix $(BUILD)/native_module/kernels/,activations_f32.o q31.o armv6m/activations_f32.o): CFLAGS += -DANNE_PORTABLE

include $(BOARD_DIR)/../common.mk
