// Sums of int8 for the Cortex-M0+, 7.5 cycles a word: as bytes x + 128 in two lanes of 16 bits (conv_rows_s8.c).
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE)
#include "kernels/armv6m/common.inc"

// r1 += the bytes of w ^ r5, where r6 has every other; spoils w and r2.
.macro add_word w
    eors \w, r5
    lsrs r2, \w, #8
    ands \w, r6
    ands r2, r6
    adds r1, \w
    adds r1, r2
.endm

// void anne_add_sums_s8(const int8_t *x, uint32_t n, uint32_t count, int32_t *sums)
    in_ram anne_add_sums_s8
    push {r4-r7, lr}
    mov r4, r8
    push {r4}
    lsls r2, r2, #2
    adds r2, r3
    mov r8, r2                  // end of sums
    ldr r5, =0x80808080
    ldr r6, =0x00ff00ff
    mov lr, r1
    .p2align 2
.Lnext_sum:
    mov r2, lr
    adds r4, r0, r2
    mov r12, r4                 // end of x
    movs r1, #0                 // lanes
    lsls r2, r2, #29
    bpl .Ltwo_words
    ldm r0!, {r4}
    add_word r4
    cmp r0, r12
    beq .Lsum_done
.Ltwo_words:
    ldm r0!, {r4, r7}
    add_word r4
    add_word r7
    cmp r0, r12
    bne .Ltwo_words
.Lsum_done:
    uxth r2, r1
    lsrs r1, r1, #16
    adds r1, r2
    mov r2, lr
    lsls r2, r2, #7             // 128 n
    subs r1, r2
    ldr r2, [r3]
    adds r1, r2
    stm r3!, {r1}
    cmp r3, r8
    bne .Lnext_sum
    pop {r4}
    mov r8, r4
    pop {r4-r7, pc}
    .pool
    .size anne_add_sums_s8, . - anne_add_sums_s8
#endif
