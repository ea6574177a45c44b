// Depthwise convolution for the Cortex-M0+, two pixels in a word: depthwise_pairs.c has the mathematics.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"

// void anne_pair_four(const anne_pairing_t *pairing): 41 cycles for four pairs.
//     r0 a  r1 b  r2 pairs  r3 end of the first plane's row  r4, r5 values  r6, r7 lanes
//     r8 a_step  r9 b_step  r10 from plane to plane  r11 from the last plane to the first one's next  r12 rows
//     lr bytes of a row; on the stack row_skip in bytes, a_skip, b_skip
    in_ram anne_pair_four
    save_registers
    sub sp, #12
    ldm r0!, {r1-r7}            // a, b, a_step, b_step, pairs, n, plane_words
    mov r8, r3
    mov r9, r4
    ldm r0!, {r3, r4}           // rows, row_skip
    mov r12, r3
    lsls r4, r4, #2
    str r4, [sp]
    ldm r0!, {r3, r4}           // a_skip, b_skip
    str r3, [sp, #4]
    str r4, [sp, #8]
    mov r0, r1
    mov r1, r2
    mov r2, r5
    lsls r3, r6, #2
    mov lr, r3
    adds r3, r2
    lsls r7, r7, #2
    mov r10, r7
    lsls r6, r7, #1
    adds r6, r7
    subs r6, #4
    negs r6, r6
    mov r11, r6
    .p2align 2
1:  ldr r4, [r0]
    ldr r5, [r1]
    add r0, r8
    add r1, r9
    sxtb r6, r4
    lsls r7, r5, #24
    asrs r7, r7, #8
    adds r6, r7
    str r6, [r2]
    .rept 2
    add r2, r10
    asrs r4, r4, #8
    asrs r5, r5, #8
    sxtb r6, r4
    lsls r7, r5, #24
    asrs r7, r7, #8
    adds r6, r7
    str r6, [r2]
    .endr
    add r2, r10
    asrs r4, r4, #8
    asrs r5, r5, #8
    lsls r5, r5, #16
    adds r4, r5
    str r4, [r2]
    add r2, r11
    cmp r2, r3
    bne 1b
    mov r3, sp
    ldm r3!, {r4-r6}
    adds r2, r4
    adds r0, r5
    adds r1, r6
    mov r3, lr
    adds r3, r2
    mov r4, r12
    subs r4, #1
    mov r12, r4
    bne 1b
    add sp, #12
    restore_and_return
    .size anne_pair_four, . - anne_pair_four

// void anne_sum_windows(const anne_windows_t *windows): two neighbours at a time, in one of four loops; the last window of
// a row by itself. Three segments take 27 cycles a sum, 32 where the third products are parts of their own.
//     r0 stream  r1 offset, a pair  r2-r4 weights  r5-r7 pairs
//     r8 window  r9 2^15  r10, r11 low and high of the first window's, r12, lr of the second
// On the stack, as in anne_windows_t:
.equ STREAM, 0
.equ SUMS, 4                    // and behind it step
.equ ROW_END, 12
.equ ROW_BYTES, 16              // and behind it rows, odd, skip
.equ ROWS, 20
.equ ODD, 24
.equ LOOP, 32                   // of twos, and behind it that of last windows
.equ FRAME, 40

// The products of a segment for two windows one pair apart: r5 = those with two weights, r6 that with the third; r2 and
// r4 for the second window.
.macro products_1
    ldm r0!, {r1-r4}
    add r1, r8
    ldm r1, {r1, r5-r7}
    muls r1, r2                 // x0 w0
    muls r2, r5                 // x1 w0
    muls r5, r3                 // x1 w1
    muls r3, r6                 // x2 w1
    muls r6, r4                 // x2 w2
    muls r4, r7                 // x3 w2
    adds r5, r1
    adds r2, r3
.endm

// Likewise two pairs apart.
.macro products_2
    ldm r0!, {r1-r4}
    add r1, r8
    ldm r1!, {r5-r7}
    muls r5, r2                 // x0 w0
    muls r6, r3                 // x1 w1
    adds r5, r6
    mov r6, r7
    muls r6, r4                 // x2 w2
    muls r2, r7                 // x2 w0
    ldm r1, {r1, r7}
    muls r3, r1                 // x3 w1
    muls r4, r7                 // x4 w2
    adds r2, r3
.endm

// low += sum, high += its upper lane; for the first sum `put` is mov, else add.
.macro part sum, low, high, put=add
    \put \low, \sum
    add \sum, r9
    asrs \sum, \sum, #16
    \put \high, \sum
.endm

// Likewise with the last sum, to the sums of the lanes in `lower` and `upper`.
.macro last_part sum, low, high, lower, upper
    add \low, \sum
    add \sum, r9
    asrs \upper, \sum, #16
    add \upper, \high
    lsls \lower, \upper, #16
    mov \sum, \low
    subs \lower, \sum, \lower
.endm

.macro whole put=add
    adds r5, r6
    adds r2, r4
    part r5, r10, r11, \put
    part r2, r12, lr, \put
.endm

.macro last_whole
    adds r5, r6
    adds r2, r4
    last_part r5, r10, r11, r3, r4
    last_part r2, r12, lr, r6, r7
.endm

.macro parted put=add
    part r5, r10, r11, \put
    part r2, r12, lr, \put
    part r6, r10, r11
    part r4, r12, lr
.endm

.macro last_parted
    part r5, r10, r11
    part r2, r12, lr
    mov r2, r4
    last_part r6, r10, r11, r3, r4
    last_part r2, r12, lr, r6, r7
.endm

// Stores the sums of two windows, and goes on to the next two of the row.
.macro next_windows loop
    mov r0, sp
    ldm r0, {r0, r1, r2, r5}    // stream, sums, step, row_end
    stm r1!, {r3, r4, r6, r7}
    str r1, [sp, #SUMS]
    add r8, r2
    cmp r8, r5
    blo \loop
    b .Lrow_end
.endm

.macro three_segments loop, products, parts
    .p2align 2
\loop:
    \products
    \parts mov
    \products
    \parts
    \products
    last_\parts
    next_windows \loop
.endm

// Any number of segments, up to the stream's end.
.macro any_segments loop, products
    .p2align 2
\loop:
    movs r1, #0
    mov r10, r1
    mov r11, r1
    mov r12, r1
    mov lr, r1
1:  \products
    whole
    lsls r3, r0, #22
    bne 1b
    mov r4, r11
    lsls r3, r4, #16
    mov r1, r10
    subs r3, r1, r3
    mov r7, lr
    lsls r6, r7, #16
    mov r1, r12
    subs r6, r1, r6
    next_windows \loop
.endm

.macro last_window loop, parts
    .p2align 2
\loop:
    ldm r0!, {r1-r4}
    add r1, r8
    ldm r1!, {r5-r7}
    muls r2, r5
    muls r3, r6
    muls r4, r7
    adds r2, r3
    \parts
    lsls r3, r0, #22
    bne \loop
    b .Llast_done
.endm

.macro last_window_whole
    adds r2, r4
    part r2, r10, r11
.endm

.macro last_window_parted
    part r2, r10, r11
    part r4, r10, r11
.endm

    in_ram anne_sum_windows
    save_registers
    sub sp, #FRAME
    mov r7, sp
    ldm r0!, {r1-r6}
    stm r7!, {r1-r6}
    ldm r0!, {r1-r4}            // odd, skip, row, way
    stm r7!, {r1, r2}
    mov r8, r3
    adr r5, .Lways
    lsls r4, r4, #3
    adds r5, r4
    ldm r5!, {r3, r4}
    stm r7!, {r3, r4}
    movs r1, #1
    lsls r1, r1, #15
    mov r9, r1
.Lnext_row:
    ldr r0, [sp, #STREAM]
    ldr r1, [sp, #LOOP]
    ldr r7, [sp, #ROW_END]
    cmp r8, r7
    bhs .Lrow_end
    bx r1
.Lrow_end:
    ldr r1, [sp, #ODD]
    cmp r1, #0
    beq .Lrow_done
    ldr r0, [sp, #STREAM]
    ldr r1, [sp, #LOOP + 4]
    movs r2, #0
    mov r10, r2
    mov r11, r2
    bx r1
.Llast_done:
    mov r2, r11
    lsls r3, r2, #16
    mov r1, r10
    subs r1, r1, r3
    ldr r5, [sp, #SUMS]
    stm r5!, {r1, r2}
    str r5, [sp, #SUMS]
.Lrow_done:
    add r1, sp, #ROW_BYTES
    ldm r1, {r1-r4}             // row_bytes, rows, odd, skip
    ldr r7, [sp, #ROW_END]
    add r8, r4
    adds r7, r1
    str r7, [sp, #ROW_END]
    subs r2, #1
    str r2, [sp, #ROWS]
    bne .Lnext_row
    add sp, #FRAME
    restore_and_return

    .p2align 2
.Lways:                         // anne_way_t; + 1: Thumb
    .word .Lany_1 + 1, .Llast_whole + 1
    .word .Lany_2 + 1, .Llast_whole + 1
    .word .Lwhole_1 + 1, .Llast_whole + 1
    .word .Lparted_1 + 1, .Llast_parted + 1

    any_segments .Lany_1, products_1
    any_segments .Lany_2, products_2
    three_segments .Lwhole_1, products_1, whole
    three_segments .Lparted_1, products_1, parted
    last_window .Llast_whole, last_window_whole
    last_window .Llast_parted, last_window_parted
    .size anne_sum_windows, . - anne_sum_windows
#endif
