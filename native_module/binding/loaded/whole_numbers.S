// For the RP2040: what libgcc has slower than the firmware. Whole numbers are divided by the chip's divider, used as
// in kernels/armv6m/activations_f32.S: whoever finds it DIRTY has interrupted a division, and leaves it alone. An
// interrupt of MicroPython's that divides meanwhile puts everything back.
    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .equ SIO, 0xd0000000
    .equ CSR, 0x78 // bit 1: DIRTY

// Quotient in r0, remainder in r1, of r0 and r1; by libgcc's `name` while the divider is in use.
.macro divide name, dividend, divisor
    .section .text.__wrap_\name, "ax", %progbits
    .p2align 2
    .global __wrap_\name
    .type __wrap_\name, %function
__wrap_\name:
    movs r2, #SIO >> 28
    lsls r2, r2, #28
    ldr r3, [r2, #CSR]
    lsrs r3, r3, #2
    bcs 1f
    str r0, [r2, #\dividend]
    str r1, [r2, #\divisor]
    b 2f // 8 cycles
2:  b 2f
2:  b 2f
2:  b 2f
2:  ldr r1, [r2, #0x74]
    ldr r0, [r2, #0x70] // last, which ends the use
    bx lr
1:  push {r4, lr}
    bl __real_\name
    pop {r4, pc}
    .size __wrap_\name, . - __wrap_\name
.endm

    divide __aeabi_uidivmod, 0x60, 0x64
    divide __aeabi_idivmod, 0x68, 0x6c

    .macro same name, as
    .global __wrap_\name
    .thumb_set __wrap_\name, __wrap_\as
    .endm
    same __aeabi_uidiv, __aeabi_uidivmod
    same __aeabi_idiv, __aeabi_idivmod

// Quotient in r0 and r1, remainder in r2 and r3, of 64 bits and a divisor below 2^16, as all that count something are;
// libgcc has the others. By halves of 16 bits, as by hand.
    .section .text.__wrap___aeabi_uldivmod, "ax", %progbits
    .p2align 2
    .global __wrap___aeabi_uldivmod
    .type __wrap___aeabi_uldivmod, %function
__wrap___aeabi_uldivmod:
    cmp r3, #0
    bne 1f
    cmp r2, #0
    beq 1f
    lsrs r3, r2, #16
    bne 2f
    push {r4-r7, lr}
    movs r4, r2                 // divisor
    movs r5, r0                 // low word
    movs r0, r1
    movs r1, r4
    bl __wrap___aeabi_uidivmod
    movs r6, r0                 // quotient's high word
    lsls r0, r1, #16
    lsrs r3, r5, #16
    orrs r0, r3
    movs r1, r4
    bl __wrap___aeabi_uidivmod
    lsls r7, r0, #16
    lsls r0, r1, #16
    uxth r5, r5
    orrs r0, r5
    movs r1, r4
    bl __wrap___aeabi_uidivmod
    orrs r0, r7
    movs r2, r1
    movs r1, r6
    movs r3, #0
    pop {r4-r7, pc}
2:  movs r3, #0
1:  push {r4, lr}
    bl __real___aeabi_uldivmod
    pop {r4, pc}
    .size __wrap___aeabi_uldivmod, . - __wrap___aeabi_uldivmod

// uint64_t __aeabi_lmul(uint64_t a, uint64_t b): the low 64 bits, in half of libgcc's time. In halves of 16 bits:
//     a0 b0 2^0 + (a0 b1 + a1 b0) 2^16 + a1 b1 2^32, and the products with the high words
    .section .text.__aeabi_lmul, "ax", %progbits
    .p2align 2
    .global __aeabi_lmul
    .type __aeabi_lmul, %function
__aeabi_lmul:
    muls r1, r2
    muls r3, r0
    adds r1, r3
    push {r4, r5}
    lsrs r3, r0, #16            // a1
    uxth r0, r0
    lsrs r4, r2, #16            // b1
    uxth r2, r2
    movs r5, r0
    muls r5, r2                 // a0 b0
    muls r0, r4                 // a0 b1
    muls r4, r3                 // a1 b1
    muls r2, r3                 // a1 b0
    adds r1, r4
    movs r3, #0
    adds r0, r2
    adcs r3, r3
    lsls r3, r3, #16
    adds r1, r3
    lsrs r3, r0, #16
    lsls r0, r0, #16
    adds r0, r5
    adcs r1, r3
    pop {r4, r5}
    bx lr
    .size __aeabi_lmul, . - __aeabi_lmul
