// For the RP2040: what libgcc has slower than the firmware. Whole numbers are divided by the chip's divider.
#include "binding/loaded/divider.inc"

// r0 by r1, quotient in r0, remainder in r1.
.macro divide dividend, divisor
    str r0, [r2, #\dividend]
    str r1, [r2, #\divisor]
    b 2f // 8 cycles
2:  b 2f
2:  b 2f
2:  b 2f
2:  ldr r1, [r2, #REMAINDER]
    ldr r0, [r2, #QUOTIENT] // last, which ends the use
.endm

.macro division dividend, divisor
    divider_in r2
    bcs 1f
    divide \dividend, \divisor
    bx lr
1:  save_divider
    divide \dividend, \divisor
    restore_divider
.endm

    .section .text.uidivmod, "ax", %progbits
    .p2align 2
function __aeabi_uidiv
function __aeabi_uidivmod
    division UDIVIDEND, UDIVISOR

    .section .text.idivmod, "ax", %progbits
    .p2align 2
function __aeabi_idiv
function __aeabi_idivmod
    division SDIVIDEND, SDIVISOR

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
    bl __aeabi_uidivmod
    movs r6, r0                 // quotient's high word
    lsls r0, r1, #16
    lsrs r3, r5, #16
    orrs r0, r3
    movs r1, r4
    bl __aeabi_uidivmod
    lsls r7, r0, #16
    lsls r0, r1, #16
    uxth r5, r5
    orrs r0, r5
    movs r1, r4
    bl __aeabi_uidivmod
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
