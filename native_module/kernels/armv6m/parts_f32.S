// For the RP2040: the products of training, by the steps of kernels/parts_f32.c and so with the same bits. A number is
// taken apart in 24 cycles; a product takes 40 in a sum, of which an output has another 110. All stays in flash, in its
// cache: what is read lies in RAM. outer_f32.S has the other half.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"

// bool anne_take_apart_f32(const float *x, uint32_t n, anne_parts_f32_t *parts), n >= 1
//     r0 x  r1 end of x  r2 parts  r3 exponent  r4 bits  r5 high, sign  r6 rest, sign  r7 1 << 23  r12 whether all are finite
    .section .text.anne_take_apart_f32, "ax", %progbits
    .p2align 2
    .global anne_take_apart_f32
    .type anne_take_apart_f32, %function
anne_take_apart_f32:
    push {r4-r7, lr}
    lsls r1, #2
    adds r1, r0
    movs r7, #1
    lsls r7, #23
    movs r5, #1
    mov r12, r5
1:  ldm r0!, {r4}
    lsls r3, r4, #1
    lsrs r3, #24
    beq 3f
    cmp r3, #255
    beq 4f
2:  asrs r6, r4, #31
    lsls r5, r4, #9
    lsrs r5, #9
    adds r5, r7
    eors r5, r6
    subs r5, r6                 // 24 bits and the sign
    lsls r6, r5, #23
    lsrs r6, #23
    asrs r5, #9
    lsls r3, #16
    orrs r6, r3
    stm r2!, {r5, r6}
    cmp r0, r1
    bne 1b
    mov r0, r12
    pop {r4-r7, pc}
3:  movs r5, #0
    ldr r6, =(-1000 << 16)
    stm r2!, {r5, r6}
    cmp r0, r1
    bne 1b
    mov r0, r12
    pop {r4-r7, pc}
4:  movs r5, #0
    mov r12, r5
    b 2b
    .pool
    .size anne_take_apart_f32, . - anne_take_apart_f32

// anne_scaled_f32 of r3 as its bits in r3; r5 the exponent + 158; spoils r2, r4, r6, r7.
    .section .text.anne_pack_f32, "ax", %progbits
    .p2align 2
    .global anne_pack_f32
    .type anne_pack_f32, %function
anne_pack_f32:
    asrs r2, r3, #31
    lsls r4, r2, #31
    eors r3, r2
    subs r3, r2
    beq 9f
    lsrs r6, r3, #28            // as of most sums
    bne 5f
    lsrs r6, r3, #16
    bne 1f
    lsls r3, #16
    subs r5, #16
1:  lsrs r6, r3, #24
    bne 1f
    lsls r3, #8
    subs r5, #8
1:  lsrs r6, r3, #28
    bne 1f
    lsls r3, #4
    subs r5, #4
1:
5:  lsrs r6, r3, #30
    bne 1f
    lsls r3, #2
    subs r5, #2
1:  lsrs r6, r3, #31
    bne 1f
    lsls r3, #1
    subs r5, #1
1:  subs r5, #1
    cmp r5, #254
    bhs 2f
    lsls r5, #23                // the top bit adds 1 to the exponent, and so does a carry out of the 23 bits below
    lsrs r3, #8
    adcs r3, r5
    orrs r3, r4
9:  bx lr
2:  adds r5, #1
    bmi 4f
    beq 3f
    movs r3, #255               // infinite
    lsls r3, #23
    orrs r3, r4
    bx lr
3:  lsrs r3, #8                 // 2^-126 if that is nearer than the denormal beside it
    adds r3, #1
    lsrs r3, #24
    beq 9b
    lsls r3, #23
    orrs r3, r4
    bx lr
4:  movs r3, #0
    bx lr
    .size anne_pack_f32, . - anne_pack_f32

// float anne_narrowed_f32(int32_t m, int32_t e)
    .section .text.anne_narrowed_f32, "ax", %progbits
    .p2align 2
    .global anne_narrowed_f32
    .type anne_narrowed_f32, %function
anne_narrowed_f32:
    push {r4-r7, lr}
    movs r3, r0
    movs r5, r1
    adds r5, #158
    bl anne_pack_f32
    movs r0, r3
    pop {r4-r7, pc}
    .size anne_narrowed_f32, . - anne_narrowed_f32

// of anne_dots_f32_t
    .equ WEIGHTS, 0             // weights, column_bytes, row_bytes
    .equ X, 12                  // x, x_end
    .equ BIAS, 20
    .equ OUT, 24                // out, out_end, relu
    .equ LIVE, 36
// of the stack
    .equ DOTS, 0
    .equ NEXT_BIAS, 4
    .equ NEXT_ROW, 8
    .equ NEXT_LIVE, 12

// void anne_dots_f32(const anne_dots_f32_t *dots)
//     r0 weight  r1 x  r2 xh  r3 xl, T  r4 w  r5, r6 between  r7 sum
//     r8 greatest exponent  r9 end of x  r10 column_bytes  r11 0x4000  r12 out
    .section .text.anne_dots_f32, "ax", %progbits
    .p2align 2
    .global anne_dots_f32
    .type anne_dots_f32, %function
anne_dots_f32:
    save_registers
    sub sp, #16
    str r0, [sp, #DOTS]
    ldr r1, [r0, #LIVE]
    str r1, [sp, #NEXT_LIVE]
    ldr r1, [r0, #WEIGHTS]
    str r1, [sp, #NEXT_ROW]
    ldr r1, [r0, #(WEIGHTS + 4)]
    mov r10, r1
    ldr r1, [r0, #(X + 4)]
    mov r9, r1
    ldr r1, [r0, #BIAS]
    str r1, [sp, #NEXT_BIAS]
    ldr r1, [r0, #OUT]
    mov r12, r1
    movs r1, #1
    lsls r1, #14
    mov r11, r1
.Lrow:
    ldr r6, [sp, #DOTS]
    ldr r1, [r6, #X]
    ldr r5, [r6, #(WEIGHTS + 8)]
    ldr r0, [sp, #NEXT_ROW]
    adds r5, r0
    str r5, [sp, #NEXT_ROW]
    ldr r4, [sp, #NEXT_LIVE]
    cmp r4, #0
    bne .Llive
.Lbegin:
    movs r7, #0
    movs r5, #0
    ldr r4, [sp, #NEXT_BIAS]
    cmp r4, #0
    beq 1f
    ldm r4!, {r3}
    str r4, [sp, #NEXT_BIAS]
    lsls r5, r3, #1
    lsrs r5, #24
    beq 1f
    cmp r5, #255
    beq .Lnan
    lsls r7, r3, #9             // 24 bits and the sign, times 32
    lsrs r7, #4
    movs r6, #1
    lsls r6, #28
    adds r7, r6
    asrs r6, r3, #31
    eors r7, r6
    subs r7, r6
    adds r5, #127
1:  mov r8, r5
.Lproduct:
    ldr r4, [r0]
    add r0, r10
    ldm r1!, {r2, r3}
    lsls r5, r4, #1
    lsrs r5, #24
    beq .Lnext
    cmp r5, #255
    beq .Lnan
    asrs r6, r3, #16
    adds r5, r6                 // exponent of the product
    mov r6, r8
    subs r6, r5                 // to be shifted by
    cmp r6, #31
    bhi .Lodd
.Lshift:
    uxth r3, r3
    cmp r4, #0
    bpl 1f
    rsbs r2, r2, #0
    rsbs r3, r3, #0
1:  lsls r5, r4, #23
    lsrs r5, #23                // wl
    lsls r4, #9
    lsrs r4, #18
    add r4, r11                 // wh
    muls r5, r2
    muls r3, r4
    muls r4, r2
    adds r3, r5
    asrs r3, #9
    adds r3, r4
    asrs r3, r6
    adds r7, r3
    bvs .Loverflow
.Lnext:
    cmp r1, r9
    bne .Lproduct
    movs r3, r7
    mov r5, r8
    subs r5, #124
    bl anne_pack_f32
.Lput:
    ldr r2, [sp, #DOTS]
    adds r2, #(OUT + 4)
    ldm r2!, {r5, r6}
    rsbs r6, r6, #0
    asrs r2, r3, #31
    ands r2, r6
    bics r3, r2
    mov r1, r12
    stm r1!, {r3}
    mov r12, r1
    cmp r1, r5
    bne .Lrow
    add sp, #16
    restore_and_return

.Llive:
    ldm r4!, {r3}
    str r4, [sp, #NEXT_LIVE]
    cmp r3, #0
    bgt .Lbegin
    movs r3, #0
    b .Lput
.Lodd:
    bgt .Lnext                  // too small
    mov r8, r5
    rsbs r6, r6, #0
    cmp r6, #31
    bls 1f
    movs r6, #31
1:  asrs r7, r6
    movs r6, #0
    b .Lshift
.Loverflow:                     // the carry is the sign
    movs r2, #0
    adcs r2, r2
    lsls r2, #31
    lsrs r7, #1
    orrs r7, r2
    movs r2, #1
    add r8, r2
    b .Lnext
.Lnan:
    ldr r3, =0x7fc00000
    b .Lput
    .pool
    .size anne_dots_f32, . - anne_dots_f32
#endif
