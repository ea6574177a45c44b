// Requantisation for the Cortex-M0+: TensorFlow Lite Micro's two roundings without a 64-bit product.
//
// For a shift to the right by n = -shift >= 1, and |acc| < 2^29:
//
//     h = floor((acc m + 2^30) / 2^31)                       the first rounding
//     y = floor((h - [h < 0] + 2^(n - 1)) / 2^n)             the second: halves away from zero
//
// acc = 2^16 ah + al with al signed, m = 2^16 mh + ml with mh < 2^15, and all of the product below 2^16 in its floor:
//
//     acc m + 2^30 = 2^32 ah mh + 2^16 (ah ml + al mh + floor(al ml / 2^16) + 2^14) + (0 .. 2^16 - 1)
//     h = 2 ah mh + floor((ah ml + al mh + floor(al ml / 2^16) + 2^14) / 2^15)
//
// |ah| <= 2^13, |al| <= 2^15, ml < 2^16: each product fits 32 bits, and the sum is below 2^29 + 2^30 + 2^15 + 2^14.
// y comes as ((h >> (n - 1)) + 1) >> 1, where n - 1 is ~shift. Shifts of 0 and to the left go to anne_rescale.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
    .syntax unified
    .cpu cortex-m0plus
    .thumb

// void anne_requantize(const int32_t *acc, const anne_rescale_t *factors, size_t n, anne_output_t output, int8_t *y)
//     r0 acc  r1 factors  r2 y  r8 zero_point  r9 least  r10 most  r11 end of acc  lr 2^14
//     r3 acc, ah, result  r4 m, mh  r5 shift, n - 1  r6 al, sum  r7 ml  r12 al
.macro requantize name, store, bytes, any_sum
    .section .time_critical.\name, "ax", %progbits
    .p2align 2
    .global \name
    .type \name, %function
\name:
    push {r4-r7, lr}
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    push {r4-r7}
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
    .if \any_sum
    asrs r6, r3, #29            // 0 or -1 if it is in range
    adds r6, #1
    cmp r6, #1
    bhi 5f
    .endif
    uxth r7, r4
    lsrs r4, r4, #16
    sxth r6, r3
    subs r3, r6
    asrs r3, r3, #16
    mov r12, r6
    muls r6, r7                 // al ml
    asrs r6, r6, #16
    muls r7, r3                 // ah ml
    adds r6, r7
    mov r7, r12
    muls r7, r4                 // al mh
    adds r6, r7
    add r6, lr
    asrs r6, r6, #15
    muls r3, r4                 // ah mh
    lsls r3, r3, #1
    adds r3, r6                 // h
    asrs r6, r3, #31
    adds r3, r6
    asrs r3, r5
    adds r3, #1
    asrs r3, r3, #1
2:  add r3, r8
    cmp r3, r9
    blt 7f
    cmp r3, r10
    bgt 8f
3:  \store r3, [r2]
    adds r2, #\bytes
    cmp r0, r11
    bne 1b
9:  pop {r4-r7}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
    pop {r4-r7, pc}
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
    bge 2b
6:  mov r3, r6
    b 2b
    .pool
    .size \name, . - \name
.endm

    requantize anne_requantize_s8, strb, 1, 0
    requantize anne_requantize_s16, strh, 2, 1
#endif
