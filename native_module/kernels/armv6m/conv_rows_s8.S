// Rows of a convolution on int8 for the Cortex-M0+: eight rows at a time, 20.75 cycles for their eight
// multiply-accumulates, all that stands around them within one function, pixel after pixel.
//
// The mathematics is that of dense_s8.c, the order of the products that of armv6m/dense_s8.S. Here x is not expanded
// beforehand: four numbers come in a word for 2 cycles and are unpacked for 6, where dense_s8.S reads four words for 6.
//
//     r0 weights   r1 x   r2 t   r3 x   r4-r6 words of weights   r7 word of x   r8 A  r9 B  r10 G   r11 A'  r12 B'  lr G'
//
// Behind the last column the sums are rescaled in registers, four at a time (anne_quick_t of requantize.h); they are
// stored only for the exact way, which some 3 % take. The bias comes in with the first column, as part of what A, B and G
// begin with. Up to four rows are the second four of everything here: sums, registers, y and factors.
//
// Numbers that are no whole words come one by one, 23 cycles a column. There a register is left for their sum, r7;
// that of words stands ready, as it is found once for all rows (conv_s8.c).
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"
#include "kernels/armv6m/quad_s8.inc"
#include "kernels/armv6m/quick_s8.inc"
#include "kernels/armv6m/requantize.inc"

.equ WORDS, 8               // rounds of a loop, each of four columns
.equ BYTES, 9               // the same, of one column: a line of 3x3 pixels of 3 channels

// of anne_conv_rows_s8_t
.equ JOB_X, 12              // x, x_step, y, y_step, n_pixels; behind weights, bias, runs
.equ JOB_ROWS, 32           // rows, starts
.equ JOB_OUTSIDE, 40        // outside, factors, quick, output, added, apart
.equ JOB_APART, 60

// On the stack:
.equ X, 0                   // of the pixel
.equ X_STEP, 4
.equ Y_STEP, 8
.equ X_STOP, 12             // behind the last pixel
.equ START, 16              // what is added to products; unsure, range, least
.equ Y, 32
.equ QUICK, 36              // the first row's factor; behind Y
.equ RUN, 40                // the next
.equ X_END, 44              // of the run
.equ STARTS, 48
.equ BIAS, 52               // what is added to the panel's sums if they are apart: bias, or SUMS
.equ JOB, 56
.equ WEIGHTS, 60
.equ RUNS, 64
.equ ENTRY, 68              // where the rescaling of the second four begins
.equ FACTORS, 72
.equ OUTPUT, 76
.equ ZERO, 80               // zero_point - least
.equ OUTSIDE, 84
.equ ADDED, 88
.equ FIRST_BIAS, 92
.equ SUMS, 96               // eight
.equ LEFT, 128              // by how much sums that are apart are shifted to the left
.equ LOCALS, 132

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
    ldm r0!, {r1, r2, r3}       // weights, bias, runs
    str r1, [sp, #WEIGHTS]
    str r3, [sp, #RUNS]
    ldm r0!, {r1, r3-r6}        // x, x_step, y, y_step, n_pixels
    muls r6, r3
    adds r6, r1
    mov r7, sp
    stm r7!, {r1, r3, r5, r6}
    ldm r0!, {r5, r6}           // rows, starts
    str r6, [sp, #STARTS]
    ldr r1, [r0, #4]            // factors
    movs r3, #8
    cmp r5, #4
    bhi 1f
    subs r1, #32
    subs r2, #16
    subs r4, #4
    adds r5, #4
1:  str r1, [sp, #FACTORS]
    str r2, [sp, #FIRST_BIAS]
    str r2, [sp, #BIAS]
    str r4, [sp, #Y]
    ldr r6, .Lentries_address
    subs r3, r5                 // rows that are lacking
    lsls r3, #2
    adds r6, r3
    cmp r3, #0
    bne 1f
    ldr r6, [r6]
1:  str r6, [sp, #ENTRY]
    ldm r0!, {r1, r2, r3, r4, r5} // outside, factors, quick, output, added
    str r1, [sp, #OUTSIDE]
    str r4, [sp, #OUTPUT]
    str r5, [sp, #ADDED]
    ldm r4!, {r1}               // zero_point
    ldm r3!, {r4, r5, r6}       // start, unsure, range
    ldm r3!, {r2}               // least
    str r3, [sp, #QUICK]
    ldr r3, [r3, #32]
    str r3, [sp, #LEFT]
    subs r1, r2
    str r1, [sp, #ZERO]
    stm r7!, {r4, r5, r6}
    stm r7!, {r2}
    b .Lpixel

    .p2align 2
.Lentries_address:
    .word .Lentries

// r1 goes back by the columns that the first round skips.
    .global anne_conv_rows_s8_bytes, anne_conv_rows_s8_bytes_2
anne_conv_rows_s8_bytes:
    b .Lbyte_0
    nop
anne_conv_rows_s8_bytes_2:
    .irp at, 1, 2, 3, 4, 5, 6, 7, 8
    subs r1, #\at
    b .Lbyte_\at
    .endr
    .irp at, 0, 1, 2, 3, 4, 5, 6, 7, 8
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
    accumulate_second r4, r3
    lsls r3, r7, #16
    asrs r3, r3, #24
    accumulate_second r5, r3
    ldm r0!, {r4, r5}
    lsls r3, r7, #8
    asrs r3, r3, #24
    accumulate_second r4, r3
    asrs r7, r7, #24
    accumulate_second r5, r7
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
    accumulate_second r4, r3
    adds r1, #1
    ldr r2, [sp, #X_END]
    cmp r1, r2
    bne anne_conv_rows_s8_four_bytes
    b .Lrun_done

// Behind the last run of a panel; r2 is behind its end. Of bytes first what the sum of x takes off.
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
    ldr r3, [sp, #JOB]
    ldr r4, [r3, #JOB_ROWS]
    ldr r3, [r3, #JOB_APART]
    cmp r3, #0
    bne 1f
    cmp r4, #4
    bhi 2f
    b .Lfour
2:  b .Leight
1:  cmp r4, #4
    bls .Lfour_apart

// Sums apart: S is added to what `bias` or the panels before have left.
    .global anne_conv_rows_s8_end_apart
anne_conv_rows_s8_end_apart:
    str r2, [sp, #RUN]
    decode_from r8, r9, r10
    ldr r1, [sp, #BIAS]
    add_bias
    store_sums 0
    b 1f
    .global anne_conv_rows_s8_end_four_apart
anne_conv_rows_s8_end_four_apart:
.Lfour_apart:
    str r2, [sp, #RUN]
1:  decode_from r11, r12, lr
    ldr r1, [sp, #BIAS]
    adds r1, #16
    add_bias
    store_sums 16
    ldr r2, [sp, #RUN]
    subs r2, #12
    ldr r1, [r2]
    cmp r1, #0
    beq .Llast_panel
    adds r2, #12
    ldr r0, [sp, #WEIGHTS]
    adds r0, r1
    add r1, sp, #SUMS
    str r1, [sp, #BIAS]
    b .Lpanel

.Llast_panel:
    ldr r1, [sp, #FIRST_BIAS]
    str r1, [sp, #BIAS]
    add r1, sp, #SUMS
    movs r3, #8
    ldr r2, [sp, #LEFT]
    cmp r2, #0
    beq 3f
2:  ldr r4, [r1]
    lsls r4, r2
    stm r1!, {r4}
    subs r3, #1
    bne 2b
3:  ldr r1, [sp, #JOB]
    ldr r2, [r1, #JOB_ROWS]
    add r1, sp, #SUMS + 16
    cmp r2, #4
    bhi 1f
    ldm r1!, {r4-r7}
    b .Lfour_found
1:  subs r1, #16
    ldm r1!, {r4-r7}
    b .Leight_found

.Loutside:
    ldr r2, [sp, #OUTSIDE]
    movs r1, #0
    b .Lrun_found

.Lpixel:
    ldr r0, [sp, #WEIGHTS]
    ldr r2, [sp, #RUNS]
.Lpanel:                        // r0 weights, r2 runs
    ldr r1, [sp, #STARTS]
    ldm r1!, {r3}
    str r1, [sp, #STARTS]
    lsls r4, r3, #16
    adds r4, r3
    ldr r1, [sp, #ADDED]
    ldm r1!, {r5, r6, r7}
    adds r5, r4
    adds r6, r4
    adds r7, r3
    mov r8, r5
    mov r9, r6
    mov r10, r7
    ldm r1!, {r5, r6, r7}
    adds r5, r4
    adds r6, r4
    adds r7, r3
    mov r11, r5
    mov r12, r6
    mov lr, r7
    movs r7, #0                 // the sum of what comes byte by byte
.Lrun:
    ldm r2!, {r1, r3, r4}       // at, n, entry
    cmp r3, #0
    beq .Lend
    str r2, [sp, #RUN]
    ldr r2, [sp, #X]
    cmp r1, #0
    blt .Loutside
.Lrun_found:
    adds r1, r2
    adds r3, r1
    str r3, [sp, #X_END]
.Lend:
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

    .p2align 2
    .global anne_conv_rows_s8_end_four
anne_conv_rows_s8_end_four:
.Lfour:
    decode_from r11, r12, lr
    store_sums 16
.Lfour_found:
    constants
    ldr r2, [sp, #ENTRY]
    mov pc, r2

    .p2align 2
    .global anne_conv_rows_s8_end
anne_conv_rows_s8_end:
.Leight:
    decode_from r11, r12, lr
    store_sums 16
    decode_from r8, r9, r10
    store_sums 0
.Leight_found:
    constants
    quick_four 3, 2, 1, 0
    add r2, sp, #SUMS + 16
    ldm r2!, {r4-r7}
    ldr r2, [sp, #ENTRY]
    mov pc, r2
    beyond_four 3, 2, 1, 0

    quick_four 7, 6, 5, 4
    mov r7, sp
    ldm r7!, {r0-r3}            // x, x_step, y_step, end
    ldr r4, [sp, #Y]
    adds r0, r1
    adds r4, r2
    str r0, [sp, #X]
    str r4, [sp, #Y]
    cmp r0, r3
    beq .Ldone
    b .Lpixel
.Ldone:
    add sp, #LOCALS
    restore_and_return

// Where the rescaling of the second four begins; and what does that skips 1, 2 or 3 rows, four bytes each.
    .p2align 2
.Lentries:
    .word .Lrow7
    b .Lrow6
    nop
    ldm r1!, {r3}
    b .Lrow5
    b .Lrow4

    beyond_four 7, 6, 5, 4

    exactly
    .size anne_conv_rows_s8, . - anne_conv_rows_s8
#endif
