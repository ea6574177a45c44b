// Dense layer on float32 for the Cortex-M33: four rows by four columns at a time, in its floating-point unit.
//
// VFMA rounds once where a product and a sum would round twice. Denormals count as 0, as everywhere in the core: the
// unit's own mode for that, FZ, is set meanwhile.
//
// r0, r6-r8 weights of four rows   r1 bias   r2 x   r3 n_in   r4 rows left   r5 out   r9 end of x   r10 FPSCR as it was
// r12 end of the rounds of four   lr x of this round   s0-s3 the sums
#include "kernels/processor.h"
#if defined(ANNE_ARMV8M) && defined(__ARM_FP)
#include "kernels/armv8m/common.inc"
#ifdef __ARM_ARCH_8M_MAIN__
    .fpu fpv5-sp-d16
#else
    .fpu fpv4-sp-d16
#endif

.equ N_OUT, 32 + 32
.equ OUT, N_OUT + 4
.equ FLUSH_TO_ZERO, 1 << 24

.macro add_column x, weight0, weight1, weight2, weight3
    vfma.f32 s0, \weight0, \x
    vfma.f32 s1, \weight1, \x
    vfma.f32 s2, \weight2, \x
    vfma.f32 s3, \weight3, \x
.endm

// void anne_dense_f32(const float *weights, const float *bias, const float *x, size_t n_in, size_t n_out, float *out)
function anne_dense_f32
    push {r4-r10, lr}
    vpush {s16-s23}
    vmrs r10, fpscr
    orr r4, r10, #FLUSH_TO_ZERO
    vmsr fpscr, r4
    ldr r4, [sp, #N_OUT]
    ldr r5, [sp, #OUT]
    add r9, r2, r3, lsl #2
    bic r12, r3, #3
    add r12, r2, r12, lsl #2
1:  subs r4, #4
    blt 6f
    add r6, r0, r3, lsl #2
    add r7, r6, r3, lsl #2
    add r8, r7, r3, lsl #2
    vldmia r1!, {s0-s3}
    mov lr, r2
    cmp lr, r12
    beq 3f
2:  vldmia lr!, {s4-s7}
    vldmia r0!, {s8-s11}
    vldmia r6!, {s12-s15}
    vldmia r7!, {s16-s19}
    vldmia r8!, {s20-s23}
    add_column s4, s8, s12, s16, s20
    add_column s5, s9, s13, s17, s21
    add_column s6, s10, s14, s18, s22
    add_column s7, s11, s15, s19, s23
    cmp lr, r12
    bne 2b
3:  cmp lr, r9 // up to three columns more
    beq 5f
4:  vldmia lr!, {s4}
    vldmia r0!, {s8}
    vldmia r6!, {s12}
    vldmia r7!, {s16}
    vldmia r8!, {s20}
    add_column s4, s8, s12, s16, s20
    cmp lr, r9
    bne 4b
5:  vstmia r5!, {s0-s3}
    mov r0, r8 // where the fourth row ends
    b 1b
6:  adds r4, #4 // up to three rows more
    beq 9f
7:  vldmia r1!, {s0}
    mov lr, r2
8:  vldmia lr!, {s4}
    vldmia r0!, {s8}
    vfma.f32 s0, s8, s4
    cmp lr, r9
    bne 8b
    vstmia r5!, {s0}
    subs r4, #1
    bne 7b
9:  vmsr fpscr, r10
    vpop {s16-s23}
    pop {r4-r10, pc}
#endif
