// Dense layer on int16 for the Cortex-M33: six rows at a time, 15 instructions for two columns of each, or 9 where the
// weights are rewritten.
//
// A word of weights is (w0 + 2^15) + 2^16 w1 (dense_s16.h), and an exclusive or with 2^15 leaves both with their signs;
// rewritten ones have that behind them. SMLAD then adds w0 x0 + w1 x1 for x0 and x1 in the halves of one word, modulo
// 2^32 as everything here: it only notes an overflow in a flag.
#include "kernels/processor.h"
#ifdef ANNE_ARMV8M
#include "kernels/armv8m/common.inc"

.macro with_sign word, in_file
    .if \in_file
    eor \word, \word, #0x8000
    .endif
.endm

.macro three_rows a, b, c, in_file
    ldm r0!, {r9, r10, r11}
    with_sign r9, \in_file
    with_sign r10, \in_file
    with_sign r11, \in_file
    smlad \a, r9, r2, \a
    smlad \b, r10, r2, \b
    smlad \c, r11, r2, \c
.endm

// r0 weights   r1 x   r2 two x   r3-r8 the six sums   r9-r11 weights   r12 end of the rounds of four   lr end of x
.macro two_columns in_file
    ldr r2, [r1], #4
    three_rows r3, r4, r5, \in_file
    three_rows r6, r7, r8, \in_file
.endm

// Of one row, to r6.
.macro four_columns in_file
    ldrd r8, r9, [r0], #8
    ldrd r2, r7, [r1], #8
    with_sign r8, \in_file
    with_sign r9, \in_file
    smlad r6, r8, r2, r6
    smlad r6, r9, r7, r6
.endm

.equ BIAS, 0
.equ X, 4
.equ N_OUT, 8 + 36
.equ ACC, N_OUT + 4

// void name(const uint32_t *weights, const int32_t *bias, const uint32_t *x, uint32_t pairs, uint32_t n_out,
//           int32_t *acc)
.macro sum_halves name, in_file
function \name
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
    two_columns \in_file
    .endr
    cmp r1, r12
    bne 2b
3:  cmp r1, lr
    beq 5f
4:  two_columns \in_file
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
    beq 12f
    ldr r4, [sp, #BIAS]
    ldr r5, [sp, #ACC]
7:  ldr r1, [sp, #X]
    ldr r6, [r4], #4
    cmp r1, r12
    beq 9f
8:  .rept 2
    four_columns \in_file
    .endr
    cmp r1, r12
    bne 8b
9:  cmp r1, lr
    beq 11f
10: ldr r2, [r1], #4
    ldr r9, [r0], #4
    with_sign r9, \in_file
    smlad r6, r9, r2, r6
    cmp r1, lr
    bne 10b
11: str r6, [r5], #4
    subs r3, #1
    bne 7b
12: add sp, #8
    pop {r4-r11, pc}
.endm

sum_halves anne_dense_s16_halves, 1
sum_halves anne_dense_s16_repacked_halves, 0
#endif
