// A panel of a dense layer on aligned floats for the Cortex-M33: two rows at a time, 6.5 instructions for a column.
//
// The mathematics is that of dense_f32_aligned.c. A word of weights is P = 2^16 h + (l + 2048), both halves with their
// signs, and a word of x is 2^16 xl + xh. So SMLAD adds (l + 2048) xh + h xl, which is M at once, without 2^16 H to be
// taken off, and SMLATB adds h xh, which is H.
#include "kernels/processor.h"
#ifdef ANNE_ARMV8M
#include "kernels/armv8m/common.inc"

// r0 weights   r1 x   r2 end of x   r4 M, r5 H of the first row   r6 M, r7 H of the second
.macro column weight0, weight1, x
    smlad r4, \weight0, \x, r4
    smlatb r5, \weight0, \x, r5
    smlad r6, \weight1, \x, r6
    smlatb r7, \weight1, \x, r7
.endm

// void anne_dense_f32_aligned_rows(const uint32_t *weights, const uint32_t *x, const uint32_t *end_of_x,
//                                  int32_t *sums)
// sums: M and H of both rows, as they begin and end.
function anne_dense_f32_aligned_rows
    push {r3-r11, lr}
    ldm r3, {r4-r7}
    sub lr, r2, #16 // beyond it there are less than four columns more
    cmp r1, lr
    bhi 2f
1:  .rept 2
    ldm r0!, {r8-r11}
    ldrd r3, r12, [r1], #8
    column r8, r9, r3
    column r10, r11, r12
    .endr
    cmp r1, lr
    bls 1b
2:  cmp r1, r2
    beq 3f
    ldrd r8, r9, [r0], #8
    ldr r3, [r1], #4
    column r8, r9, r3
    b 2b
3:  pop {r3}
    stm r3, {r4-r7}
    pop {r4-r11, pc}
#endif
