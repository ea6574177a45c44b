// Requantisation for the Cortex-M0+: TensorFlow Lite Micro's two roundings without a 64-bit product.
//
// The exact way: for a shift to the right by n = -shift >= 1:
//
//     h = floor((acc m + 2^30) / 2^31)                       the first rounding
//     y = floor((h - [h < 0] + 2^(n - 1)) / 2^n)             the second: halves away from zero
//
// acc = 2^16 ah + al, m = 2^16 mh + ml with mh < 2^15 and 0 <= al, ml < 2^16, and all of the product below 2^16 in its
// floor:
//
//     acc m + 2^30 = 2^32 ah mh + 2^16 (ah ml + b) + (0 .. 2^16 - 1)       b = al mh + floor(al ml / 2^16) + 2^14
//     h = 2 ah mh + floor((ah ml + b) / 2^15)
//
// 0 <= b < 2^31 and |ah ml| <= 2^31 - 2^15, so their sum fits 32 bits, with a sign or, if that overflows, without one.
// |h| < 2^31, as m < 2^31. y comes as ((h >> (n - 1)) + 1) >> 1, where n - 1 is ~shift. Shifts of 0 and to the left go
// to anne_rescale.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"
#include "kernels/armv6m/requantize.inc"

// void anne_requantize_s16(const int32_t *acc, const anne_rescale_t *factors, size_t n, anne_output_t output,
//                          int16_t *y)
//     r0 acc  r1 factors  r2 y  r8 zero_point  r9 least  r10 most  r11 end of acc  lr 2^14
//     r3 acc, ah, result  r4 m, mh  r5 shift, n - 1  r6 al, b, sum  r7 ml, products  r12 ml
    in_ram anne_requantize_s16
    save_registers
    lsls r2, r2, #2
    beq 9f
    add r2, r0
    mov r11, r2
    mov r8, r3
    add r2, sp, #36
    ldm r2!, {r3, r4, r5}
    mov r9, r3
    mov r10, r4
    mov r2, r5
    movs r3, #1
    lsls r3, #14
    mov lr, r3
    .p2align 2
1:  ldm r1!, {r4, r5}
    ldm r0!, {r3}
    mvns r5, r5
    bmi 5f
    rescale r12, lr
4:  add r3, r8
    cmp r3, r9
    blt 7f
    cmp r3, r10
    bgt 8f
3:  strh r3, [r2]
    adds r2, #2
    cmp r0, r11
    bne 1b
9:  restore_and_return
7:  mov r3, r9
    b 3b
8:  mov r3, r10
    b 3b
5:  push {r0-r2}
    mov r0, r3
    mov r1, r4
    mvns r2, r5
    ldr r3, =anne_rescale
    blx r3
    mov r3, r0
    pop {r0-r2}
    movs r6, #1
    lsls r4, r6, #14
    mov lr, r4
    lsls r6, r6, #17            // as far as zero_point and limits can tell
    cmp r3, r6
    bgt 6f
    negs r6, r6
    cmp r3, r6
    bge 4b
6:  mov r3, r6
    b 4b
    .pool
    .size anne_requantize_s16, . - anne_requantize_s16

// int8: the approximate product of requantize.c, 19.75 cycles a row, less where the limits cut it off; the exact way, some
// 70 cycles, where that is not sure. Four rows a round, their sums fetched in pairs; a round may begin with any of
// them.
//
//     r0 acc   r1 multipliers   r2 y   r3, r7 sums   r4 product, result   r5 shift   r6 scratch
//     r8 what is added to the product   r9 unsure   r10 most - least   r11 least   r12 end of acc
//
// On the stack:
.equ ACC, 0
.equ FACTORS, 4
.equ LEFT, 8                    // by how much acc has been shifted to the left
.equ OUTPUT, 16 + 36            // behind r8-r11, r4-r7 and lr
.equ Y, OUTPUT + 4

// void anne_requantize_s8(int32_t *acc, const anne_rescale_t *factors, const anne_approximation_t *approximation,
//                         size_t n, const anne_output_t *output, int8_t *y)
    in_ram anne_requantize_s8
    save_registers
    movs r4, #0
    push {r0, r1, r4, r5}
    mov r1, r2
    ldm r1!, {r2, r6, r7}       // shift, rounding, unsure
    mov r9, r7
    ldr r4, [sp, #OUTPUT]
    ldm r4, {r4, r5, r7}        // zero_point, least, most
    mov r11, r5
    subs r7, r5
    mov r10, r7
    mov r7, r9
    start_of r6, r7, r4, r5
    mov r8, r6
    mov r5, r2
    lsls r4, r3, #2
    adds r4, r0
    mov r12, r4
    cmp r5, #0
    bge .Lshifted
    negs r6, r5
    str r6, [sp, #LEFT]
    movs r5, #0
.Lshift:
    ldr r7, [r0]
    lsls r7, r6
    stm r0!, {r7}
    cmp r0, r4
    bne .Lshift
    ldr r0, [sp, #ACC]
.Lshifted:
    ldr r2, [sp, #Y]
    negs r3, r3                 // rows that the first round skips, 0 to 3
    movs r4, #3
    ands r3, r4
    subs r2, r3
    subs r1, r3
    subs r1, r3
    cmp r3, #2
    bhs .Lskip_two
    cmp r3, #0
    beq .Lround
    ldm r0!, {r7}
    b .Lrow1
.Lskip_two:
    beq .Lrow2
    ldm r0!, {r7}
    b .Lrow3
    rounds
    add sp, #16
    restore_and_return

    outside_of_rounds
    .size anne_requantize_s8, . - anne_requantize_s8
#endif
