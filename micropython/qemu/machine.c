// What MicroPython's port qemu lacks of our machines: a clock for both, and for the Cortex-M33 its UART, and its
// floating-point unit switched on. Under QEMU's -icount an instruction takes a fixed time, so a program always takes
// the same.
#include "py/mphal.h"

#include "ports/qemu/uart.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#ifdef QEMU_SOC_NRF51

// SysTick: 24 bits, down, 16 MHz. QEMU's timers of the nRF51 lose at each look what is less than a tick, so that a loop
// that waits for one never ends. Whoever does not look for a second loses that second.
#define SYSTICK      0xe000e010
#define TICKS_PER_US 16

static uint32_t ticks(void) {
    static uint32_t total;
    if ((REGISTER(SYSTICK) & 1) == 0) {
        REGISTER(SYSTICK + 0x4) = 0xffffff; // from here again
        REGISTER(SYSTICK + 0x8) = 0;        // whatever is written: from the beginning
        REGISTER(SYSTICK) = 5;              // the processor's clock, no interrupt
    }
    total += (~REGISTER(SYSTICK + 0x8) - total) & 0xffffff;
    return total;
}

#else

// Timer 0 of the board: 32 bits, down, 20 MHz.
#define TIMER        0x50000000
#define TICKS_PER_US 20
#define UART         0x50200000
#define CPACR        0xe000ed88

static uint32_t ticks(void) {
    return ~REGISTER(TIMER + 0x4);
}

// The first that the port calls after it has filled the memory.
void uart_init(void) {
    REGISTER(CPACR) |= 0xf << 20;
    __asm volatile("dsb\nisb");
    REGISTER(UART + 0x10) = 16; // clocks a bit
    REGISTER(UART + 0x8) = 3;   // send and receive
    REGISTER(TIMER + 0x8) = 0xffffffff;
    REGISTER(TIMER + 0x4) = 0xffffffff;
    REGISTER(TIMER) = 1;
}

int uart_rx_chr(void) {
    return (REGISTER(UART + 0x4) & 2) != 0 ? (int)REGISTER(UART) : UART_RX_NO_CHAR;
}

void uart_tx_strn(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++) {
        while ((REGISTER(UART + 0x4) & 1) != 0) {
        }
        REGISTER(UART) = (uint8_t)text[i];
    }
}

#endif

static uint64_t ticks_since_start(void) {
    static uint64_t total;
    total += ticks() - (uint32_t)total;
    return total;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return ticks_since_start();
}

mp_uint_t mp_hal_ticks_us(void) {
    return ticks_since_start() / TICKS_PER_US;
}

mp_uint_t mp_hal_ticks_ms(void) {
    return ticks_since_start() / (1000 * TICKS_PER_US);
}

uint64_t mp_hal_time_ns(void) {
    return ticks_since_start() * 1000 / TICKS_PER_US;
}

void mp_hal_delay_us(mp_uint_t us) {
    uint64_t end = ticks_since_start() + (uint64_t)us * TICKS_PER_US;
    while (ticks_since_start() < end) {
        MICROPY_VM_HOOK_LOOP
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    mp_hal_delay_us(ms * 1000);
}
