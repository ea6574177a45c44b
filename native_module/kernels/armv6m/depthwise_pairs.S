// Depthwise convolution for the Cortex-M0+, two pixels in a word: depthwise_pairs.c has the mathematics.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"

// void anne_pair_four(const anne_pairing_t *pairing): 41 cycles for four pairs.
//     r0 a  r1 b  r2 pairs  r3 end of the first plane's  r4, r5 values  r6, r7 lanes
//     r8 a_step  r9 b_step  r10 from plane to plane  r11 from the last plane to the first one's next
    in_ram anne_pair_four
    save_registers
    ldm r0!, {r1-r7}            // a, b, a_step, b_step, pairs, n, plane_words
    mov r8, r3
    mov r9, r4
    mov r0, r1
    mov r1, r2
    mov r2, r5
    lsls r3, r6, #2
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
    restore_and_return
    .size anne_pair_four, . - anne_pair_four

// Windows, two neighbours at a time. On the stack, as in anne_windows_t:
.equ STREAM, 0
.equ SUMS, 4
.equ STEP, 8                    // and behind it ROW_END
.equ ROW_BYTES, 16              // and behind it rows
.equ ODD, 24                    // and behind it skip

//     r0 stream  r1 offset, then sums  r2-r4 weights  r5-r7 pairs
//     r8 window  r9 2^15  r10, r11 low and high of the first window's, r12, lr of the second
// `triples`: from the stream's segment r1-r4 to the sums r1 and r2.
.macro sum_windows name, triples
    in_ram \name
    save_registers
    mov r1, r0
    adds r1, #32
    ldr r1, [r1]
    mov r8, r1
    sub sp, #32
    ldm r0!, {r1-r4}
    mov r5, sp
    stm r5!, {r1-r4}
    ldm r0!, {r1-r4}
    stm r5!, {r1-r4}
    movs r1, #1
    lsls r1, r1, #15
    mov r9, r1
    b 3f
    .p2align 2
1:  ldr r0, [sp, #STREAM]
    ldm r0!, {r1, r2}
    mov r10, r1
    mov r11, r2
    mov r12, r1
    mov lr, r2
2:  ldm r0!, {r1-r4}
    add r1, r8
    \triples
    add r1, r9
    add r10, r1
    asrs r1, r1, #16
    add r11, r1
    add r2, r9
    add r12, r2
    asrs r2, r2, #16
    add lr, r2
    lsls r3, r0, #22            // the stream ends at a multiple of 1024
    bne 2b
    mov r1, r10
    mov r2, r11
    lsls r3, r2, #16
    subs r1, r3
    mov r3, r12
    mov r4, lr
    lsls r5, r4, #16
    subs r3, r5
    ldr r5, [sp, #SUMS]
    stm r5!, {r1-r4}
    str r5, [sp, #SUMS]
    ldr r6, [sp, #STEP]
    add r8, r6
3:  ldr r7, [sp, #STEP + 4]
    cmp r8, r7
    blo 1b
    ldr r1, [sp, #ODD]
    cmp r1, #0
    bne 5f
4:  add r1, sp, #ROW_BYTES
    ldm r1, {r1-r4}             // row_bytes, rows, odd, skip
    ldr r7, [sp, #STEP + 4]
    add r8, r4
    adds r7, r1
    str r7, [sp, #STEP + 4]
    subs r2, #1
    str r2, [sp, #ROW_BYTES + 4]
    bne 3b
    add sp, #32
    restore_and_return

5:  ldr r0, [sp, #STREAM]       // the last window of a row
    ldm r0!, {r1, r2}
    mov r10, r1
    mov r11, r2
6:  ldm r0!, {r1-r4}
    add r1, r8
    ldm r1!, {r5-r7}
    muls r2, r5
    muls r3, r6
    muls r4, r7
    adds r2, r3
    adds r2, r4
    add r2, r9
    add r10, r2
    asrs r2, r2, #16
    add r11, r2
    lsls r3, r0, #22
    bne 6b
    mov r1, r10
    mov r2, r11
    lsls r3, r2, #16
    subs r1, r3
    ldr r5, [sp, #SUMS]
    stm r5!, {r1, r2}
    str r5, [sp, #SUMS]
    b 4b
    .size \name, . - \name
.endm

.macro four_pairs
    ldm r1, {r1, r5-r7}
    muls r1, r2
    muls r2, r5
    muls r5, r3
    muls r3, r6
    muls r6, r4
    muls r4, r7
    adds r1, r5
    adds r1, r6
    adds r2, r3
    adds r2, r4
.endm

.macro five_pairs
    ldm r1!, {r5-r7}
    muls r5, r2                 // x0 w0
    muls r6, r3                 // x1 w1
    adds r5, r6
    mov r6, r7
    muls r6, r4                 // x2 w2
    adds r5, r6
    muls r2, r7                 // x2 w0
    ldm r1!, {r6, r7}
    muls r3, r6                 // x3 w1
    muls r4, r7                 // x4 w2
    adds r2, r3
    adds r2, r4
    mov r1, r5
.endm

    sum_windows anne_sum_windows_1, four_pairs
    sum_windows anne_sum_windows_2, five_pairs

// void anne_finish_pairs(const anne_finish_t *finish, const int32_t *sums, uint32_t n, int8_t *y, uint32_t second)
//     r0 sums  r1 y  r2 multiplier  r3 near  r4 lower, r5 upper sum  r6 scratch  r7 second
//     r8 range  r9 start  r10 unsure  r11 step  r12 end of sums
//     on the stack: finish
.equ LEAST, 24
.equ MOST, 28
.equ LEAST_SUM, 32

.macro finish sum
    cmp \sum, r8
    bhi .Lbeyond\sum
    muls \sum, r2
    add \sum, r9
    lsls r6, \sum, #8
    cmp r6, r10
    bls .Lunsure\sum
    lsrs \sum, \sum, #24
.Lfinished\sum:
.endm

// The sum lies \back bytes before r0.
.macro outside sum, back
.Lbeyond\sum:
    adds r6, \sum, r3
    bmi .Lleast\sum
    mov r6, r8
    adds r6, r3
    cmp \sum, r6
    bgt .Lmost\sum
.Lunsure\sum:
    movs r6, #\back
    bl .Lexactly
    mov \sum, r6
    b .Lfinished\sum
.Lleast\sum:
    ldr r6, [sp]
    ldr \sum, [r6, #LEAST]
    b .Lfinished\sum
.Lmost\sum:
    ldr r6, [sp]
    ldr \sum, [r6, #MOST]
    b .Lfinished\sum
.endm

    in_ram anne_finish_pairs
    save_registers "r0,"
    lsls r2, r2, #3
    adds r2, r1
    mov r12, r2
    ldr r7, [sp, #40]
    mov r4, r1                  // sums
    mov r1, r3
    ldm r0!, {r2, r3, r5, r6}   // multiplier, near, range, start
    mov r8, r5
    mov r9, r6
    ldm r0!, {r5, r6}           // unsure, step
    mov r10, r5
    mov r11, r6
    mov r0, r4
    .p2align 2
1:  ldm r0!, {r4, r5}
    finish r5
    strb r5, [r1, r7]
    finish r4
    strb r4, [r1]
    add r1, r11
    cmp r0, r12
    bne 1b
    add sp, #4
    restore_and_return

    outside r4, 8
    outside r5, 4

// r6 = the result for the sum r6 bytes before r0; keeps all other registers.
.Lexactly:
    push {r0-r5, r7, lr}
    ldr r7, [sp, #32]           // finish
    mov r4, r12
    subs r0, r6
    ldr r0, [r0]
    ldr r1, [r7, #LEAST_SUM]
    adds r0, r1
    ldr r1, [r7, #LEAST_SUM + 4]
    ldr r2, [r7, #LEAST_SUM + 8]
    ldr r3, =anne_requantize_one
    blx r3
    mov r12, r4
    mov r6, r0
    pop {r0-r5, r7, pc}
    .pool
    .size anne_finish_pairs, . - anne_finish_pairs
#endif
