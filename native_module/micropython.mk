# The native module for MicroPython ports built with make (unix, qemu). Only the binding is searched for names (qstrs).
# The unix port is there to test: the sanitizers watch our objects. They leave MicroPython's own alone, which has
# undefined behaviour of its own; whoever links adds them, too.
ANNE_DIR := $(USERMOD_DIR)
ANNE_KERNELS := $(wildcard $(ANNE_DIR)/kernels/*.c) $(ANNE_DIR)/train/passes.c # compiled as they are
ANNE_OTHERS := $(wildcard $(ANNE_DIR)/*.c $(ANNE_DIR)/layers/*.c $(ANNE_DIR)/train/*.c)
ANNE_CORE := $(filter-out $(ANNE_DIR)/host.c $(ANNE_KERNELS),$(ANNE_OTHERS)) $(ANNE_KERNELS)
ANNE_BINDING := $(wildcard $(ANNE_DIR)/binding/*.c $(ANNE_DIR)/binding/linked/*.c)
ANNE_SANITIZE ?= -fsanitize=address,undefined -fno-sanitize-recover=undefined

SRC_USERMOD_C += $(ANNE_BINDING)
SRC_USERMOD_LIB_C += $(ANNE_CORE)
# The loops for a processor that a board names by their folder; whatever has none there is in the portable files.
SRC_USERMOD_LIB_ASM += $(if $(ANNE_PROCESSOR),$(wildcard $(ANNE_DIR)/kernels/$(ANNE_PROCESSOR)/*.S))
CFLAGS_USERMOD += -I$(ANNE_DIR) -I$(ANNE_DIR)/binding -I$(ANNE_DIR)/binding/linked
LDFLAGS_USERMOD += $(ANNE_SANITIZE)

include $(ANNE_DIR)/flags.env
anne_objects = $(patsubst $(USER_C_MODULES)/%.c,$(BUILD)/%.o,$(1))
ANNE_OBJECTS := $(call anne_objects,$(ANNE_CORE) $(ANNE_BINDING))
$(ANNE_OBJECTS): $(ANNE_DIR)/flags.env
$(ANNE_OBJECTS): CFLAGS += $(ANNE_FLAGS) $(ANNE_WARNINGS) $(ANNE_SANITIZE)
# An exception leaves the binding's frames without taking back what the sanitizer noted about their variables, which it
# then takes for errors of others: no notes about the stack here.
$(call anne_objects,$(ANNE_BINDING)): CFLAGS += --param asan-stack=0
$(call anne_objects,$(ANNE_KERNELS)): CFLAGS += $(ANNE_KERNEL_FLAGS)
$(call anne_objects,$(ANNE_SMALL_KERNELS:%=$(ANNE_DIR)/kernels/%.c)): CFLAGS += $(ANNE_SMALL_FLAGS)
$(BUILD)/frozen_content.o: CFLAGS += -include $(ANNE_DIR)/frozen_floats.h
