// Dense layer on int16 for the Cortex-M33: six rows at a time, 15 instructions for two columns of each.
//
// A word of weights is (w0 + 2^15) + 2^16 w1 (dense_s16.h), and an exclusive or with 2^15 leaves both with their signs.
// SMLAD then adds w0 x0 + w1 x1 for x0 and x1 in the halves of one word, modulo 2^32 as everything here: it only notes
// an overflow in a flag.
#include "kernels/processor.h"
#ifdef ANNE_ARMV8M
#include "kernels/armv8m/common.inc"

// r0 weights   r1 x   r2 two x   r3-r8 the six sums   r9-r11 weights   r12 end of the rounds of four   lr end of x
.macro two_columns
    ldr r2, [r1], #4
    ldm r0!, {r9, r10, r11}
    eor r9, r9, #0x8000
    eor r10, r10, #0x8000
    eor r11, r11, #0x8000
    smlad r3, r9, r2, r3
    smlad r4, r10, r2, r4
    smlad r5, r11, r2, r5
    ldm r0!, {r9, r10, r11}
    eor r9, r9, #0x8000
    eor r10, r10, #0x8000
    eor r11, r11, #0x8000
    smlad r6, r9, r2, r6
    smlad r7, r10, r2, r7
    smlad r8, r11, r2, r8
.endm

.equ BIAS, 0
.equ X, 4
.equ N_OUT, 8 + 36
.equ ACC, N_OUT + 4

// void anne_dense_s16_halves(const uint32_t *weights, const int32_t *bias, const uint32_t *x, uint32_t pairs,
//                            uint32_t n_out, int32_t *acc)
function anne_dense_s16_halves
    push {r4-r11, lr}
    push {r1, r2}
    add lr, r2, r3, lsl #2
    bic r12, r3, #3
    add r12, r2, r12, lsl #2
    ldr r3, [sp, #N_OUT]
    subs r3, #6
    str r3, [sp, #N_OUT]
    blt 6f
1:  ldr r1, [sp, #BIAS]
    ldm r1!, {r3-r8}
    str r1, [sp, #BIAS]
    ldr r1, [sp, #X]
    cmp r1, r12
    beq 3f
2:  .rept 4
    two_columns
    .endr
    cmp r1, r12
    bne 2b
3:  cmp r1, lr
    beq 5f
4:  two_columns
    cmp r1, lr
    bne 4b
5:  ldr r1, [sp, #ACC]
    stm r1!, {r3-r8}
    str r1, [sp, #ACC]
    ldr r3, [sp, #N_OUT]
    subs r3, #6
    str r3, [sp, #N_OUT]
    bge 1b
6:  adds r3, #6 // what is left, five rows at most, comes row after row
    beq 9f
    ldr r4, [sp, #BIAS]
    ldr r5, [sp, #ACC]
7:  ldr r1, [sp, #X]
    ldr r6, [r4], #4
8:  ldr r2, [r1], #4
    ldr r9, [r0], #4
    eor r9, r9, #0x8000
    smlad r6, r9, r2, r6
    cmp r1, lr
    bne 8b
    str r6, [r5], #4
    subs r3, #1
    bne 7b
9:  add sp, #8
    pop {r4-r11, pc}
#endif
