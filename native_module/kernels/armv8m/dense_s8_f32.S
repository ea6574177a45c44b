// Four rows of a dense layer on int8 weights and floats for the Cortex-M33: 12 instructions for a column of them.
//
// dense_s8_f32.c has the mathematics. UXTB16 takes two bytes of a word of weights out at once, and SMLABB to SMLATT
// multiply either with either limb of x, 2^16 h + l.
#include "kernels/processor.h"
#ifdef ANNE_ARMV8M
#include "kernels/armv8m/common.inc"

// r0 weights   r1 an x   r2 x   r3 end of x   r4-r7 the rows' sums of u l   r8-r11 of u h   r12, lr weights
.macro column step
    ldr r12, [r0], #\step
    ldr r1, [r2], #4
    uxtb16 lr, r12
    uxtb16 r12, r12, ror #8
    smlabb r4, lr, r1, r4
    smlabt r8, lr, r1, r8
    smlabb r5, r12, r1, r5
    smlabt r9, r12, r1, r9
    smlatb r6, lr, r1, r6
    smlatt r10, lr, r1, r10
    smlatb r7, r12, r1, r7
    smlatt r11, r12, r1, r11
.endm

// void name(const uint32_t *weights, int32_t *sums, const uint32_t *x, const uint32_t *end_of_x)
// sums: u l of four rows, then u h, over a multiple of 4 of columns, not 0; the words of the rows are \step bytes apart.
.macro sum_four name, step
function \name
    push {r1, r4-r11, lr}
    movs r4, #0
    movs r5, #0
    movs r6, #0
    movs r7, #0
    mov r8, r4
    mov r9, r4
    mov r10, r4
    mov r11, r4
1:  .rept 4
    column \step
    .endr
    cmp r2, r3
    bne 1b
    pop {r1}
    stm r1, {r4-r11}
    pop {r4-r11, pc}
.endm

sum_four anne_dense_s8_f32_four, 4
sum_four anne_dense_s8_f32_four_of_eight, 8
#endif
