// Sums of rewritten int8 weights for the Cortex-M33: four rows of one x, 15 instructions for four columns, and four rows
// of two pixels, 13 for two columns.
//
// A half of a word of weights has two rows' of a column, 256 w1 + w0 + 128 (dense_s8_armv8m.c); the other half has those
// of the second column behind. So SMLAD on the word as it stands adds S0 + 128 sum(x) + 256 S1 for both columns, and
// one SXTB16, which leaves the upper bytes, is enough for a second SMLAD that adds S1. Of the first, A, and the second,
// B, is S0 = A - 256 B, if A begins with -128 sum(x). All of it is modulo 2^32, so it is exact where the true sums fit:
// of at most 16383 products up to 2^14 and a bias up to 2^28, which the loader proves, they are below 2^30, and twice
// that, as the rescaling here has it, fits, too.
#include "kernels/processor.h"
#ifdef ANNE_ARMV8M
#include "kernels/armv8m/common.inc"

// A and B of two rows += the products of a word of weights with a word of x. Spoils r12.
.macro products weights, x, a, b
    sxtb16 r12, \weights, ror #8
    smlad \a, \weights, \x, \a
    smlad \b, r12, \x, \b
.endm

// r0 weights   r1 x   r2, r3 two x each   r4-r7 A, B of rows 0, 1, then 2, 3   r8-r11 weights   lr end
.macro four_columns step
    ldrd r2, r3, [r1], #8
    ldrd r8, r9, [r0], #\step
    ldrd r10, r11, [r0], #\step
    products r8, r2, r4, r5
    products r9, r2, r6, r7
    products r10, r3, r4, r5
    products r11, r3, r6, r7
.endm

.equ BIAS, 0
.equ X, 4
.equ END, 8
.equ ROUNDS, 12 // end of the rounds of 16 columns
.equ BACK, 16   // from behind four rows to the next four; what is to be taken off the next time,
.equ BOTH, 20   // and both together
.equ START, 24 + 36
.equ N_OUT, START + 4
.equ ACC, START + 8

// void name(const uint32_t *weights, const int32_t *bias, const uint32_t *x, uint32_t columns, int32_t start,
//           uint32_t n_out, int32_t *acc)
// acc[r] = bias[r] + sum of w x over `columns`, a multiple of 4, for n_out rows, a multiple of 4, neither 0; acc may be
// bias. start: -128 times the sum of x. The words of a row are \step bytes further on for the next two columns: 16 where
// those of eight rows alternate, which begin with the first row, 8 for the last four.
.macro rows name, step
function \name
    push {r4-r11, lr}
    lsl r10, r3, #3             // BOTH
    sub r9, r10, #8             // BACK
    bic r12, r3, #15
    add r8, r2, r12, lsl #1     // ROUNDS
    add r7, r2, r3, lsl #1      // END
    push {r7-r10}
    push {r1, r2}
1:  ldrd r12, r1, [sp, #BIAS]
    ldm r12!, {r4-r7}
    str r12, [sp, #BIAS]
    ldr r3, [sp, #START]
    add r4, r4, r5, lsl #8
    add r4, r4, r3
    add r6, r6, r7, lsl #8
    add r6, r6, r3
    ldr lr, [sp, #ROUNDS]
    cmp r1, lr
    beq 3f
2:  .rept 4
    four_columns \step
    .endr
    cmp r1, lr
    bne 2b
3:  ldr lr, [sp, #END]
    cmp r1, lr
    beq 5f
4:  four_columns \step
    cmp r1, lr
    bne 4b
5:  ldrd r12, r1, [sp, #N_OUT]  // and ACC
    sub r4, r4, r5, lsl #8
    sub r6, r6, r7, lsl #8
    stm r1!, {r4-r7}
    subs r12, #4
    strd r12, r1, [sp, #N_OUT]
    ldrd r2, r3, [sp, #BACK]
    sub r0, r0, r2
    sub r3, r3, r2
    str r3, [sp, #BACK]
    bne 1b
    add sp, #24
    pop {r4-r11, pc}
.endm

rows anne_pairs_s8_rows_8, 8
rows anne_pairs_s8_rows_16, 16

// r0 weights   r1 x   r2, r3 two x of the first and the second pixel   r4-r7 A, B of the first   r8-r11 of the second
// lr weights
.macro two_columns step
    ldrd r2, r3, [r1], #8
    ldr lr, [r0, #4]
    products lr, r2, r6, r7
    smlad r10, lr, r3, r10
    smlad r11, r12, r3, r11
    ldr lr, [r0], #\step
    products lr, r2, r4, r5
    smlad r8, lr, r3, r8
    smlad r9, r12, r3, r9
.endm

// All columns. On the stack: where x ends, and where its rounds of 16 columns do.
.equ X_END, 0
.equ X_ROUNDS, 4
.macro all_columns step
    ldrd r2, r3, [sp, #X_END]
    cmp r1, r3
    beq 3f
2:  .rept 8
    two_columns \step
    .endr
    ldr r2, [sp, #X_ROUNDS]
    cmp r1, r2
    bne 2b
    ldr r2, [sp, #X_END]
3:  cmp r1, r2
    beq 5f
4:  .rept 2
    two_columns \step
    .endr
    ldr r2, [sp, #X_END]
    cmp r1, r2
    bne 4b
5:
.endm

.equ SUMS, 8

// void name(const uint32_t *weights, const uint32_t *x, uint32_t columns, uint32_t *sums)
// sums, eight words: A and B of rows 0 and 1, of rows 2 and 3, then of the second pixel, as they begin and end. x: for
// each two columns a word of the first pixel, then one of the second. columns a multiple of 4, not 0.
.macro sums_of_two name, step
function \name
    push {r4-r11, lr}
    push {r3}
    add r12, r1, r2, lsl #2
    bic r2, r2, #15
    add lr, r1, r2, lsl #2
    push {r12, lr}
    ldm r3, {r4-r11}
    all_columns \step
    ldr r3, [sp, #SUMS]
    stm r3, {r4-r11}
    add sp, #12
    pop {r4-r11, pc}
.endm

sums_of_two anne_pairs_s8_sums_8, 8
sums_of_two anne_pairs_s8_sums_16, 16

// The fields of anne_pairs_job_t.
.equ WEIGHTS, 0
.equ PAIRS, 4
.equ COLUMNS, 8
.equ FOURS, 12
.equ STARTS, 16
.equ BIAS, 24
.equ FACTORS, 28
.equ Y, 32
.equ OFFSET, 40
.equ BACK_AND_BOTH, 44
.equ JOB, 8

.macro result sum, y
    lsl \sum, \sum, #1
    smmulr \sum, \sum, r12
    add \sum, \sum, \sum, asr #31
    asr \sum, \sum, lr
    add \sum, \sum, r3
    ssat \sum, #8, \sum, asr #1
    strb \sum, [\y], #1
.endm

// r0 factors   r1, r2 results   r3 offset   r12 multiplier   lr ~shift
.macro results first, second
    ldrd r12, lr, [r0], #8
    mvn lr, lr
    result \first, r1
    result \second, r2
.endm

// void name(anne_pairs_job_t *job)
.macro results_of_two name, step
function \name
    push {r0, r4-r11, lr}
    ldrd r1, r2, [r0, #PAIRS]
    lsl r5, r2, #3              // both ways
    sub r4, r5, #8              // from behind four rows to the next four
    strd r4, r5, [r0, #BACK_AND_BOTH]
    add r12, r1, r2, lsl #2
    bic r2, r2, #15
    add lr, r1, r2, lsl #2
    push {r12, lr}
1:  ldr r12, [sp, #JOB]
    ldr r2, [r12, #BIAS]
    ldm r2!, {r4-r7}
    str r2, [r12, #BIAS]
    ldrd r2, r3, [r12, #STARTS]
    add r4, r4, r5, lsl #8
    add r6, r6, r7, lsl #8
    add r8, r4, r3
    mov r9, r5
    add r10, r6, r3
    mov r11, r7
    add r4, r4, r2
    add r6, r6, r2
    ldrd r0, r1, [r12, #WEIGHTS]
    all_columns \step
    ldr r12, [sp, #JOB]
    ldrd r2, r3, [r12, #BACK_AND_BOTH]
    sub r0, r0, r2
    str r0, [r12, #WEIGHTS]
    sub r2, r3, r2
    str r2, [r12, #BACK_AND_BOTH]
    ldr r0, [r12, #FACTORS]
    ldrd r1, r2, [r12, #Y]
    ldr r3, [r12, #OFFSET]
    sub r4, r4, r5, lsl #8
    sub r6, r6, r7, lsl #8
    sub r8, r8, r9, lsl #8
    sub r10, r10, r11, lsl #8
    results r4, r8
    results r5, r9
    results r6, r10
    results r7, r11
    ldr r12, [sp, #JOB]
    str r0, [r12, #FACTORS]
    strd r1, r2, [r12, #Y]
    ldr r3, [r12, #FOURS]
    subs r3, #1
    str r3, [r12, #FOURS]
    bne 1b
    add sp, #12
    pop {r4-r11, pc}
.endm

results_of_two anne_pairs_s8_results_8, 8
results_of_two anne_pairs_s8_results_16, 16
#endif
