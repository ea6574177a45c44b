// Floats for the RP2040 by the functions of the chip's boot ROM (datasheet, 2.8.3.2), as MicroPython's own firmware has
// them, in less than libgcc's time and RAM. All versions of the ROM have them. They take denormals for 0, make 0 of
// them, and know no NaN; so whatever is not finite is computed here, as IEEE 754 says.
//
// GCC calls no other functions of floats than these: the core has neither square roots nor doubles.
#include "binding/loaded/divider.inc"

// To `special`, with 0xff000000 in r3, where r0 or r1 is infinite or NaN.
.macro finite special
    movs r3, #0xff
    lsls r3, r3, #24
    lsls r2, r0, #1
    cmp r2, r3
    bhs \special
    lsls r2, r1, #1
    cmp r2, r3
    bhs \special
.endm

// Behind it: returns a NaN. Else r2 is twice r1's magnitude, and Z says whether r1 is infinite.
.macro not_nan
    lsls r2, r0, #1
    cmp r2, r3
    bhi .Lfirst
    lsls r2, r1, #1
    cmp r2, r3
    bhi .Lsecond
.endm

    .section .text.rom_floats, "ax", %progbits
    .p2align 2
// bool py_find_rom_floats(void): whether this is an RP2040. From 0x10 on its ROM has a mark and the places of two
// tables, of functions and of data, and of a function that looks in them.
function py_find_rom_floats
    movs r3, #0x10
    ldr r0, [r3]
    lsls r0, r0, #8             // without the ROM's version
    ldr r1, =0x01754d00         // "Mu", 1
    cmp r0, r1
    bne 1f
    push {r4, lr}
    ldrh r0, [r3, #6]
    ldr r1, ='S' | 'F' << 8
    ldrh r2, [r3, #8]
    blx r2
    ldmia r0!, {r1-r4}
    adr r0, .Lfunctions
    stmia r0!, {r1-r4}
    movs r0, #1
    pop {r4, pc}
1:  movs r0, #0
    bx lr

function __aeabi_fadd
    finite .Ladd_special
    ldr r3, .Ladd
    bx r3

function __aeabi_fsub
    finite .Lsubtract_special
    ldr r3, .Lsubtract
    bx r3

function __aeabi_fmul
    finite .Lmultiply_special
    ldr r3, .Lmultiply
    bx r3

// By the divider, which whoever finds it DIRTY gives back as it was.
function __aeabi_fdiv
    finite .Ldivide_special
    movs r2, r0
    orrs r2, r1
    lsls r2, r2, #1
    lsrs r2, r2, #24
    beq .Lnan                   // 0 / 0, of which the ROM makes inf
    divider_in r2
    bcs 1f
    ldr r3, .Ldivide
    bx r3
1:  save_divider
    ldr r3, .Ldivide
    blx r3
    divider_at r2
    restore_divider

    .p2align 2
.Lfunctions: // in the ROM's order
.Ladd: .word 0
.Lsubtract: .word 0
.Lmultiply: .word 0
.Ldivide: .word 0

.Lsubtract_special:
    movs r2, #1
    lsls r2, r2, #31
    eors r1, r2
.Ladd_special:
    not_nan
    bne .Lfirst                 // a is infinite, b is not
    lsls r2, r0, #1
    cmp r2, r3
    bne .Lsecond
    cmp r0, r1
    bne .Lnan                   // inf - inf
.Lfirst:
    bx lr
.Lsecond:
    movs r0, r1
    bx lr

.Lmultiply_special:
    not_nan
    lsrs r2, r2, #24
    beq .Lnan                   // inf 0
    lsls r2, r0, #1
    lsrs r2, r2, #24
    bne .Linfinity
.Lnan:
    lsrs r0, r3, #1
    movs r1, #1
    lsls r1, r1, #22
    orrs r0, r1
    bx lr

.Ldivide_special:
    not_nan
    bne .Linfinity              // by what is finite
    lsls r2, r0, #1
    cmp r2, r3
    beq .Lnan                   // inf / inf
    movs r3, #0
.Linfinity:                     // with the sign of the product; 0 where r3 is
    eors r0, r1
    lsrs r0, r0, #31
    lsls r0, r0, #31
    lsrs r3, r3, #1
    orrs r0, r3
    bx lr

// --- Comparisons, in which a NaN is neither less, greater nor equal; denormals are 0.

// A float in `x` as a whole number, in the order of floats. r2 changes; r3 is 0xff000000.
.macro ordered x
    lsls r2, \x, #1
    cmp r2, r3
    bhi .Lneither
    lsrs r2, r2, #24
    bne 1f
    movs \x, #0
1:  asrs r2, \x, #31
    lsls \x, \x, #1
    lsrs \x, \x, #1
    eors \x, r2
    subs \x, \x, r2
.endm

    .section .text.compare_floats, "ax", %progbits
    .p2align 2
// Flags of a - b, as of signed numbers; where one is NaN, the caller returns 0.
.Lcompare:
    movs r3, #0xff
    lsls r3, r3, #24
    ordered r0
    ordered r1
    cmp r0, r1
    bx lr
.Lneither:
    movs r0, #0
    pop {pc}

.macro comparison name, condition
function \name
    push {lr}
    bl .Lcompare
    b\condition .Ltrue
    b .Lneither
.endm

.macro swap
    movs r2, r0
    movs r0, r1
    movs r1, r2
.endm

    comparison __aeabi_fcmpeq, eq
    comparison __aeabi_fcmplt, lt
    comparison __aeabi_fcmple, le
    comparison __aeabi_fcmpge, ge
    comparison __aeabi_fcmpgt, gt
.Ltrue:
    movs r0, #1
    pop {pc}

function __aeabi_fcmpun
    movs r3, #0xff
    lsls r3, r3, #24
    lsls r2, r0, #1
    cmp r2, r3
    bhi 1f
    lsls r2, r1, #1
    cmp r2, r3
    bhi 1f
    movs r0, #0
    bx lr
1:  movs r0, #1
    bx lr

// --- Whole numbers, rounded to the nearest float, of two the even one

    .section .text.float_of_int, "ax", %progbits
    .p2align 2
function __aeabi_i2f
    asrs r3, r0, #31
    lsls r3, r3, #31            // sign
    bpl 1f
    rsbs r0, r0, #0
    b 1f
function __aeabi_ui2f
    movs r3, #0
1:  cmp r0, #0
    beq 9f
    movs r1, #157               // exponent, less 1 for the leading bit, which is added to it
.irp n, 16, 8, 4, 2, 1
    lsrs r2, r0, #32 - \n
    bne 2f
    lsls r0, r0, #\n
    subs r1, #\n
2:
.endr
    lsls r1, r1, #23
    orrs r3, r1
    lsrs r2, r0, #8             // C: half of the last bit
    bcc 3f
    adds r2, #1
    lsls r0, r0, #25
    bne 3f
    lsrs r2, r2, #1
    lsls r2, r2, #1
3:  adds r0, r2, r3
9:  bx lr

// uint32_t __aeabi_f2uiz(float): the whole part of a positive float, at most 2^32 - 1.
    .section .text.uint_of_float, "ax", %progbits
    .p2align 2
function __aeabi_f2uiz
    movs r1, r0
    movs r0, #0
    asrs r2, r1, #23
    subs r2, #127
    bmi 9f                      // below 1, or negative
    movs r3, #31
    subs r3, r2
    bmi 8f
    movs r0, #1
    lsls r0, r0, #31
    lsls r1, r1, #8
    orrs r0, r1
    lsrs r0, r3
9:  bx lr
8:  mvns r0, r0
    bx lr
