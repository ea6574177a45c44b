// Dense layer with weights of 25 bits for the Cortex-M0+: two rows at a time, 22 cycles a column.
//
// The mathematics and the ranges are those of dense_f32_aligned.c. The high limb h is taken from P twice instead of copied, which
// costs the same and leaves P for the last product:
//
//     asrs t, P   muls t, xl   add A, t        r0 weights   r1 x   r2 t   r3 xh  r4 xl  r5 P  r6 P'   r7 end of x
//     asrs t, P   muls t, xh   add H, t        r8 A  r9 H   r10 A'  r11 H'   r12 start of x   lr start of A
//                 muls P, xh   add A, P
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
    .syntax unified
    .cpu cortex-m0plus
    .thumb

.macro accumulate p, a, h
    asrs r2, \p, #16
    muls r2, r4
    add \a, r2
    asrs r2, \p, #16
    muls r2, r3
    add \h, r2
    muls \p, r3
    add \a, \p
.endm

.macro column
    ldm r1!, {r3, r4}
    ldm r0!, {r5, r6}
    accumulate r5, r8, r9
    accumulate r6, r10, r11
.endm

// acc at r6 += ((H << left) + (M >> middle)) >> right; the shifts in r3, r4, r5
.macro finish a, h
    mov r1, \a
    mov r2, \h
    lsls r7, r2, #16
    subs r1, r7
    asrs r1, r4
    lsls r2, r3
    adds r1, r2
    asrs r1, r5
    ldr r2, [r6]
    adds r1, r2
    stm r6!, {r1}
.endm

.equ X_END, 0
.equ ROWS, 4
.equ ENTRY, 8
.equ LOCALS, 12
.equ ACC, LOCALS + 36
.equ START, ACC + 4
.equ SHIFTS, ACC + 8

// void anne_dense_f32_aligned_panel(const uint32_t *weights, const int32_t *x, uint32_t columns, uint32_t n_out, int32_t *acc,
//                           uint32_t start, uint32_t left, uint32_t middle, uint32_t right)
    .section .time_critical.anne_dense_f32_aligned_panel, "ax", %progbits
    .p2align 2
    .global anne_dense_f32_aligned_panel
    .type anne_dense_f32_aligned_panel, %function
anne_dense_f32_aligned_panel:
    push {r4-r7, lr}
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    push {r4-r7}
    sub sp, #LOCALS
    str r3, [sp, #ROWS]
    mov r12, r1
    lsls r4, r2, #3
    adds r4, r1
    str r4, [sp, #X_END]
    negs r2, r2                 // the loop has four columns; skip those too many in the first round
    movs r4, #3
    ands r2, r4
    movs r4, #(.Lsecond - .Lloop)
    muls r2, r4
    adr r4, .Lloop
    adds r2, r4
    str r2, [sp, #ENTRY]
    ldr r2, [sp, #START]
    mov lr, r2
.Lrows:
    movs r2, #0
    mov r9, r2
    mov r11, r2
    mov r8, lr
    mov r10, lr
    mov r1, r12
    ldr r7, [sp, #X_END]
    ldr r2, [sp, #ENTRY]
    mov pc, r2
    .p2align 2
.Lloop:
    column
.Lsecond:
    column
    column
    column
    cmp r1, r7
    bne .Lloop
    add r2, sp, #SHIFTS
    ldm r2!, {r3, r4, r5}
    ldr r6, [sp, #ACC]
    finish r8, r9
    finish r10, r11
    str r6, [sp, #ACC]
    ldr r2, [sp, #ROWS]
    subs r2, #2
    str r2, [sp, #ROWS]
    bgt .Lrows
    add sp, #LOCALS
    pop {r4-r7}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
    pop {r4-r7, pc}
    .size anne_dense_f32_aligned_panel, . - anne_dense_f32_aligned_panel
#endif
