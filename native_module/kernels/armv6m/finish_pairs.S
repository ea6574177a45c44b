// What follows the sums of a depthwise convolution, for the Cortex-M0+: lanes become results. depthwise_pairs.c has the
// mathematics.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"
#include "kernels/armv6m/requantize.inc"

// void anne_finish_pairs(const anne_finish_t *finish, const int32_t *sums, int8_t *y)
//     r0 sums  r1 y  r2 multiplier  r3 near  r4 lower, r5 upper sum  r6 scratch  r7 second
//     r8 range  r9 start  r10 unsure  r11 step  r12 end of a row  lr bias
// On the stack: the last part of finish, and
.equ BIAS, 4
.equ LEAST, 8
.equ ROWS_LEFT, 12
// In that part, which begins with row_bytes:
.equ MOST, 4
.equ LEAST_SUM, 8               // and behind it factor, output
.equ ROW_SKIP, 20

.macro finish sum
    add \sum, lr
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

// The sum lies \back bytes before r0. Most of those beyond are below: what ReLU makes 0.
.macro unfinished sum, back
.Lbeyond\sum:
    adds r6, \sum, r3
    bpl .Labove\sum
    ldr \sum, [sp, #LEAST]
    b .Lfinished\sum
.Labove\sum:
    mov r6, r8
    adds r6, r3
    cmp \sum, r6
    ble .Lunsure\sum
    ldr r6, [sp]
    ldr \sum, [r6, #MOST]
    b .Lfinished\sum
.Lunsure\sum:
    movs r6, #\back
    bl .Lexactly
    ldr \sum, [sp, #BIAS]
    mov lr, \sum
    mov \sum, r6
    b .Lfinished\sum
.endm

    in_ram anne_finish_pairs
    save_registers
    mov r12, r1
    mov lr, r2
    ldm r0!, {r2-r7}            // multiplier, near, range, start, unsure, step
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
    ldm r0!, {r4-r7}            // second, bias, least, rows
    push {r0, r5-r7}
    ldr r6, [r0]
    mov r7, r4
    mov r1, lr
    mov lr, r5
    mov r0, r12
    add r12, r6
    .p2align 2
1:  ldm r0!, {r4, r5}
    finish r5
    strb r5, [r1, r7]
    finish r4
    strb r4, [r1]
    add r1, r11
    cmp r0, r12
    bne 1b
    ldr r6, [sp]
    ldr r4, [r6]                // row_bytes
    add r12, r4
    ldr r4, [r6, #ROW_SKIP]
    adds r1, r4
    ldr r4, [sp, #ROWS_LEFT]
    subs r4, #1
    str r4, [sp, #ROWS_LEFT]
    bne 1b
    add sp, #16
    restore_and_return

    unfinished r4, 8
    unfinished r5, 4

// r6 = the result for the sum r6 bytes before r0; keeps all other registers but lr.
.Lexactly:
    push {r0-r5, r7, lr}
    subs r0, r6
    ldr r3, [r0]
    ldr r4, [sp, #32 + BIAS]
    adds r3, r4
    ldr r7, [sp, #32]
    adds r7, #LEAST_SUM
    ldm r7!, {r0-r2}            // and factor, output
    adds r3, r0
    ldm r1!, {r4, r5}
    mvns r5, r5
    bmi .Lany_factor
    movs r0, #1
    lsls r0, r0, #14
    rescale lr, r0
    ldm r2!, {r4-r6}            // zero_point, least, most
    adds r3, r4
    cmp r3, r5
    bge 1f
    mov r3, r5
1:  cmp r3, r6
    bgt 2f
    mov r6, r3
2:  pop {r0-r5, r7, pc}
.Lany_factor:
    subs r1, #8
    mov r4, r12
    mov r0, r3
    ldr r3, =anne_requantize_one
    blx r3
    mov r12, r4
    mov r6, r0
    pop {r0-r5, r7, pc}
    .pool
    .size anne_finish_pairs, . - anne_finish_pairs
#endif
