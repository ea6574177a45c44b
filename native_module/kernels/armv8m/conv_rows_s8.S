// Sums of an int8 convolution for the Cortex-M33: two pixels by four rows, 11 instructions for a column of them; and one
// pixel by eight rows, 12.
//
// The mathematics is that of dense_s8.c, three products for four rows, here with MLA. Two pixels share what a word of
// weights becomes, and x is loaded byte by byte, which extends its sign: a window of 3 by 3 is three runs of the image.
#include "kernels/processor.h"
#ifdef ANNE_ARMV8M
#include "kernels/armv8m/common.inc"
#include "kernels/armv8m/quad_s8.inc"

// Where the words of four rows are \step bytes apart.
.macro two_pixels step
    ldrsb r1, [r12, lr]
    ldrsb r0, [r12], #1
    ldr r10, [r3], #\step
    rev16 r11, r10
    mla r4, r10, r0, r4
    mla r7, r10, r1, r7
    lsr r10, r10, #16
    mla r5, r11, r0, r5
    mla r8, r11, r1, r8
    mla r6, r10, r0, r6
    mla r9, r10, r1, r9
.endm

.equ RUN, 0
.equ IMAGE, 4
.equ OUTSIDE, 8
.equ SUMS, 12 + 36
.equ X_STEP, SUMS + 4

// void name(const anne_run_t *run, const int8_t *image, const int8_t *outside, const uint32_t *weights,
//           uint32_t *sums, uint32_t x_step)
// The runs of a panel, up to its end. sums: A, B and G of the first pixel, then of the second, as they begin and end.
//
// r0, r1 an x   r2 end of the rounds of four   r3 weights   r4-r6 A, B, G   r7-r9 of the second pixel   r10, r11 weights
// r12 x   lr from a pixel to the next
.macro sum_two_pixels name, step
function \name
    push {r4-r11, lr}
    push {r0-r2}
    ldr r10, [sp, #SUMS]
    ldm r10, {r4-r9}
1:  ldr r0, [sp, #RUN]
    ldrd r10, r1, [r0]          // at, n
    cmp r1, #0
    beq 7f
    cmp r10, #0
    ittee ge
    ldrge r12, [sp, #IMAGE]
    ldrge lr, [sp, #X_STEP]
    ldrlt r12, [sp, #OUTSIDE]
    movlt lr, #0
    it ge
    addge r12, r10
    bics r2, r1, #3
    beq 4f
    add r2, r12
3:  .rept 4
    two_pixels \step
    .endr
    cmp r12, r2
    bne 3b
4:  ldr r0, [sp, #RUN]
    ldr r2, [r0, #4]
    ands r2, #3
    beq 6f
    add r2, r12
5:  two_pixels \step
    cmp r12, r2
    bne 5b
6:  ldr r0, [sp, #RUN]
    adds r0, #12
    str r0, [sp, #RUN]
    b 1b
7:  ldr r10, [sp, #SUMS]
    stm r10, {r4-r9}
    add sp, #12
    pop {r4-r11, pc}
.endm

sum_two_pixels anne_conv_two_pixels_4, 4
sum_two_pixels anne_conv_two_pixels_8, 8

.macro eight_rows
    ldrsb r2, [r1], #1
    ldrd r9, r10, [r3], #8
    quad_add r9, r2, r4, r5, r6
    quad_add r10, r2, r7, r8, lr
.endm

// void anne_conv_eight_rows(const anne_run_t *run, const int8_t *image, const int8_t *outside,
//                           const uint32_t *weights, uint32_t *sums)
// As above for one pixel. sums: A, B and G of four rows, then of the other four.
//
// r0 run   r1 x   r2 an x   r3 weights   r4-r6 A, B, G   r7, r8, lr of the other four   r9-r11 weights   r12 end of x
function anne_conv_eight_rows
    push {r4-r11, lr}
    push {r0-r2}
    ldr r10, [sp, #SUMS]
    ldm r10, {r4-r8, lr}
1:  ldrd r10, r2, [r0], #12     // at, n
    cmp r2, #0
    beq 7f
    cmp r10, #0
    itte ge
    ldrge r1, [sp, #IMAGE]
    addge r1, r10
    ldrlt r1, [sp, #OUTSIDE]
    add r12, r1, r2
    ands r2, #3
    beq 3f
    add r2, r1
    str r2, [sp, #RUN]
2:  eight_rows
    ldr r11, [sp, #RUN]
    cmp r1, r11
    bne 2b
    cmp r1, r12
    beq 1b
3:  .rept 4
    eight_rows
    .endr
    cmp r1, r12
    bne 3b
    b 1b
7:  ldr r10, [sp, #SUMS]
    stm r10, {r4-r8, lr}
    add sp, #12
    pop {r4-r11, pc}
#endif
