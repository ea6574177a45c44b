// Sums of int8 for the Cortex-M0+, 18.5 cycles an element: add.c has the mathematics.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"

// void anne_join_s8(const anne_join_t *join, const anne_binary_t *how, const anne_row_t *row)
//     r0 end of a  r1 end of b  r2 end of y  r3 elements left, negative  r4 factor of a  r5 factor of b  r6 sum  r7
//     r8 start  r9 unsure  r10 range  r11 least
// On the stack how and row.
.equ ONE_BITS, 18

// Element \i of a round.
.macro element i
.Lelement\i:
    ldrsb r6, [r0, r3]
    ldrsb r7, [r1, r3]
    muls r6, r4
    muls r7, r5
    adds r6, r7
    add r6, r8
    lsls r7, r6, #32 - ONE_BITS
    cmp r7, r9
    bls .Lunsure\i
    asrs r6, r6, #ONE_BITS      // result - least
    cmp r6, r10
    bhi .Lbeyond\i
.Lwithin\i:
    add r6, r11
.Lresult\i:
    strb r6, [r2, r3]
    adds r3, #1
.endm

.macro outside i
.Lbeyond\i:                     // r6 = r6 < 0 ? 0 : range
    asrs r7, r6, #31
    mov r6, r10
    bics r6, r7
    b .Lwithin\i
.Lunsure\i:
    bl .Lexactly
    b .Lresult\i
.endm

    in_ram anne_join_s8
    save_registers "r1, r2,"
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
    lsls r6, r3, #30            // the first round has the elements that are left over from fours
    beq .Lelement0
    lsrs r6, r6, #30
    cmp r6, #2
    blo .Lelement1
    beq .Lelement2
    b .Lelement3
    .p2align 2
    element 0
    element 1
    element 2
    element 3
    bne .Lelement0
    add sp, #8
    restore_and_return

    outside 0
    outside 1
    outside 2
    outside 3

// r6 = the exact sum at r3; keeps all others.
.Lexactly:
    push {r0-r3, r7, lr}
    ldr r0, [sp, #24]           // how
    ldr r1, [sp, #28]           // row
    mov r2, r3
    ldr r3, =anne_add_exactly_s8
    blx r3
    mov r6, r0
    pop {r0-r3, r7, pc}
    .pool
    .size anne_join_s8, . - anne_join_s8
#endif
