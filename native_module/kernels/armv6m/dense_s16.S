// Dense layer on int16 for the Cortex-M0+: six rows at a time, 41 cycles for two columns of each.
//
// The mathematics is that of dense_s16.c: acc += P x0 + (P >> 16) x1', wrapping.
//
//     r0 weights   r1 x   r2 x0   r3 x1'   r4-r6 P   r7 P >> 16   r8-r12, lr the six sums
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"

.macro accumulate p, acc
    asrs r7, \p, #16
    muls r7, r3
    add \acc, r7
    muls \p, r2
    add \acc, \p
.endm

.macro two_columns
    ldm r1!, {r2, r3}
    ldm r0!, {r4, r5, r6}
    accumulate r4, r8
    accumulate r5, r9
    accumulate r6, r10
    ldm r0!, {r4, r5, r6}
    accumulate r4, r11
    accumulate r5, r12
    accumulate r6, lr
.endm

.equ X, 0
.equ X_END, 4
.equ ENTRY, 8
.equ BIAS, 12
.equ ROWS, 16
.equ LOCALS, 20
.equ N_OUT, LOCALS + 36
.equ ACC, N_OUT + 4
.equ START, N_OUT + 8

// void anne_dense_s16_sums(const uint32_t *weights, const int32_t *bias, const int32_t *x, uint32_t pairs,
//                          uint32_t n_out, int32_t *acc, uint32_t start)
    in_ram anne_dense_s16_sums
    save_registers
    sub sp, #LOCALS
    str r1, [sp, #BIAS]
    str r2, [sp, #X]
    lsls r4, r3, #3
    adds r4, r2
    str r4, [sp, #X_END]
    negs r3, r3                 // the loop has eight pairs; skip those too many in the first round
    movs r4, #7
    ands r3, r4
    movs r4, #(.Lsecond - .Lloop)
    muls r3, r4
    adr r4, .Lloop
    adds r3, r4
    str r3, [sp, #ENTRY]
    ldr r3, [sp, #N_OUT]
.Lsix_rows:                     // r3: rows left
    subs r3, #6
    bhs .Lsix
    b .Lrest
.Lsix:
    str r3, [sp, #ROWS]
    ldr r1, [sp, #BIAS]
    ldm r1!, {r2-r7}
    str r1, [sp, #BIAS]
    ldr r1, [sp, #START]
    adds r2, r1
    adds r3, r1
    adds r4, r1
    adds r5, r1
    adds r6, r1
    adds r7, r1
    mov r8, r2
    mov r9, r3
    mov r10, r4
    mov r11, r5
    mov r12, r6
    mov lr, r7
    ldr r1, [sp, #X]
    ldr r2, [sp, #ENTRY]
    mov pc, r2
    .p2align 2
.Lloop:
    two_columns
.Lsecond:
    .rept 7
    two_columns
    .endr
    ldr r7, [sp, #X_END]
    cmp r1, r7
    beq .Lsix_done
    b .Lloop
.Lsix_done:
    mov r2, r8
    mov r3, r9
    mov r4, r10
    mov r5, r11
    mov r6, r12
    mov r7, lr
    ldr r1, [sp, #ACC]
    stm r1!, {r2-r7}
    str r1, [sp, #ACC]
    ldr r3, [sp, #ROWS]
    b .Lsix_rows

.Lrest:                         // r3 + 6 rows, one by one
    adds r3, #6
    beq .Lreturn
    mov r9, r3
    ldr r7, [sp, #X_END]
    mov r12, r7
    ldr r5, [sp, #BIAS]
    ldr r6, [sp, #ACC]
.Lone_row:
    ldm r5!, {r2}
    ldr r3, [sp, #START]
    adds r2, r3
    mov r8, r2
    ldr r1, [sp, #X]
    .p2align 2
.Lone_loop:
    ldm r1!, {r2, r3}
    ldm r0!, {r4}
    accumulate r4, r8
    cmp r1, r12
    bne .Lone_loop
    mov r2, r8
    stm r6!, {r2}
    mov r2, r9
    subs r2, #1
    mov r9, r2
    bne .Lone_row
.Lreturn:
    add sp, #LOCALS
    restore_and_return
    .size anne_dense_s16_sums, . - anne_dense_s16_sums
#endif
