// Sums and products of int8 for the Cortex-M0+, 19 and 20 cycles an element: add.c has the mathematics.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"

//     r0 end of a  r1 end of b  r2 end of y  r3 elements left, negative  r4, r5 factors  r6, r7 operands, sum
//     r8 start  r9 unsure  r10 range  r11 least  r12 b_offset
// On the stack: how, row, exactly.
.equ SUM_BITS, 18
.equ PRODUCT_BITS, 21

.macro sum
    muls r6, r4
    muls r7, r5
    adds r6, r7
.endm

.macro product
    adds r6, r5
    add r7, r12
    muls r6, r7
    muls r6, r4
.endm

// Element \i of a round.
.macro element i, join, bits
.L\join\i:
    ldrsb r6, [r0, r3]
    ldrsb r7, [r1, r3]
    \join
    add r6, r8
    lsls r7, r6, #32 - \bits
    cmp r7, r9
    bls .Lunsure_\join\i
    asrs r6, r6, #\bits         // result - least
    cmp r6, r10
    bhi .Lbeyond_\join\i
.Lwithin_\join\i:
    add r6, r11
.Lresult_\join\i:
    strb r6, [r2, r3]
    adds r3, #1
.endm

.macro outside i, join
.Lbeyond_\join\i:              // r6 = r6 < 0 ? 0 : range
    asrs r7, r6, #31
    mov r6, r10
    bics r6, r7
    b .Lwithin_\join\i
.Lunsure_\join\i:
    bl .Lexactly_\join
    b .Lresult_\join\i
.endm

.macro joined name, join, bits
    in_ram \name
    ldr r3, [r0, #32]           // exactly
    save_registers "r1-r3,"
    ldr r4, [r0, #36]           // b_offset
    mov r12, r4
    ldm r0!, {r4-r7}            // factors, start, unsure
    mov r8, r6
    mov r9, r7
    ldm r0!, {r6, r7}           // range, least
    mov r10, r6
    mov r11, r7
    ldm r0!, {r6, r7}           // a, b
    ldr r3, [r2, #12]           // n
    ldr r2, [r2, #8]            // y
    adds r0, r6, r3
    adds r1, r7, r3
    adds r2, r2, r3
    negs r3, r3
    lsls r6, r3, #31            // of odd ones the first round has one
    bmi .L\join\()1
    .p2align 2
    element 0, \join, \bits
    element 1, \join, \bits
    bne .L\join\()0
    add sp, #12
    restore_and_return

    outside 0, \join
    outside 1, \join

// r6 = the exact result at r3; keeps all others.
.Lexactly_\join:
    push {r0-r3, r7, lr}
    mov r6, r12
    push {r5, r6}
    ldr r0, [sp, #32]           // how
    ldr r1, [sp, #36]           // row
    mov r2, r3
    ldr r3, [sp, #40]
    blx r3
    pop {r5, r6}
    mov r12, r6
    mov r6, r0
    pop {r0-r3, r7, pc}
    .size \name, . - \name
.endm

// void anne_join_sums_s8(const anne_join_t *join, const anne_binary_t *how, const anne_row_t *row), and of products
    joined anne_join_sums_s8, sum, SUM_BITS
    joined anne_join_products_s8, product, PRODUCT_BITS
#endif
