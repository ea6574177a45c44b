// Sums of pairs of pixels for the Cortex-M33: two neighbouring windows at a time, 17 instructions for three taps of four
// results.
//
// A word has two pixels of a channel in its halves (depthwise_pairs.h), and SMLABB and SMLABT add the product of a weight
// with either of them to a sum of its own. So no lane can overflow, whatever the weights are, and `way` does not count.
#include "kernels/processor.h"
#ifdef ANNE_ARMV8M
#include "kernels/armv8m/common.inc"

.equ SUMS, 4 // of anne_windows_t
.equ STEP, 8
.equ ROW_END, 12
.equ ROW_BYTES, 16
.equ ROWS, 20
.equ ODD, 24
.equ ROW, 32

.macro tap first, second, weight, x
    smlabb \first, \weight, \x, \first
    smlabt \second, \weight, \x, \second
.endm

// A window pair begins: the stream, and no sums yet.
.macro begin
    ldr r1, [sp]
    ldr r1, [r1]
    movs r4, #0
    movs r5, #0
    movs r6, #0
    movs r7, #0
.endm

// Whether segments are left: not equal.
.macro is_end
    lsls r2, r1, #22
.endm

// Stores the sums of two windows and goes on so many bytes in the row; to `loop` unless it ends there.
.macro next_windows n_bytes, loop
    ldr r2, [sp, #4]
    stm r2!, {r4-r7}
    str r2, [sp, #4]
    ldr r2, [sp, #8]
    adds r0, #\n_bytes
    cmp r0, r2
    bne \loop
.endm

// void anne_sum_windows(const anne_windows_t *windows)
//
// r0 window   r1 stream   r2 x of a segment   r3, r8, r9 weights   r4, r5 sums of the first window's halves   r6, r7 of
// the second's   r10-r12, lr x   on the stack: windows, sums, end of the row's twos, rows left, this row, their step
function anne_sum_windows
    push {r4-r11, lr}
    sub sp, #24
    str r0, [sp]
    ldr r1, [r0, #SUMS]
    ldr r2, [r0, #ROW_END]
    ldr r3, [r0, #ROWS]
    ldr r4, [r0, #ROW]
    ldr r5, [r0, #STEP]
    add r6, sp, #4
    stm r6, {r1-r5}
1:  ldr r0, [sp, #16]
    ldr r2, [sp, #8]
    ldr r3, [sp, #20]
    cmp r0, r2
    beq 6f
    cmp r3, #16
    beq 4f

2:  begin                       // windows one pair apart
3:  ldm r1!, {r2, r3, r8, r9}
    add r2, r0
    ldm r2, {r10, r11, r12, lr}
    tap r4, r5, r3, r10
    tap r6, r7, r3, r11
    tap r4, r5, r8, r11
    tap r6, r7, r8, r12
    tap r4, r5, r9, r12
    tap r6, r7, r9, lr
    is_end
    bne 3b
    next_windows 8, 2b
    b 6f

4:  begin                       // two pairs apart
5:  ldm r1!, {r2, r3, r8, r9}
    add r2, r0
    ldm r2, {r10, r11, r12}
    tap r4, r5, r3, r10
    tap r4, r5, r8, r11
    tap r4, r5, r9, r12
    tap r6, r7, r3, r12
    ldrd r10, r11, [r2, #12]
    tap r6, r7, r8, r10
    tap r6, r7, r9, r11
    is_end
    bne 5b
    next_windows 16, 4b

6:  ldr r3, [sp]                // one that is left
    ldr r3, [r3, #ODD]
    cbz r3, 8f
    begin
7:  ldm r1!, {r2, r3, r8, r9}
    add r2, r0
    ldm r2, {r10, r11, r12}
    tap r4, r5, r3, r10
    tap r4, r5, r8, r11
    tap r4, r5, r9, r12
    is_end
    bne 7b
    ldr r2, [sp, #4]
    stm r2!, {r4, r5}
    str r2, [sp, #4]

8:  ldr r3, [sp]
    ldr r3, [r3, #ROW_BYTES]
    add r2, sp, #8
    ldm r2, {r4-r6}             // the next row
    add r4, r3
    subs r5, #1
    add r6, r3
    stm r2, {r4-r6}
    cmp r5, #0
    bne 1b
    add sp, #24
    pop {r4-r11, pc}
#endif
