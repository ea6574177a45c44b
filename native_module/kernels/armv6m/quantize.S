// Floats to integers for the Cortex-M0+: 36 cycles each where quantize.c's k is right at once, as nearly all are.
//
// The mathematics is that of quantize.c, with e = d + S = X 2^up - 2 S k, up = j + 1. In flash, not in RAM: a loop that
// the cache holds.
//
//     r0 x   r1 y   r2 bits of an x   r3 up, scratch   r4 X, e   r5 k, y   r6 2 S   r7 reciprocal
//     r8 -first   r9 last   r10 2^23   r11 S - S / 2^7   r12 zero_point   lr end of x
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"

// All values, as integers of so many bits.
.macro quantize bits, extend, store
    .p2align 2
1:  ldm r0!, {r2}
    lsls r3, r2, #1
    lsrs r3, r3, #24
    add r3, r8
    cmp r3, r9
    bhi 4f
    lsls r4, r2, #9
    lsrs r4, r4, #9
    add r4, r10
    lsrs r5, r4, #8
    muls r5, r7
    lsls r4, r3
    negs r3, r3
    adds r3, #31
    lsrs r5, r3
    adds r5, #1
    lsrs r5, r5, #1             // k
    mov r3, r5
    muls r3, r6
    subs r4, r3                 // e
    cmp r4, r11
    bge 5f
2:  asrs r3, r2, #31
    eors r5, r3
    subs r5, r3
    add r5, r12
    \extend r3, r5
    cmp r3, r5
    bne 6f
3:  \store r5, [r1]
    adds r1, #\bits / 8
    cmp r0, lr
    bne 1b
    restore_and_return
4:  lsls r4, r2, #1             // NaN, or below half a step: 0
    movs r5, #0xff
    lsls r5, r5, #24
    cmp r4, r5
    bhi 7f
    movs r5, #1
    lsls r5, r5, #16
    cmp r3, #0
    bge 2b
7:  movs r5, #0
    b 2b
5:  mov r3, lr
    push {r3}
    bl .Lstep
    pop {r3}
    mov lr, r3
    b 2b
6:  asrs r3, r5, #31            // the greatest, or its complement, the least
    movs r5, #1
    lsls r5, r5, #\bits - 1
    subs r5, #1
    eors r5, r3
    b 3b
.endm

// void anne_quantize_f32(const anne_scale_t *scale, const float *x, size_t n, void *y)
    .section .text.anne_quantize_f32, "ax", %progbits
    .p2align 2
    .global anne_quantize_f32
    .type anne_quantize_f32, %function
anne_quantize_f32:
    save_registers
    lsls r2, r2, #2
    adds r2, r1
    mov lr, r2
    ldm r0!, {r4, r5, r6, r7}   // S, reciprocal, first, last
    negs r6, r6
    mov r8, r6
    mov r9, r7
    mov r7, r5
    lsls r6, r4, #1
    lsrs r5, r4, #7
    subs r4, r5
    mov r11, r4
    movs r5, #1
    lsls r5, r5, #23
    mov r10, r5
    ldm r0!, {r4}
    mov r12, r4
    ldrb r5, [r0]               // is_s16
    mov r0, r1
    mov r1, r3
    cmp r5, #0
    bne .Ls16
    quantize 8, sxtb, strb
.Ls16:
    quantize 16, sxth, strh

// As many steps more as e of r4 >= S - S / 2^7 says.
.Lstep:
    lsrs r3, r6, #1
    cmp r4, r3
    blt .Lbelow
    adds r5, #1
    subs r4, r6
    cmp r4, r11
    bge .Lstep
    bx lr
.Lbelow:                        // -d <= S >> (24 - up + (X < S)): one more
    subs r4, r3, r4
    push {r5, r6, r7}
    lsls r5, r2, #1
    lsrs r5, r5, #24
    add r5, r8
    movs r7, #24
    subs r7, r5
    lsls r5, r2, #9
    lsls r6, r6, #8             // without their top bits, which both have
    cmp r5, r6
    bhs 1f
    adds r7, #1
1:  lsrs r3, r7
    pop {r5, r6, r7}
    cmp r4, r3
    bhi 2f
    adds r5, #1
2:  bx lr
    .size anne_quantize_f32, . - anne_quantize_f32
#endif
