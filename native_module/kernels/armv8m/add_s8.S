// Sums and products of int8 for the Cortex-M33, 10 and 12 instructions an element where nothing but a byte limits
// results, 13 and 15 elsewhere: add.c has the mathematics.
//
// SSAT takes the whole part and limits it at once. So there the least result, -128, is part of the start; its bits are
// all in the whole part, so the fraction stays what it is.
#include "kernels/processor.h"
#ifdef ANNE_ARMV8M
#include "kernels/armv8m/common.inc"

.equ SUM_BITS, 18
.equ PRODUCT_BITS, 21

// r0 a   r1 b   r2 y   r3 end of the rounds of four   r4, r5 factors   r6 start   r7 unsure   r8, r9 operands, sum
// r10 end of y   r11 range   r12 b_offset
.equ HOW, 0
.equ ROW, 4
.equ EXACTLY, 8
.equ LEAST, 12

.macro sum
    mla r8, r8, r4, r6
    mla r8, r9, r5, r8
.endm

.macro product
    add r8, r8, r5
    add r9, r9, r12
    mul r8, r8, r9
    mla r8, r8, r4, r6
.endm

.macro element join, bits, whole
    ldrsb r8, [r0], #1
    ldrsb r9, [r1], #1
    \join
    lsl r9, r8, #32 - \bits
    cmp r9, r7
    bls .Lunsure\@
    .if \whole
    ssat r8, #8, r8, asr #\bits
    .else
    asr r8, r8, #\bits          // result - least
    cmp r8, r11
    bhi .Lbeyond\@
.Lwithin\@:
    ldr r9, [sp, #LEAST]
    add r8, r8, r9
    .endif
.Lresult\@:
    strb r8, [r2], #1
    .subsection 1
    .if \whole == 0
.Lbeyond\@:                     // r8 = r8 < 0 ? 0 : range
    asr r9, r8, #31
    bic r8, r11, r9
    b .Lwithin\@
    .endif
.Lunsure\@:
    bl .Lexactly_\join
    b .Lresult\@
    .subsection 0
.endm

.macro elements join, bits, whole
    cmp r2, r3
    beq 2f
1:  .rept 4
    element \join, \bits, \whole
    .endr
    cmp r2, r3
    bne 1b
2:  cmp r2, r10
    beq 4f
3:  element \join, \bits, \whole
    cmp r2, r10
    bne 3b
4:  add sp, #16
    pop {r4-r11, pc}
.endm

.macro joined name, join, bits
function \name
    push {r4-r11, lr}
    ldr r3, [r0, #32]           // exactly
    ldr r4, [r0, #20]           // least
    push {r1-r4}
    ldrd r2, r3, [r2, #8]       // y, n
    add r10, r2, r3
    bic r3, r3, #3
    add r3, r3, r2
    ldr r12, [r0, #36]          // b_offset
    ldr r11, [r0, #16]          // range
    ldm r0, {r4-r7}             // factors, start, unsure
    ldrd r0, r1, [r0, #24]      // a, b
    cmp r11, #255
    bne 5f
    sub r6, r6, #128 << \bits
    elements \join, \bits, 1
5:  elements \join, \bits, 0

// r8 = the exact result at r2; keeps all others but r9.
.Lexactly_\join:
    push {r0-r3, r12, lr}
    ldrd r0, r1, [sp, #24 + HOW]
    ldr r3, [sp, #24 + EXACTLY]
    sub r2, r2, r10
    blx r3
    mov r8, r0
    pop {r0-r3, r12, pc}
.endm

// void anne_join_sums_s8(const anne_join_t *join, const anne_binary_t *how, const anne_row_t *row), and of products
    joined anne_join_sums_s8, sum, SUM_BITS
    joined anne_join_products_s8, product, PRODUCT_BITS
#endif
