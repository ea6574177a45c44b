// Rows of a convolution on int8 for the Cortex-M0+: eight rows at a time, 20.75 cycles for their eight
// multiply-accumulates, all that stands around them within one function, pixel after pixel.
//
// The mathematics is that of dense_s8.c, the order of the products that of armv6m/dense_s8.S. Here x is not expanded
// beforehand: four numbers come in a word for 2 cycles and are unpacked for 6, where dense_s8.S reads four words for 6.
//
//     r0 weights   r1 x   r2 t   r3 x   r4-r6 words of weights   r7 word of x   r8 A  r9 B  r10 G   r11 A'  r12 B'  lr G'
//
// Numbers that are no whole words come one by one, 23 cycles a column. There a register is left for their sum, r7;
// that of words stands ready, as it is found once for all rows (conv_s8.c).
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"
#include "kernels/armv6m/quad_s8.inc"
#include "kernels/armv6m/requantize.inc"

.equ WORDS, 4               // rounds of a loop, each of four columns
.equ BYTES, 8               // the same, of one column

// of anne_conv_rows_s8_t
.equ JOB_X, 12              // x, x_step, y, y_step, n_pixels; behind weights, bias, runs
.equ JOB_ROWS, 32           // rows, starts
.equ JOB_OUTSIDE, 40        // outside, factors, approximation, multipliers, output

// On the stack:
.equ X, 0                   // of the pixel
.equ X_STEP, 4
.equ Y, 8
.equ Y_STEP, 12
.equ X_STOP, 16             // behind the last pixel
.equ RUN, 20                // the next
.equ X_END, 24              // of the run
.equ STARTS, 28
.equ BIAS, 32               // what is added to the panel's sums: bias, or SUMS
.equ JOB, 36
.equ START, 40              // what is added to products; unsure, range, least
.equ SUMS_END, 56
.equ FIRST_SUM, 60          // of the first round of rescaling, which may begin before SUMS
.equ MULTIPLIERS, 64
.equ ROUND, 68              // where it begins
.equ SHIFT, 72
.equ OUTPUT, 76
.equ LEFT, 80
.equ FACTORS, 84
.equ OUTSIDE, 88
.equ ACC, 92                // address of SUMS
.equ SUMS, 96               // eight
.equ LOCALS, 128

// Four columns of eight rows: 83 cycles.
.macro four_columns
    ldm r1!, {r7}
    ldm r0!, {r4, r5, r6}
    sxtb r3, r7
    accumulate_first r4, r3
    accumulate_second r5, r3
    lsls r3, r7, #16
    asrs r3, r3, #24
    accumulate_first r6, r3
    ldm r0!, {r4, r5, r6}
    accumulate_second r4, r3
    lsls r3, r7, #8
    asrs r3, r3, #24
    accumulate_first r5, r3
    accumulate_second r6, r3
    ldm r0!, {r4, r5}
    asrs r7, r7, #24
    accumulate_first r4, r7
    accumulate_second r5, r7
.endm

// A column of eight rows.
.macro column at
    ldrb r3, [r1, #\at]
    ldm r0!, {r4, r5}
    sxtb r3, r3
    adds r7, r3
    accumulate_first r4, r3
    accumulate_second r5, r3
.endm

// void anne_conv_rows_s8(const anne_conv_rows_s8_t *job)
    in_ram anne_conv_rows_s8
    save_registers
    sub sp, #LOCALS
    str r0, [sp, #JOB]
    adds r0, #JOB_X
    ldm r0!, {r1-r5}            // x, x_step, y, y_step, n_pixels
    muls r5, r2
    adds r5, r1
    ldm r0!, {r6, r7}           // rows, starts
    str r7, [sp, #STARTS]
    negs r7, r6                 // rows that the first round of rescaling skips, 0 to 3
    lsls r7, #30
    lsrs r7, #30
    subs r3, r7
    add r0, sp, #X
    stm r0!, {r1-r5}
    add r1, sp, #SUMS
    str r1, [sp, #ACC]
    lsls r6, #2
    adds r6, r1
    str r6, [sp, #SUMS_END]
    lsls r2, r7, #31
    lsrs r2, #29
    subs r1, r2
    str r1, [sp, #FIRST_SUM]
    adr r1, .Lrounds
    lsls r2, r7, #2
    adds r1, r2
    str r1, [sp, #ROUND]
    ldr r0, [sp, #JOB]
    adds r0, #JOB_OUTSIDE
    ldm r0!, {r1-r5}            // outside, factors, approximation, multipliers, output
    str r1, [sp, #OUTSIDE]
    str r2, [sp, #FACTORS]
    lsls r7, #1
    subs r4, r7
    str r4, [sp, #MULTIPLIERS]
    str r5, [sp, #OUTPUT]
    ldm r3!, {r0, r1, r2}       // shift, rounding, unsure
    ldm r5!, {r4, r6, r7}       // zero_point, least, most
    start_of r1, r2, r4, r6
    subs r3, r7, r6
    mov r4, r6
    add r5, sp, #START
    stm r5!, {r1-r4}
    movs r1, #0
    cmp r0, #0
    bge 1f
    negs r1, r0
    movs r0, #0
1:  str r0, [sp, #SHIFT]
    str r1, [sp, #LEFT]
    b .Lpixel

// Where a round of rescaling begins that skips 0, 1, 2 or 3 rows: four bytes each.
    .p2align 2
.Lrounds:
    b .Lround
    nop
    ldm r0!, {r3, r7}
    b .Lrow1
    b .Lrow2
    nop
    ldm r0!, {r3, r7}
    b .Lrow3

.Loutside:
    ldr r2, [sp, #OUTSIDE]
    movs r1, #0
    b .Lrun_found

.Lpixel:
    ldr r2, [sp, #JOB]
    ldm r2!, {r0, r1}
    ldr r2, [r2]
    str r1, [sp, #BIAS]
.Lpanel:                        // r0 weights, r2 runs
    ldr r1, [sp, #STARTS]
    ldm r1!, {r3}
    str r1, [sp, #STARTS]
    movs r7, #0                 // the sum of what comes byte by byte
    lsls r4, r3, #16
    adds r4, r3
    mov r8, r4
    mov r9, r4
    mov r10, r3
    mov r11, r4
    mov r12, r4
    mov lr, r3
.Lrun:
    ldm r2!, {r1, r3, r4}       // at, n, entry
    str r2, [sp, #RUN]
    ldr r2, [sp, #X]
    cmp r1, #0
    blt .Loutside
.Lrun_found:
    adds r1, r2
    adds r3, r1
    str r3, [sp, #X_END]
    mov pc, r4

    .p2align 2
    .global anne_conv_rows_s8_words, anne_conv_rows_s8_words_2
anne_conv_rows_s8_words:
    four_columns
anne_conv_rows_s8_words_2:
    .rept WORDS - 1
    four_columns
    .endr
    ldr r2, [sp, #X_END]
    cmp r1, r2
    beq .Lrun_done
    b anne_conv_rows_s8_words
.Lrun_done:
    ldr r2, [sp, #RUN]
    b .Lrun

// r1 goes back by the columns that the first round skips.
    .p2align 2
    .global anne_conv_rows_s8_bytes, anne_conv_rows_s8_bytes_2
anne_conv_rows_s8_bytes:
    b .Lbyte_0
    nop
anne_conv_rows_s8_bytes_2:
    .irp at, 1, 2, 3, 4, 5, 6, 7
    subs r1, #\at
    b .Lbyte_\at
    .endr
    .p2align 2
    .irp at, 0, 1, 2, 3, 4, 5, 6, 7
.Lbyte_\at:
    column \at
    .endr
    adds r1, #BYTES
    ldr r2, [sp, #X_END]
    cmp r1, r2
    bne 1f
    b .Lrun_done
1:  b .Lbyte_0

// The same of four rows.
    .p2align 2
    .global anne_conv_rows_s8_four_words
anne_conv_rows_s8_four_words:
    ldm r1!, {r7}
    ldm r0!, {r4, r5}
    sxtb r3, r7
    accumulate_first r4, r3
    lsls r3, r7, #16
    asrs r3, r3, #24
    accumulate_first r5, r3
    ldm r0!, {r4, r5}
    lsls r3, r7, #8
    asrs r3, r3, #24
    accumulate_first r4, r3
    asrs r7, r7, #24
    accumulate_first r5, r7
    ldr r2, [sp, #X_END]
    cmp r1, r2
    bne anne_conv_rows_s8_four_words
    b .Lrun_done

    .p2align 2
    .global anne_conv_rows_s8_four_bytes
anne_conv_rows_s8_four_bytes:
    ldrb r3, [r1]
    ldm r0!, {r4}
    sxtb r3, r3
    adds r7, r3
    accumulate_first r4, r3
    adds r1, #1
    ldr r2, [sp, #X_END]
    cmp r1, r2
    bne anne_conv_rows_s8_four_bytes
    b .Lrun_done

// Behind the last run of a panel. Of bytes first what the sum of x takes off.
    .p2align 2
    .global anne_conv_rows_s8_end_bytes
anne_conv_rows_s8_end_bytes:
    lsls r3, r7, #7
    lsls r4, r7, #15
    adds r3, r4
    negs r3, r3
    lsls r4, r3, #16
    adds r4, r3
    add r8, r4
    add r9, r4
    add r10, r3
    add r11, r4
    add r12, r4
    add lr, r3
    ldr r2, [sp, #JOB]
    ldr r2, [r2, #JOB_ROWS]
    cmp r2, #4
    bls anne_conv_rows_s8_end_four
    .p2align 2
    .global anne_conv_rows_s8_end
anne_conv_rows_s8_end:
    mov r4, r11
    mov r5, r12
    mov r6, lr
    decode
    ldr r1, [sp, #BIAS]
    adds r1, #16
    add_bias
    add r1, sp, #SUMS + 16
    stm r1!, {r4-r7}
    .p2align 2
    .global anne_conv_rows_s8_end_four
anne_conv_rows_s8_end_four:
    mov r4, r8
    mov r5, r9
    mov r6, r10
    decode
    ldr r1, [sp, #BIAS]
    add_bias
    add r1, sp, #SUMS
    stm r1!, {r4-r7}
    ldr r2, [sp, #RUN]
    subs r2, #12
    ldr r1, [r2]
    cmp r1, #0
    bne .Lnext_panel
    // Rescaling: requantize.S
    add r7, sp, #START
    ldm r7!, {r0-r4}
    mov r8, r0
    mov r9, r1
    mov r10, r2
    mov r11, r3
    mov r12, r4
    ldr r2, [sp, #LEFT]
    cmp r2, #0
    bne .Lleft
.Lshifted:
    ldm r7!, {r0, r1, r4, r5}
    ldr r2, [sp, #Y]
    mov pc, r4

.Lnext_panel:
    adds r2, #12
    ldr r0, [sp, #JOB]
    ldr r0, [r0]
    adds r0, r1
    add r1, sp, #SUMS
    str r1, [sp, #BIAS]
    b .Lpanel

.Lleft:
    add r0, sp, #SUMS
1:  ldr r1, [r0]
    lsls r1, r2
    stm r0!, {r1}
    cmp r0, r12
    bne 1b
    b .Lshifted

    rounds
    add r7, sp, #X
    ldm r7!, {r0-r4}
    adds r0, r1
    adds r2, r3
    str r0, [sp, #X]
    str r2, [sp, #Y]
    cmp r0, r4
    beq .Ldone
    b .Lpixel
.Ldone:
    add sp, #LOCALS
    restore_and_return

    outside_of_rounds
    .size anne_conv_rows_s8, . - anne_conv_rows_s8
#endif
