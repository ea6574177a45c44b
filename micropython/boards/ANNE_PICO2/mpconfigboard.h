#define MICROPY_HW_BOARD_NAME "AI-ANNE on Raspberry Pi Pico 2"
#include "../common.h"
