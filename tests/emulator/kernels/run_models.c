// Runs model files on a bare Cortex-M33 under QEMU: from the file "request" to the file "reply", by semihosting.
//
// request: for each model a word with the file's bytes, a word with the number of samples, the file, the samples as
// they stand in the arena. reply: for each model a word with the status of the loader and, if that is 0, for each
// sample a word with the ticks that it took and the outputs. Then one word more: the bits of a sum of a product, see
// `fused`.
#include <stddef.h>
#include <stdint.h>

#include "model.h"

enum { SYS_OPEN = 1, SYS_WRITE = 5, SYS_READ = 6, SYS_EXIT = 0x18 };
enum { READ_BINARY = 1, WRITE_BINARY = 5 };
#define APPLICATION_EXIT 0x20026

static uint32_t host(uint32_t operation, const void *block) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static uint32_t open_file(const char *name, uint32_t n, uint32_t mode) {
    return host(SYS_OPEN, (uintptr_t[]){(uintptr_t)name, mode, n});
}

// Whether all of the bytes came.
static bool read_bytes(uint32_t file, void *bytes, uint32_t n) {
    return host(SYS_READ, (uintptr_t[]){file, (uintptr_t)bytes, n}) == 0;
}

static void write_bytes(uint32_t file, const void *bytes, uint32_t n) {
    host(SYS_WRITE, (uintptr_t[]){file, (uintptr_t)bytes, n});
}

#define ROOM (1 << 20)
static uint8_t bytes[ROOM] __attribute__((aligned(4)));
static uint8_t workspace[ROOM] __attribute__((aligned(4)));
static uint8_t sample[ROOM];

// The processor's own counter of 24 bits, downwards: with QEMU's -icount a tick is so many instructions.
#define SYST_CSR (*(volatile uint32_t *)0xe000e010)
#define SYST_RVR (*(volatile uint32_t *)0xe000e014)
#define SYST_CVR (*(volatile uint32_t *)0xe000e018)

static bool run_model(uint32_t request, uint32_t reply) {
    uint32_t counts[2]; // bytes, samples
    if (!read_bytes(request, counts, sizeof counts) || counts[0] > ROOM || !read_bytes(request, bytes, counts[0])) {
        return false;
    }
    anne_model_t model;
    uint32_t status = anne_model_open(&model, bytes, counts[0]);
    write_bytes(reply, &status, sizeof status);
    if (status != ANNE_OK || model.workspace_bytes > ROOM) {
        return false;
    }
    model.workspace = workspace;
    anne_model_prepare(&model);
    uint32_t x_bytes = anne_model_bytes(&model, ANNE_ROLE_INPUT), y_bytes = anne_model_bytes(&model, ANNE_ROLE_OUTPUT);
    for (uint32_t i = 0; i < counts[1]; i++) {
        if (x_bytes > ROOM || y_bytes > ROOM || !read_bytes(request, sample, x_bytes)) {
            return false;
        }
        anne_model_put_inputs(&model, sample);
        uint32_t start = SYST_CVR;
        anne_model_run(&model);
        uint32_t ticks = (start - SYST_CVR) & 0xffffff;
        write_bytes(reply, &ticks, sizeof ticks);
        anne_model_get_outputs(&model, sample);
        write_bytes(reply, sample, y_bytes);
    }
    return true;
}

// (1 + 2^-12)^2 - 1 is 2^-11 with two roundings and 2^-11 + 2^-24 with one.
static float fused(void) {
    volatile float a = 1 + 0x1p-12f, c = -1;
    float x = a;
    return x * x + c;
}

int main(void) {
    SYST_RVR = 0xffffff;
    SYST_CVR = 0;
    SYST_CSR = 5; // counts, by the processor's clock, without interrupts
    uint32_t request = open_file("request", 7, READ_BINARY), reply = open_file("reply", 5, WRITE_BINARY);
    while (run_model(request, reply)) {
    }
    float sum = fused();
    write_bytes(reply, &sum, sizeof sum);
    host(SYS_EXIT, (const void *)APPLICATION_EXIT);
    return 0;
}

// --- Where the processor begins -------------------------------------------------------------------------------------

#define CPACR (*(volatile uint32_t *)0xe000ed88)

static void reset(void) {
    CPACR |= 0xf << 20; // the floating-point unit
    __asm__ volatile("dsb\nisb");
    main();
}

extern uint32_t end_of_stack[]; // of the linker script
__attribute__((used, section(".vectors"))) static const void *const vectors[] = {end_of_stack, reset};
