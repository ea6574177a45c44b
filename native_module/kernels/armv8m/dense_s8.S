// Dense layer on int8 for the Cortex-M33: eight rows at a time, 12 instructions for a column of them.
//
// The mathematics is that of dense_s8.c, three products for four rows, here with MLA: what CMSIS-NN does, SXTB16 and
// SMLAD, needs the bytes of a row side by side, and these stand column by column.
//
//     r0 weights   r1 x   r2 an x   r3-r5 A, B, G of four rows   r6-r8 of the other four   r9, r10 weights   r11 spoilt
//     r12 end of x
#include "kernels/processor.h"
#ifdef ANNE_ARMV8M
#include "kernels/armv8m/common.inc"
#include "kernels/armv8m/quad_s8.inc"

.macro column
    ldr r2, [r1], #4
    ldrd r9, r10, [r0], #8
    quad_add r9, r2, r3, r4, r5
    quad_add r10, r2, r6, r7, r8
.endm

// Four sums, each with its bias from r1, to r2. Spoils a, b and r9-r11.
.macro decode a, b, g
    sub r9, \a, \b, lsl #8
    add r9, r9, r9, lsl #16   // E
    sub r10, \b, \a, lsl #8
    add r10, r10, r10, lsl #16 // O
    lsl r11, r9, #8
    sub r11, r11, \g, lsl #24
    asr r11, r11, #8           // S0
    sub r9, r9, r11
    sub r9, r9, \g, lsl #16
    add r9, r9, r10, lsl #8
    asr r9, r9, #8             // S1
    sub r10, r10, r9
    rsb r10, r10, \g, lsl #8
    asr r10, r10, #8           // S2
    sub \g, \g, r10
    asr \g, \g, #8             // S3
    ldrd \a, \b, [r1], #8
    add r11, r11, \a
    add r9, r9, \b
    strd r11, r9, [r2], #8
    ldrd \a, \b, [r1], #8
    add r10, r10, \a
    add \g, \g, \b
    strd r10, \g, [r2], #8
.endm

.equ BIAS, 0
.equ X, 4
.equ N_OUT, 8 + 36
.equ ACC, N_OUT + 4
.equ SUM_X, N_OUT + 8

// void anne_dense_s8_eights(const uint32_t *weights, const int32_t *bias, const int32_t *x, uint32_t columns,
//                           uint32_t n_out, int32_t *acc, int32_t sum_x)
// As anne_dense_s8_panel, for a multiple of 8 rows, at least 8.
function anne_dense_s8_eights
    push {r4-r11, lr}
    push {r1, r2}
    add r12, r2, r3, lsl #2
1:  ldr r5, [sp, #SUM_X]
    rsb r5, r5, #0
    lsl r5, r5, #7
    add r5, r5, r5, lsl #8  // -128 (1 + z) X
    add r3, r5, r5, lsl #16 // -128 (1 + z + z^2 + z^3) X
    mov r4, r3
    mov r6, r3
    mov r7, r3
    mov r8, r5
    ldr r1, [sp, #X]
2:  .rept 4
    column
    .endr
    cmp r1, r12
    bne 2b
    ldr r1, [sp, #BIAS]
    ldr r2, [sp, #ACC]
    decode r3, r4, r5
    decode r6, r7, r8
    str r1, [sp, #BIAS]
    str r2, [sp, #ACC]
    ldr r3, [sp, #N_OUT]
    subs r3, #8
    str r3, [sp, #N_OUT]
    bne 1b
    add sp, #8
    pop {r4-r11, pc}
#endif
