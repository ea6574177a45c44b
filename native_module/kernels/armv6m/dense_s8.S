// Dense layer on int8 for the Cortex-M0+: eight rows at a time, 20.25 cycles for their eight multiply-accumulates.
//
// The mathematics is that of dense_s8.c: a word P holds four rows of one column, and A = sum P x, B = sum rev16(P) x,
// G = sum (P >> 16) x, wrapping, hold their four sums. This file is about registers. `muls` overwrites a factor and one
// register is left to compute in, so the three products come in an order that spoils P last:
//
//     rev16 t, P    muls t, x    add B, t       three cycles each: `add` takes the sum from a high register,
//     lsrs t, P     muls t, x    add G, t       so six of them hold the sums of two words (eight rows)
//                   muls P, x    add A, P       and one load of x serves both
//
//     r0 weights   r1 x   r2 t   r3-r7 what ldm brings   r8 A  r9 B  r10 G   r11 A'  r12 B'  lr G'
//
// Four columns are 12 words; five `ldm`, in the order in which registers become free, fetch them in 17 cycles.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"
#include "kernels/armv6m/quad_s8.inc"

// Four columns of eight rows: 81 cycles.
.macro four_columns
    ldm r1!, {r3, r4, r5}
    ldm r0!, {r6, r7}
    accumulate_first r6, r3
    accumulate_second r7, r3
    ldm r0!, {r3, r6, r7}
    accumulate_first r3, r4
    accumulate_second r6, r4
    accumulate_first r7, r5
    ldm r1!, {r3}
    ldm r0!, {r4, r6, r7}
    accumulate_second r4, r5
    accumulate_first r6, r3
    accumulate_second r7, r3
.endm

// On the stack:
.equ START_AB, 0    // the sums of x with the offset 128 of the weights, taken off beforehand
.equ START_G, 4
.equ X, 8
.equ X_END, 12
.equ ENTRY, 16      // where the loop begins, so that it ends with the columns
.equ BIAS, 20
.equ ACC, 24
.equ ROWS, 28       // rows left
.equ LOCALS, 32
.equ SAVED, 36      // r4-r7, lr; r8-r11
.equ N_OUT, LOCALS + SAVED
.equ ACC_ARGUMENT, N_OUT + 4
.equ SUM_X, N_OUT + 8

// void anne_dense_s8_panel(const uint32_t *weights, const int32_t *bias, const int32_t *x, uint32_t columns,
//                          uint32_t n_out, int32_t *acc, int32_t sum_x)
    in_ram anne_dense_s8_panel
    save_registers
    sub sp, #LOCALS
    ldr r5, [sp, #SUM_X]        // -128 (1 + z) sum_x, and with (1 + z^2) times that for A and B
    lsls r6, r5, #7
    lsls r5, r5, #15
    adds r5, r6
    negs r5, r5
    str r5, [sp, #START_G]
    lsls r6, r5, #16
    adds r5, r6
    str r5, [sp, #START_AB]
    str r1, [sp, #BIAS]
    str r2, [sp, #X]
    lsls r4, r3, #2
    adds r4, r2
    str r4, [sp, #X_END]
    ldr r4, [sp, #ACC_ARGUMENT]
    str r4, [sp, #ACC]
    // The loop has eight times four columns; skip those that would be too many in the first round.
    lsrs r3, r3, #2
    negs r3, r3
    movs r4, #7
    ands r3, r4
    movs r4, #(.Lsecond_four - .Lfirst_four) / 2
    muls r3, r4
    lsls r3, r3, #1
    adr r4, .Lfirst_four
    adds r3, r4
    str r3, [sp, #ENTRY]
    ldr r3, [sp, #N_OUT]
    str r3, [sp, #ROWS]
    b .Lnext_rows

    .p2align 2
.Lfirst_four:
    four_columns
.Lsecond_four:
    .rept 7
    four_columns
    .endr
    ldr r2, [sp, #X_END]
    cmp r1, r2
    beq .Leight_done
    b .Lfirst_four

.Leight_done:
    ldr r3, [sp, #ROWS]
    subs r3, #8
    blo .Lfive_to_seven_rows
    str r3, [sp, #ROWS]
    decode_from r8, r9, r10
    ldr r1, [sp, #BIAS]
    add_bias
    ldr r2, [sp, #ACC]
    stm r2!, {r4-r7}
    mov r8, r1
    mov r9, r2
    decode_from r11, r12, lr
    mov r1, r8
    add_bias
    str r1, [sp, #BIAS]
    mov r2, r9
    stm r2!, {r4-r7}
    str r2, [sp, #ACC]
    ldr r3, [sp, #ROWS]
    cmp r3, #0
    bne .Lnext_rows
    b .Lreturn
.Lfive_to_seven_rows:
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r8, lr
    bl .Lfinish
    mov r4, r11
    mov r5, r12
    mov r6, r8
    bl .Lfinish
    b .Lreturn

.Lnext_rows:                    // r3: rows left, at least 1
    ldr r1, [sp, #START_AB]
    ldr r2, [sp, #START_G]
    mov r8, r1
    mov r9, r1
    mov r10, r2
    cmp r3, #4
    bls .Lfour_rows
    mov r11, r1
    mov r12, r1
    mov lr, r2
    ldr r1, [sp, #X]
    ldr r2, [sp, #ENTRY]
    mov pc, r2

// The last four rows, when there is no second four.
.Lfour_rows:
    ldr r1, [sp, #X_END]
    mov r11, r1
    ldr r1, [sp, #X]
    .p2align 2
.Lfour_rows_loop:
    ldm r1!, {r3, r4}
    ldm r0!, {r5, r6}
    accumulate_first r5, r3
    accumulate_first r6, r4
    ldm r1!, {r3, r4}
    ldm r0!, {r5, r6}
    accumulate_first r5, r3
    accumulate_first r6, r4
    cmp r1, r11
    bne .Lfour_rows_loop
    mov r4, r8
    mov r5, r9
    mov r6, r10
    bl .Lfinish
.Lreturn:
    add sp, #LOCALS
    restore_and_return

// Decodes A in r4, B in r5, G in r6, adds the bias and stores up to four sums of the last rows.
.Lfinish:
    decode
    ldr r1, [sp, #BIAS]
    ldr r3, [sp, #ROWS]
    subs r3, #4
    blo .Lfew
    str r3, [sp, #ROWS]
    add_bias
    str r1, [sp, #BIAS]
    ldr r1, [sp, #ACC]
    stm r1!, {r4-r7}
    str r1, [sp, #ACC]
    bx lr
// Fewer than four rows left, r3 + 4 of them.
.Lfew:
    ldr r7, [sp, #ACC]
    ldm r1!, {r2}
    adds r4, r2
    stm r7!, {r4}
    adds r3, #3
    beq .Lfew_done
    ldm r1!, {r2}
    adds r5, r2
    stm r7!, {r5}
    subs r3, #1
    beq .Lfew_done
    ldr r2, [r1]
    adds r6, r2
    str r6, [r7]
.Lfew_done:
    bx lr
    .size anne_dense_s8_panel, . - anne_dense_s8_panel

// int32_t anne_expand_s8(const int8_t *x, uint32_t n_in, int32_t *expanded): four values a round, 19 cycles.
    in_ram anne_expand_s8
    push {r4-r7, lr}
    mov r12, r0
    movs r0, #0                 // sum
    mov r7, r12                 // x
    subs r1, #4
    blo .Lexpand_rest
    .p2align 2
.Lexpand_loop:
    ldm r7!, {r6}
    sxtb r3, r6
    lsls r4, r6, #16
    asrs r4, r4, #24
    lsls r5, r6, #8
    asrs r5, r5, #24
    asrs r6, r6, #24
    stm r2!, {r3-r6}
    adds r3, r4
    adds r5, r6
    adds r0, r3
    adds r0, r5
    subs r1, #4
    bhs .Lexpand_loop
.Lexpand_rest:                  // r1 + 4 values are left, then zeros up to a multiple of 4
    adds r1, #4
    beq .Lexpand_done
    movs r4, #0
    movs r5, #0
    movs r6, #0
    ldrsb r3, [r7, r5]
    cmp r1, #2
    blo .Lexpand_store
    movs r5, #1
    ldrsb r4, [r7, r5]
    movs r5, #0
    cmp r1, #2
    beq .Lexpand_store
    movs r5, #2
    ldrsb r5, [r7, r5]
.Lexpand_store:
    stm r2!, {r3-r6}
    adds r0, r3
    adds r0, r4
    adds r0, r5
.Lexpand_done:
    pop {r4-r7, pc}
    .size anne_expand_s8, . - anne_expand_s8
#endif
