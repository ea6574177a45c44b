// Dense layer with weights of 25 bits for the Cortex-M0+: two rows at a time, 22 cycles a column; about 120
// cycles a layer, 34 an input and 80 an output come on top.
//
// The mathematics and the ranges are those of dense_f32_aligned.c. The high limb h is taken from P twice instead of
// copied, which costs the same and leaves P for the last product:
//
//     asrs t, P   muls t, xl   add A, t        r0 weights   r1 x   r2 t   r3 xh  r4 xl  r5 P  r6 P'   r7 end of x
//     asrs t, P   muls t, xh   add H, t        r8 A  r9 H   r10 A'  r11 H'   r12 start of x   lr start of A
//                 muls P, xh   add A, P
//
// A shift to the right leaves the last bit it shifts out in the carry; adding that rounds.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"

.macro accumulate p, a, h
    asrs r2, \p, #16
    muls r2, r4
    add \a, r2
    asrs r2, \p, #16
    muls r2, r3
    add \h, r2
    muls \p, r3
    add \a, \p
.endm

.macro column
    ldm r1!, {r3, r4}
    ldm r0!, {r5, r6}
    accumulate r5, r8, r9
    accumulate r6, r10, r11
.endm

// \t = ((H << left) + (M >> middle)) >> right; the shifts in r3, r4, r5
.macro finish t, a, h
    mov r7, \h
    lsls r7, #16
    mov \t, \a
    subs \t, r7
    asrs \t, r4
    mov r7, \h
    lsls r7, r3
    adds \t, r7
    asrs \t, r5
.endm

// r4, not 0, to 2^\bits and above its half; r5 counts
.macro normalise bits
    lsrs r7, r4, #(32 - \bits)
    bne 1f
    lsls r4, #\bits
    subs r5, #\bits
1:
.endm

// of anne_dense_f32_aligned_t
.equ SHIFTS, 0          // left, middle, right
.equ HALF, 12           // 2^(s - 1), sums
.equ SUMS, 16           // sums, bias, exponents, out, end of out
.equ OUT, 28
.equ LIMBS, 36          // limbs, base, x, weights, end of x, n_in
.equ RELU, 60

// of the stack; LOCALS keeps sp a multiple of 8
.equ MOST, 0            // exponent of the greatest x, as in its bits, plus 1
.equ BASE, 4            // what an exponent of a row needs to be that of t's unit, plus 157
.equ ENTRY, 8
.equ ACC, 12            // of the next rows
.equ X_END, 16          // of the limbs
.equ LATER, 20          // not 0 from the second panel on
.equ WEIGHTS, 24        // of the panel
.equ X, 28              // of the next panel
.equ N_IN, 32           // columns to come
.equ LOCALS, 40
.equ LAYER, LOCALS

// void anne_dense_f32_aligned(const anne_dense_f32_aligned_t *layer)
    in_ram anne_dense_f32_aligned
    save_registers "r0,"
    sub sp, #LOCALS
    adds r0, #LIMBS
    ldm r0!, {r1-r5, r7}
    str r4, [sp, #WEIGHTS]
    mov r10, r1
    mov r11, r3
    mov r12, r5                 // end of x
    movs r0, #0                 // the greatest magnitude
.Lgreatest:
    ldm r3!, {r6}
    lsls r6, #1
    cmp r6, r0
    bls 1f
    movs r0, r6
1:  cmp r3, r5
    bne .Lgreatest
    lsrs r0, #24
    adds r2, r0
    str r2, [sp, #BASE]
    adds r0, #1
    lsrs r4, r0, #8
    beq 1f
    b .Lnan
1:  str r4, [sp, #LATER]
    mov r3, r11
    movs r6, #0
    cmp r7, #168                // ANNE_DENSE_F32_ALIGNED_PANEL
    bls .Lpanel
    b .Lmany

.Lzero:
    movs r5, #0
    movs r6, #0
    b .Lsplit_next

.Lpanel:                // r0 most, r1 and r10 limbs, r3 x, r6 columns to come after this panel's r7, r12 end of x
    str r6, [sp, #N_IN]
    rsbs r4, r7, #0             // the loop has four columns; skip those too many in the first round
    movs r5, #3
    ands r4, r5
    movs r5, #(.Lsecond - .Lloop)
    muls r4, r5
    adr r5, .Lloop
    adds r4, r5
    str r4, [sp, #ENTRY]
    movs r7, #0
    mov r8, r7                  // sum of the high limbs
    movs r2, #1
    lsls r2, #31
.Lsplit:
    ldm r3!, {r4}
    lsls r5, r4, #1
    lsrs r5, #24
    beq .Lzero
    asrs r6, r4, #31
    subs r5, r0, r5
    lsls r4, #8
    orrs r4, r2
    lsrs r4, #8
    lsrs r4, r5                 // by 254 at most; a shift counts only the last 8 bits
    adcs r4, r7
    eors r4, r6
    subs r4, r6
    asrs r5, r4, #12
    adcs r5, r7
    lsls r6, r5, #12
    subs r6, r4, r6
    add r8, r5
.Lsplit_next:
    stm r1!, {r5, r6}
    cmp r3, r12
    bne .Lsplit
    str r1, [sp, #X_END]
    movs r7, r1
    ldr r2, [sp, #LAYER]
    adds r2, #HALF
    ldm r2!, {r5, r6}
    mov r4, r8
    lsls r4, #11
    subs r5, r4
    mov lr, r5
    mov r12, r10
    ldr r0, [sp, #WEIGHTS]
.Lrows:
    str r6, [sp, #ACC]
    movs r2, #0
    mov r9, r2
    mov r11, r2
    mov r8, lr
    mov r10, lr
    mov r1, r12
    ldr r2, [sp, #ENTRY]
    mov pc, r2
    .p2align 2
.Lloop:
    column
.Lsecond:
    column
    column
    column
    cmp r1, r7
    bne .Lloop
    ldr r2, [sp, #LAYER]
    ldm r2!, {r3, r4, r5}
    finish r1, r8, r9
    finish r2, r10, r11
    ldr r6, [sp, #ACC]
    ldr r7, [sp, #LATER]
    cmp r7, #0
    bne .Ladd
.Lput:
    stm r6!, {r1, r2}
    ldr r7, [sp, #X_END]
    cmp r6, r12
    bne .Lrows
    ldr r7, [sp, #N_IN]
    cmp r7, #0
    bne .Lnext

    ldr r7, [sp, #LAYER]
    ldr r4, [r7, #RELU]
    mov lr, r4
    adds r7, #SUMS
    ldm r7!, {r0-r4}
    mov r12, r4                 // where to stop
    mov r11, r4                 // end of out
    ldr r4, [sp, #BASE]
    mov r8, r4
    movs r4, #1
    lsls r4, #30
    mov r9, r4
    movs r4, #0
    mov r10, r4                 // a bias to be added as a float
.Lout:
    ldm r2!, {r5}
    add r5, r8                  // exponent of t's unit, plus 157
    ldm r1!, {r6}
    lsls r7, r6, #1
    lsrs r7, #24
    beq .Lno_bias
    subs r7, r5
    bpl .Lgreat_bias
    rsbs r7, r7, #0             // 7 bits more to shift, as the mantissa stands 7 bits higher
    cmp r7, #32
    bhi .Lno_bias
    asrs r4, r6, #31
    lsls r6, #9
    lsrs r6, #2
    add r6, r9
    eors r6, r4
    subs r6, r4
    movs r4, #0
    asrs r6, r7
    adcs r6, r4
.Lbias:
    ldm r0!, {r4}
    adds r4, r6
    beq .Lstore
    asrs r6, r4, #31
    bmi .Lnegative
.Lnormalise:
    lsrs r7, r4, #24
    beq .Lsmall
    normalise 4
    normalise 2
    normalise 1
    cmp r5, #254
    bhs .Lbeyond
    lsls r7, r5, #23            // the top bit adds 1 to the exponent, and so does a carry out of the 23 bits below
    lsrs r4, #8
    adcs r4, r7
    lsls r6, #31
    orrs r4, r6
.Lstore:
    stm r3!, {r4}
    cmp r3, r12
    bne .Lout
    mov r4, r10
    cmp r4, #0
    beq .Ldone
    push {r0-r3}
    subs r3, #4
    ldr r0, [r3]
    movs r1, r4
    bl __aeabi_fadd
    lsls r1, r0, #1
    lsrs r1, #24
    bne 1f
    movs r0, #0                 // a denormal, or a zero with a sign
1:  pop {r1-r4}
    subs r4, #4
    ldr r5, [sp, #LAYER]
    ldr r5, [r5, #RELU]
    mov lr, r5
    asrs r6, r0, #31
    ands r6, r5
    bics r0, r6
    stm r4!, {r0}
    movs r0, r1
    movs r1, r2
    movs r2, r3
    movs r3, r4
    movs r4, #0
    mov r10, r4
    mov r12, r11
    cmp r3, r12
    bne .Lout
.Ldone:
    add sp, #(LOCALS + 4)
    restore_and_return

.Ladd:
    ldr r7, [r6]
    adds r1, r7
    ldr r7, [r6, #4]
    adds r2, r7
    b .Lput

.Lnext:                         // r7 columns to come
    str r7, [sp, #LATER]
    str r0, [sp, #WEIGHTS]
    ldr r0, [sp, #MOST]
    ldr r1, [sp, #LAYER]
    ldr r1, [r1, #LIMBS]
    mov r10, r1
    ldr r3, [sp, #X]
    movs r6, #0
    cmp r7, #168
    bls 1f
.Lmany:
    movs r6, r7
    subs r6, #168
    movs r7, #168
1:  lsls r4, r7, #2
    adds r4, r3
    mov r12, r4
    str r0, [sp, #MOST]
    str r4, [sp, #X]
    b .Lpanel

.Lgreat_bias:
    ldr r4, [r0]
    cmp r4, #0
    beq .Lonly_bias
    mov r10, r6                 // stop after this output and add
    adds r4, r3, #4
    mov r12, r4
    movs r4, #0                 // until then it may be below 0
    mov lr, r4
.Lno_bias:
    movs r6, #0
    b .Lbias
.Lonly_bias:                    // as where all x are 0
    adds r0, #4
    movs r4, r6
    asrs r6, r4, #31
    mov r7, lr
    ands r6, r7
    bics r4, r6
    b .Lstore
.Lnegative:
    mov r7, lr
    cmp r7, #0
    bne 1f
    rsbs r4, r4, #0
    b .Lnormalise
1:  movs r4, #0
    b .Lstore
.Lsmall:
    lsls r4, #8
    subs r5, #8
    b .Lnormalise
.Lbeyond:
    adds r5, #1
    beq .Lleast
    asrs r4, r5, #31            // all ones below the least exponent
    mvns r4, r4
    lsrs r4, #24                // 0 or 255
.Lexponent:
    lsls r4, #23
    beq .Lstore
    lsls r6, #31
    orrs r4, r6
    b .Lstore
.Lleast:                        // 2^-126 if that is nearer than the denormal beside it: if 24 bits are ones
    lsrs r4, #8
    adds r4, #1
    lsrs r4, #24
    b .Lexponent

.Lnan:
    ldr r2, [sp, #LAYER]
    adds r2, #OUT
    ldm r2!, {r3, r4}
    ldr r2, =0x7fc00000
1:  stm r3!, {r2}
    cmp r3, r4
    bne 1b
    b .Ldone
    .size anne_dense_f32_aligned, . - anne_dense_f32_aligned
#endif
