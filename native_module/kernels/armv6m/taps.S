// Taps of int8 for the Cortex-M0+, four neighbours in a word: the greatest, 24 cycles for four, or the mean, 7.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"

// Expects on the stack:
.equ X, 0
.equ GRID, 4
.equ END, 8                     // of x
.equ PIXEL, 12                  // its bytes
.equ WINDOWS, 16                // left
.equ WINDOW_STEP, 20
.equ HOW, 60                    // of means

// For all words of a pixel: `begin` sets r4-r7, `tap` takes the word r1, and `end` stores y at lr, and moves it on.
//     r0 tap  r1 word  r2 value  r3 columns left  r4-r7 what is taken of the taps
//     r8 column_step  r9 row  r10 row_step  r11 rows left  r12 columns  lr y
.macro words name, begin, tap, end
    in_ram \name
    save_registers
    ldr r4, [r1, #20]           // windows
    ldr r5, [r1, #24]           // window_step
    push {r2, r4, r5}
    mov lr, r3
    adds r2, r0
    push {r0-r2}
    ldm r1!, {r4-r7}            // rows, columns, row_step, column_step
    mov r12, r5
    mov r10, r6
    mov r8, r7
1:  ldr r0, [sp, #X]
    ldr r1, [sp, #GRID]
    ldr r1, [r1]
    mov r11, r1
    \begin
2:  mov r9, r0
    mov r3, r12
3:  ldr r1, [r0]
    add r0, r8
    \tap
    subs r3, #1
    bne 3b
    mov r0, r9
    add r0, r10
    mov r1, r11
    subs r1, #1
    mov r11, r1
    bne 2b
    \end
    ldr r0, [sp, #X]
    ldr r1, [sp, #END]
    adds r0, #4
    str r0, [sp, #X]
    cmp r0, r1
    bne 1b
    ldr r1, [sp, #WINDOWS]      // the pixel of the next window
    subs r1, #1
    beq 4f
    str r1, [sp, #WINDOWS]
    ldr r1, [sp, #WINDOW_STEP]
    ldr r2, [sp, #END]
    adds r2, r1
    str r2, [sp, #END]
    ldr r2, [sp, #PIXEL]
    subs r0, r2
    adds r0, r1
    str r0, [sp, #X]
    b 1b
4:  add sp, #24
    restore_and_return
    .pool
    .size \name, . - \name
.endm

.macro begin_most
    movs r4, #127
    mvns r4, r4
    mov r5, r4
    mov r6, r4
    mov r7, r4
.endm

// The greater of both in \most, \value is kept.
.macro greater most, value
    cmp \value, \most
    ble .Lkept\@
    mov \most, \value
.Lkept\@:
.endm

.macro tap_most
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
.endm

.macro end_most
    mov r1, lr
    strb r4, [r1]
    strb r5, [r1, #1]
    strb r6, [r1, #2]
    strb r7, [r1, #3]
    adds r1, #4
    mov lr, r1
.endm

.macro begin_mean
    ldr r4, [sp, #HOW]
    ldr r4, [r4]                // start
    mov r5, r4
    ldr r6, =0x00ff00ff
    ldr r7, =0x80808080
.endm

// Even bytes to the lanes of r4, odd ones to those of r5.
.macro tap_mean
    eors r1, r7
    lsrs r2, r1, #8
    ands r1, r6
    ands r2, r6
    adds r4, r1
    adds r5, r2
.endm

.macro mean sum
    cmp \sum, r2
    sbcs \sum, r1               // less 1 below the middle
    muls \sum, r3
    lsrs \sum, \sum, #24
.endm

.macro end_mean
    ldr r1, [sp, #HOW]
    ldr r2, [r1, #4]            // middle
    ldr r3, [r1, #8]            // multiplier
    movs r1, #0
    uxth r0, r4
    mean r0
    uxth r6, r5
    mean r6
    lsls r6, r6, #8
    orrs r0, r6
    lsrs r4, r4, #16
    mean r4
    lsls r4, r4, #16
    orrs r0, r4
    lsrs r5, r5, #16
    mean r5
    lsls r5, r5, #24
    orrs r0, r5
    eors r0, r7
    mov r1, lr
    stm r1!, {r0}
    mov lr, r1
.endm

// void anne_most_words_s8(const int8_t *x, const anne_grid_t *grid, uint32_t n, int8_t *y)
    words anne_most_words_s8, begin_most, tap_most, end_most

// void anne_mean_words_s8(const int8_t *x, const anne_grid_t *grid, uint32_t n, int8_t *y, const anne_mean_t *how)
    words anne_mean_words_s8, begin_mean, tap_mean, end_mean
#endif
