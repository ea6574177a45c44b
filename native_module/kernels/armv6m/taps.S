// The greatest taps of int8 for the Cortex-M0+, 24 cycles for those of four neighbours.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"

// The greater of both in \most, \value is kept.
.macro greater most, value
    cmp \value, \most
    ble .Lkept\@
    mov \most, \value
.Lkept\@:
.endm

// void anne_most_words_s8(const int8_t *x, const anne_grid_t *grid, uint32_t n, int8_t *y)
//     r0 tap  r1 word  r2 value  r3 columns left  r4-r7 the greatest
//     r8 column_step  r9 row  r10 row_step  r11 rows left  r12 columns  lr y
// On the stack:
.equ X, 0
.equ GRID, 4
.equ END, 8                     // of x
    in_ram anne_most_words_s8
    save_registers
    adds r2, r0
    push {r0-r2}
    mov lr, r3
    ldm r1!, {r4-r7}            // rows, columns, row_step, column_step
    mov r12, r5
    mov r10, r6
    mov r8, r7
1:  ldr r0, [sp, #X]
    ldr r1, [sp, #GRID]
    ldr r1, [r1]
    mov r11, r1
    movs r4, #127
    mvns r4, r4
    mov r5, r4
    mov r6, r4
    mov r7, r4
2:  mov r9, r0
    mov r3, r12
3:  ldr r1, [r0]
    add r0, r8
    sxtb r2, r1
    greater r4, r2
    asrs r1, r1, #8
    sxtb r2, r1
    greater r5, r2
    asrs r1, r1, #8
    sxtb r2, r1
    greater r6, r2
    asrs r1, r1, #8
    greater r7, r1
    subs r3, #1
    bne 3b
    mov r0, r9
    add r0, r10
    mov r1, r11
    subs r1, #1
    mov r11, r1
    bne 2b
    mov r1, lr
    strb r4, [r1]
    strb r5, [r1, #1]
    strb r6, [r1, #2]
    strb r7, [r1, #3]
    adds r1, #4
    mov lr, r1
    ldr r0, [sp, #X]
    ldr r1, [sp, #END]
    adds r0, #4
    str r0, [sp, #X]
    cmp r0, r1
    bne 1b
    add sp, #12
    restore_and_return
    .size anne_most_words_s8, . - anne_most_words_s8
#endif
