// Files of the computer that runs QEMU, and where a bare processor core begins, for a program of one file with `main`.
#ifndef ANNE_SEMIHOSTING_H
#define ANNE_SEMIHOSTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SYS_OPEN = 1, SYS_WRITE = 5, SYS_READ = 6, SYS_EXIT = 0x18 };
enum { READ_BINARY = 1, WRITE_BINARY = 5 };
#define APPLICATION_EXIT 0x20026

#ifdef __riscv
static uint32_t host(uint32_t operation, const void *block) {
    register uint32_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = block;
    __asm__ volatile(".p2align 4\n.option push\n.option norvc\n"
                     "slli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\n.option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
}
#else
static uint32_t host(uint32_t operation, const void *block) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}
#endif

static inline uint32_t open_file(const char *name, uint32_t n, uint32_t mode) {
    return host(SYS_OPEN, (uintptr_t[]){(uintptr_t)name, mode, n});
}

// Whether all of the bytes came.
static inline bool read_bytes(uint32_t file, void *bytes, uint32_t n) {
    return host(SYS_READ, (uintptr_t[]){file, (uintptr_t)bytes, n}) == 0;
}

static inline void write_bytes(uint32_t file, const void *bytes, uint32_t n) {
    host(SYS_WRITE, (uintptr_t[]){file, (uintptr_t)bytes, n});
}

static inline void leave(void) {
    host(SYS_EXIT, (const void *)APPLICATION_EXIT);
}

// --- Where the processor begins -------------------------------------------------------------------------------------

#ifdef __riscv
__asm__(".section .vectors, \"ax\"\n.global _start\n_start:\nla sp, end_of_stack\ncall main\n1: j 1b\n.text");
#else
#define CPACR (*(volatile uint32_t *)0xe000ed88)

int main(void);

static void reset(void) {
    CPACR |= 0xf << 20; // the floating-point unit
    __asm__ volatile("dsb\nisb");
    main();
}

extern uint32_t end_of_stack[]; // of the linker script
__attribute__((used, section(".vectors"))) static const void *const vectors[] = {end_of_stack, reset};
#endif

#endif // ANNE_SEMIHOSTING_H
