// For the RP2040: gradients added up in training, by the steps of kernels/parts_f32.c and so with the same bits. A product
// takes 37 cycles in a y that keeps its exponent, else 105.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"

// of the stack
    .equ X_START, 0
    .equ X_END, 4
    .equ ROWS_END, 8
    .equ Y, 12                  // the next row, while its bias is at work
    .equ N, 16 + 36             // the fifth argument
    .equ Y_BIAS, N + 4

// void anne_add_outer_f32(float *y, const anne_parts_f32_t *rows, uint32_t n_rows, const anne_parts_f32_t *x, uint32_t n,
//                         float *bias)
//     r0 y  r1 x  r2 xh  r3 xl, T  r4 bits of y  r5 shift  r6, r7 between
//     r8 ah  r9 al  r10 131 - exponent of a  r11 end of x  r12 rows
    .section .text.anne_add_outer_f32, "ax", %progbits
    .p2align 2
    .global anne_add_outer_f32
    .type anne_add_outer_f32, %function
anne_add_outer_f32:
    save_registers
    sub sp, #16
    mov r12, r1
    lsls r2, #3
    adds r2, r1
    str r2, [sp, #ROWS_END]
    str r3, [sp, #X_START]
    ldr r4, [sp, #N]
    lsls r4, #3
    adds r4, r3
    str r4, [sp, #X_END]
    mov r11, r4
.Lrows:
    mov r7, r12
    ldm r7!, {r2, r3}
    mov r12, r7
    asrs r4, r3, #16
    bmi .Lskip_row
    movs r5, #131
    subs r5, r4
    mov r10, r5
    mov r8, r2
    uxth r3, r3
    mov r9, r3
    ldr r1, [sp, #X_START]
.Ladd:
    ldm r1!, {r2, r3}
    ldr r4, [r0]
    asrs r6, r3, #16
    lsls r5, r4, #1
    lsrs r5, #24
    beq .Lslow
    subs r5, r6
    add r5, r10                 // the shift, less 1
    cmp r5, #30
    bhs .Lslow
    uxth r3, r3
    mov r6, r8
    muls r3, r6
    muls r6, r2
    mov r7, r9
    muls r7, r2
    adds r3, r7
    asrs r3, #9
    adds r6, r3                 // T
    asrs r6, r5
    adds r6, #1
    asrs r6, #1
    asrs r7, r4, #31
    eors r6, r7
    subs r6, r7
    adds r6, r4
    eors r4, r6
    lsrs r4, #23
    bne .Lcarry
    stm r0!, {r6}
    cmp r1, r11
    bne .Ladd
.Lrow_done:
    ldr r2, [sp, #X_END]
    ldr r3, [sp, #Y_BIAS]
    cmp r1, r2
    bne .Lbias_done
    cmp r3, #0
    beq .Lnext_row
    str r0, [sp, #Y]
    movs r0, r3
    adr r1, one
    movs r2, #8
    adds r2, r1
    mov r11, r2
    b .Ladd
.Lbias_done:
    str r0, [sp, #Y_BIAS]
    ldr r0, [sp, #Y]
    mov r11, r2
.Lnext_row:
    ldr r2, [sp, #ROWS_END]
    cmp r12, r2
    bne .Lrows
    add sp, #16
    restore_and_return

.Lskip_row:
    mov r2, r11
    ldr r3, [sp, #X_START]
    subs r2, r3
    lsrs r2, #1
    adds r0, r2
    ldr r3, [sp, #Y_BIAS]
    cmp r3, #0
    beq .Lnext_row
    adds r3, #4
    str r3, [sp, #Y_BIAS]
    b .Lnext_row

.Lcarry:
    subs r1, #8
    ldm r1!, {r2, r3}
.Lslow:
    asrs r6, r3, #16            // exponent of x
    bmi .Lskip
    uxth r3, r3
    mov r7, r8
    muls r3, r7
    muls r7, r2
    mov r4, r9
    muls r2, r4
    adds r3, r2
    asrs r3, #9
    adds r3, r7                 // T
    ldr r4, [r0]
    lsls r5, r4, #1
    lsrs r5, #24                // exponent of y
    beq .Lonly_product
    cmp r5, #255
    beq .Lskip
    mov r7, r10
    subs r7, r6
    adds r7, r5                 // the shift, less 1
    cmp r7, #30
    bge .Lskip
    lsls r2, r4, #9             // y as 24 bits and the sign, times 64
    lsrs r2, #3
    movs r6, #1
    lsls r6, #29
    adds r2, r6
    asrs r6, r4, #31
    eors r2, r6
    subs r2, r6
    subs r7, #5
    blt .Lgreat_product
    asrs r3, r7
    adds r3, r2
    adds r5, #2
.Lpack:
    bl anne_pack_f32
    stm r0!, {r3}
.Lcheck:
    cmp r1, r11
    bne .Ladd
    b .Lrow_done
.Lgreat_product:
    subs r5, r7
    adds r5, #2
    rsbs r7, r7, #0
    cmp r7, #31
    bls 1f
    movs r7, #31
1:  asrs r2, r7
    adds r3, r2
    b .Lpack
.Lonly_product:
    movs r5, #7
    adds r5, r6
    mov r7, r10
    subs r5, r7
    b .Lpack
.Lskip:
    adds r0, #4
    b .Lcheck
    .p2align 2
one:                            // 1 as anne_parts_f32_t
    .word 1 << 14, 127 << 16
    .pool
    .size anne_add_outer_f32, . - anne_add_outer_f32
#endif
