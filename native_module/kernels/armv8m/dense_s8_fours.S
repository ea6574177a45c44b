// Dense layer on int8 with rewritten weights for the Cortex-M33: four rows at a time, 18 instructions for four columns.
//
// A word has four columns of a row (dense_s8_armv8m.c). SXTB16 makes the even ones and the odd ones numbers of 16 bits,
// two in a word, and SMLAD adds their products with even and odd x to the sum.
#include "kernels/processor.h"
#ifdef ANNE_ARMV8M
#include "kernels/armv8m/common.inc"

// r0 weights   r1 x   r2, r7 even and odd x   r3-r6 the four sums   r8-r11 weights   r12 spoilt   lr end of x
.macro four_products word, sum
    sxtb16 r12, \word
    smlad \sum, r12, r2, \sum
    sxtb16 r12, \word, ror #8
    smlad \sum, r12, r7, \sum
.endm

.macro four_columns
    ldrd r2, r7, [r1], #8
    ldm r0!, {r8-r11}
    four_products r8, r3
    four_products r9, r4
    four_products r10, r5
    four_products r11, r6
.endm

.equ BIAS, 0
.equ X, 4
.equ END, 8
.equ ROUNDS, 12 // end of the rounds of 16 columns
.equ N_OUT, 16 + 36
.equ ACC, N_OUT + 4

// void anne_dense_s8_fours(const uint32_t *weights, const int32_t *bias, const uint32_t *x, uint32_t columns,
//                          uint32_t n_out, int32_t *acc)
// acc[r] = bias[r] + sum of w x over `columns`, a multiple of 4, for n_out rows, a multiple of 4, neither 0; acc may be
// bias. x: for each four columns a word with the even ones, then one with the odd ones.
function anne_dense_s8_fours
    push {r4-r11, lr}
    bic lr, r3, #15
    add lr, r2, lr, lsl #1
    add r12, r2, r3, lsl #1
    push {r1, r2, r12, lr}
1:  ldr r1, [sp, #BIAS]
    ldm r1!, {r3-r6}
    str r1, [sp, #BIAS]
    ldr r1, [sp, #X]
    ldr lr, [sp, #ROUNDS]
    cmp r1, lr
    beq 3f
2:  .rept 4
    four_columns
    .endr
    cmp r1, lr
    bne 2b
3:  ldr lr, [sp, #END]
    cmp r1, lr
    beq 5f
4:  four_columns
    cmp r1, lr
    bne 4b
5:  ldr r1, [sp, #ACC]
    stm r1!, {r3-r6}
    str r1, [sp, #ACC]
    ldr r1, [sp, #N_OUT]
    subs r1, #4
    str r1, [sp, #N_OUT]
    bne 1b
    add sp, #16
    pop {r4-r11, pc}
#endif
