// For the RP2040: sigmoids, by the steps of kernels/activations_f32.c and so with the same bits, in three quarters of
// the cycles; and a part that all functions share.
//
// Half of what is saved is the way to the chip's divider and back. It is used as pico-sdk's __aeabi_uidiv uses it:
// whoever finds it DIRTY, operands written and the quotient not yet read, has interrupted a division. An interrupt that
// divides while we do finds it so and puts everything back; if we are the interrupt, __aeabi_uidiv divides for us, and
// puts everything back. Each core has a divider of its own.
//
// Constants come from the pool and not from saved registers, because layers of two to four units count most.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"

    .equ DIVIDEND, 0x60         // of the SIO, at 0xd0000000
    .equ DIVISOR, 0x64
    .equ QUOTIENT, 0x70
    .equ CSR, 0x78              // bit 1: DIRTY

// void anne_sigmoids_f32(float *x, size_t n), n >= 1
//     r0 x  r3 bits of *x  r7 0x80000000  r12 end of x  lr EXP_MOST
//     r1 y, n, shift  r2 y, r, p, d, 1 / d  r4 t, mantissa  r5, r6 between
    .section .text.anne_sigmoids_f32, "ax", %progbits
    .p2align 2
    .global anne_sigmoids_f32
    .type anne_sigmoids_f32, %function
anne_sigmoids_f32:
    push {r4-r7, lr}
    lsls r1, r1, #2
    adds r1, r0
    mov r12, r1
    ldr r1, =0x42aea8f6
    mov lr, r1
    movs r7, #128
    lsls r7, r7, #24
1:  ldr r3, [r0]
    lsls r1, r3, #1
    lsrs r2, r1, #1
    cmp r2, lr
    bhi 6f
    lsls r2, r3, #8             // fixed25
    orrs r2, r7
    lsrs r1, r1, #24
    movs r4, #133
    subs r4, r1
    lsrs r2, r4                 // y
    lsrs r1, r2, #16            // exp_inline
    ldr r4, =94548
    muls r1, r4
    movs r4, #140
    lsls r4, r4, #12
    adds r1, r4
    lsrs r1, r1, #20            // n
    lsls r2, r2, #1
    ldr r4, =1453635
    muls r4, r1
    subs r2, r4                 // r
    asrs r4, r2, #4
    muls r4, r4
    lsrs r4, r4, #19
    asrs r5, r2, #16
    adds r2, r5
    subs r2, r4                 // p
    lsls r4, r1, #27
    lsrs r4, r4, #25
    ldr r5, =anne_exp2_table
    ldr r4, [r5, r4]
    lsrs r5, r4, #20
    muls r5, r2
    asrs r5, r5, #6
    asrs r2, r2, #9
    lsls r6, r4, #12
    lsrs r6, r6, #12
    muls r2, r6
    asrs r2, r2, #17
    adds r5, r2
    subs r4, r5
    lsrs r5, r4, #31            // carry
    lsrs r4, r5                 // mantissa
    lsrs r1, r1, #5
    subs r1, r5                 // shift
    movs r2, r4
    lsrs r2, r1
    lsrs r2, r2, #3
    lsrs r5, r7, #3
    adds r2, r5                 // d = 1 + e
    movs r5, #0xd               // reciprocal_inline
    lsls r5, r5, #28
    ldr r6, [r5, #CSR]
    lsrs r6, r6, #2
    bcs 8f
    asrs r6, r7, #31
    str r6, [r5, #DIVIDEND]
    lsrs r6, r2, #13
    str r6, [r5, #DIVISOR]      // the quotient comes 8 cycles later
    movs r6, #125
    lsls r6, r6, #23
    b 2f
2:  b 2f
2:  b 2f
2:  ldr r5, [r5, #QUOTIENT]
3:  muls r2, r5
    negs r2, r2
    asrs r2, r2, #16
    muls r2, r5
    asrs r2, r2, #15
    lsls r5, r5, #14
    adds r2, r5
    cmp r3, #0
    blt 5f
    lsrs r2, r2, #7
    adcs r2, r6                 // rounded by the last bit shifted out
4:  stm r0!, {r2}
    cmp r0, r12
    bne 1b
    pop {r4-r7, pc}

5:  asrs r3, r4, #16            // below 0, times: mantissa / d
    uxth r4, r4
    lsrs r5, r2, #15
    lsls r2, r2, #17
    lsrs r2, r2, #17
    muls r2, r3
    asrs r2, r2, #15
    muls r3, r5
    adds r2, r3
    muls r4, r5
    lsrs r4, r4, #16
    adds r2, r4
    movs r3, #125               // packed; at least a quarter, so shifted twice at most
    subs r3, r1
    lsls r2, r2, #1
    bmi 7f
    subs r3, #1
    lsls r2, r2, #1
    bmi 7f
    subs r3, #1
    lsls r2, r2, #1
7:  lsls r3, r3, #23
    lsrs r2, r2, #8
    adcs r2, r3
    b 4b

6:  asrs r2, r3, #31            // beyond EXP_MOST: 0 or 1, or a NaN as it is
    movs r4, #0xff
    lsls r4, r4, #24
    cmp r1, r4
    bhi 9f
    movs r3, #127
    lsls r3, r3, #23
    bics r3, r2
9:  movs r2, r3
    b 4b

8:  mov r5, r12                 // we have interrupted a division
    mov r6, lr
    push {r0-r4}
    asrs r0, r7, #31
    lsrs r1, r2, #13
    ldr r3, =__aeabi_uidiv
    blx r3
    mov lr, r6
    mov r12, r5
    movs r5, r0
    movs r6, #125
    lsls r6, r6, #23
    pop {r0-r4}
    b 3b
    .pool
    .size anne_sigmoids_f32, . - anne_sigmoids_f32

// uint32_t anne_packed_f32(uint32_t mantissa, int32_t shift)
    .section .text.anne_packed_f32, "ax", %progbits
    .p2align 2
    .global anne_packed_f32
    .type anne_packed_f32, %function
anne_packed_f32:
    movs r2, #126
    subs r1, r2, r1
1:  subs r1, #1
    lsls r0, r0, #1
    bpl 1b
    cmp r1, #0
    blt 2f
    lsls r1, r1, #23
    lsrs r0, r0, #8
    adcs r0, r1                 // rounded by the last bit shifted out
    bx lr
2:  adds r1, #1                 // below 2^-126: that if it is nearer than the denormal beside it
    bne 3f
    lsrs r0, r0, #8
    adds r0, #1
    lsrs r0, r0, #24
    lsls r0, r0, #23
    bx lr
3:  movs r0, #0
    bx lr
    .size anne_packed_f32, . - anne_packed_f32
#endif
