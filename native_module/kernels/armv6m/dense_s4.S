// Dense layer on int4 for the Cortex-M0+: eight rows at a time, 17 cycles a column.
//
// The mathematics is that of dense_s4.c: D1 to D3 come with masks, F without.
//
//     r0 weights   r1 x   r2, r3 two x   r4, r5 two words   r6 t   r7 mask
//     r8 F   r9-r11 D1 to D3   r12 end of x   lr acc
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"

.macro lanes q, x, shift, d
    lsrs r6, \q, #\shift
    ands r6, r7
    muls r6, \x
    add \d, r6
.endm

.macro column q, x
    lanes \q, \x, 4, r9
    lanes \q, \x, 8, r10
    lanes \q, \x, 12, r11
    muls \q, \x
    add r8, \q
.endm

.macro two_columns
    ldm r1!, {r2, r3}
    ldm r0!, {r4, r5}
    column r4, r2
    column r5, r3
.endm

// acc at r0 = bias, r7 from there, + the low sum in d, whose high sum remains in the upper half.
.macro add_low d
    sxth r5, \d
    subs \d, r5
    ldr r6, [r0, r7]
    adds r5, r6
    stm r0!, {r5}
.endm

.macro add_high d
    asrs \d, \d, #16
    ldr r6, [r0, r7]
    adds \d, r6
    stm r0!, {\d}
.endm

.equ X, 0
.equ ENTRY, 4
.equ END, 8                  // of acc
.equ START_D, 12
.equ START_F, 16
.equ BIAS, 20                // from acc
.equ LOCALS, 24
.equ EIGHTS, LOCALS + 36
.equ ACC, EIGHTS + 4
.equ SUM_X, ACC + 4

// void anne_dense_s4_panel(const uint32_t *weights, const int32_t *bias, const int32_t *x, uint32_t columns,
//                          uint32_t eights, int32_t *acc, int32_t sum_x)
    in_ram anne_dense_s4_panel
    save_registers
    sub sp, #LOCALS
    ldr r4, [sp, #ACC]
    mov lr, r4
    subs r1, r4
    str r1, [sp, #BIAS]
    ldr r5, [sp, #EIGHTS]
    lsls r5, r5, #5
    adds r5, r4
    str r5, [sp, #END]
    str r2, [sp, #X]
    lsls r4, r3, #2
    adds r4, r2
    mov r12, r4
    lsrs r2, r3, #1             // the loop has eight times two columns; skip those too many in the first round
    negs r2, r2
    movs r4, #7
    ands r2, r4
    movs r4, #(.Lsecond - .Lloop)
    muls r2, r4
    adr r4, .Lloop
    adds r2, r4
    str r2, [sp, #ENTRY]
    ldr r4, [sp, #SUM_X]
    lsls r4, r4, #3
    negs r4, r4                 // -8 sum_x
    lsls r5, r4, #16
    adds r5, r4
    str r5, [sp, #START_D]
    lsls r6, r5, #4
    adds r5, r6
    lsls r6, r5, #8
    adds r5, r6
    str r5, [sp, #START_F]
.Leight_rows:
    ldr r2, [sp, #START_F]
    mov r8, r2
    ldr r2, [sp, #START_D]
    mov r9, r2
    mov r10, r2
    mov r11, r2
    ldr r7, =0x000f000f
    ldr r1, [sp, #X]
    ldr r2, [sp, #ENTRY]
    mov pc, r2
    .p2align 2
.Lloop:
    two_columns
.Lsecond:
    .rept 7
    two_columns
    .endr
    cmp r1, r12
    beq .Ldone
    b .Lloop
.Ldone:
    mov r1, r8
    mov r2, r9
    mov r3, r10
    mov r4, r11
    lsls r5, r2, #4
    subs r1, r5
    lsls r5, r3, #8
    subs r1, r5
    lsls r5, r4, #12
    subs r1, r5                 // D0
    mov r8, r0
    mov r0, lr
    ldr r7, [sp, #BIAS]
    add_low r1
    add_low r2
    add_low r3
    add_low r4
    add_high r1
    add_high r2
    add_high r3
    add_high r4
    mov lr, r0
    ldr r2, [sp, #END]
    cmp r0, r2
    beq .Lend
    mov r0, r8
    b .Leight_rows
.Lend:
    add sp, #LOCALS
    restore_and_return
    .pool
    .size anne_dense_s4_panel, . - anne_dense_s4_panel
#endif
