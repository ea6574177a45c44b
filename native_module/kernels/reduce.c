// Neighbouring axes that both go, or both stay, are one axis. So of four axes at most two are left that go, and two
// that stay, by turns: those that go are the rows and columns of taps that taps.h joins, those that stay a loop in a
// loop. If the last axis stays, its elements are neighbours, and taken some at once.
//
// A sum of int8 without zero points is at most 255 2^20 in magnitude, one of int16 (2^16 - 1) 2^15: below 2^31.
#include "kernels/reduce.h"

#include "kernels/arithmetic_f32.h"
#include "kernels/taps.h"

typedef struct {
    uint32_t size;
    uint32_t step; // in elements of x
} axis_t;

// Outer and inner ones, of size 1 if there are none.
typedef struct {
    axis_t stays[2];
    axis_t goes[2];
} axes_t;

static axes_t axes_of(const anne_reduce_t *reduce) {
    axes_t axes = {{{1, 0}, {1, 0}}, {{1, 0}, {1, 0}}};
    uint32_t step = 1, n[2] = {0, 0}, last = 2; // n: how many of each are found, from the inner one on
    for (uint32_t i = reduce->rank; i-- > 0;) {
        uint32_t size = reduce->shape[i], which = reduce->axes >> i & 1;
        axis_t *of = which ? axes.goes : axes.stays;
        if (size > 1 && which == last) {
            of[2 - n[which]].size *= size;
        } else if (size > 1) {
            of[1 - n[which]++] = (axis_t){size, step};
            last = which;
        }
        step *= size;
    }
    return axes;
}

uint32_t anne_reduced(const anne_reduce_t *reduce) {
    const axes_t axes = axes_of(reduce);
    return axes.goes[0].size * axes.goes[1].size;
}

// How sums or maxima become n outputs.
typedef void finish_t(const anne_reduce_t *reduce, int32_t zeros, uint32_t n, const int32_t *acc, void *y);

static void sweep(const anne_reduce_t *reduce, const uint8_t *x, uint32_t bytes, anne_taps_of_t *join, finish_t *finish,
                  uint8_t *y) {
    const axes_t axes = axes_of(reduce);
    const axis_t *outer = &axes.stays[0], *inner = &axes.stays[1];
    uint32_t n_taps = axes.goes[0].size * axes.goes[1].size;
    const anne_count_t divisor = anne_count(reduce->operation == ANNE_REDUCE_MEAN ? n_taps : 1);
    const anne_grid_t grid = {
        axes.goes[0].size, axes.goes[1].size, (int32_t)axes.goes[0].step, (int32_t)axes.goes[1].step, &divisor, 1, 0};
    int32_t zeros = reduce->zero_point * (int32_t)n_taps;
    uint32_t most = inner->step == 1 ? ANNE_TAPS_MOST : 1;
    for (uint32_t i = 0; i < outer->size; i++) {
        for (uint32_t j = 0, n; j < inner->size; j += n) {
            int32_t acc[ANNE_TAPS_MOST];
            n = inner->size - j < most ? inner->size - j : most;
            join(x + (i * outer->step + j * inner->step) * bytes, &grid, n, acc);
            finish(reduce, zeros, n, acc, y);
            y += n * bytes;
        }
    }
}

static void rescaled_s8(const anne_reduce_t *reduce, int32_t zeros, uint32_t n, const int32_t *acc, void *y) {
    for (uint32_t i = 0; i < n; i++) {
        ((int8_t *)y)[i] = (int8_t)anne_requantize_one(acc[i] - zeros, &reduce->factor, &reduce->output);
    }
}

static void rescaled_s16(const anne_reduce_t *reduce, int32_t zeros, uint32_t n, const int32_t *acc, void *y) {
    (void)zeros; // zero points are 0
    for (uint32_t i = 0; i < n; i++) {
        ((int16_t *)y)[i] = (int16_t)anne_requantize_one(acc[i], &reduce->factor, &reduce->output);
    }
}

static void rounded_f32(const anne_reduce_t *reduce, int32_t zeros, uint32_t n, const int32_t *acc, void *y) {
    (void)reduce, (void)zeros; // rounded already
    for (uint32_t i = 0; i < n; i++) {
        ((int32_t *)y)[i] = acc[i];
    }
}

// What inverts the least once more.
static uint32_t inverted(const anne_reduce_t *reduce, uint32_t bits) {
    return reduce->operation == ANNE_REDUCE_MIN ? bits : 0;
}

static void taken_s8(const anne_reduce_t *reduce, int32_t zeros, uint32_t n, const int32_t *acc, void *y) {
    (void)zeros;
    for (uint32_t i = 0; i < n; i++) {
        ((uint8_t *)y)[i] = (uint8_t)((uint32_t)acc[i] ^ inverted(reduce, 0xff));
    }
}

static void taken_s16(const anne_reduce_t *reduce, int32_t zeros, uint32_t n, const int32_t *acc, void *y) {
    (void)zeros;
    for (uint32_t i = 0; i < n; i++) {
        ((uint16_t *)y)[i] = (uint16_t)((uint32_t)acc[i] ^ inverted(reduce, 0xffff));
    }
}

static void taken_f32(const anne_reduce_t *reduce, int32_t zeros, uint32_t n, const int32_t *acc, void *y) {
    (void)zeros;
    for (uint32_t i = 0; i < n; i++) {
        ((uint32_t *)y)[i] = anne_bits_of_key(acc[i]) ^ inverted(reduce, 0x80000000);
    }
}

// Of one type: how its taps are joined, and what becomes of that.
typedef struct {
    anne_taps_of_t *sum, *most, *least;
    finish_t *rescaled, *taken;
} joins_t;

static void reduced(const anne_reduce_t *reduce, const void *x, uint32_t bytes, const joins_t *joins, void *y) {
    bool sums = reduce->operation <= ANNE_REDUCE_SUM;
    anne_taps_of_t *join = sums ? joins->sum : reduce->operation == ANNE_REDUCE_MAX ? joins->most : joins->least;
    sweep(reduce, x, bytes, join, sums ? joins->rescaled : joins->taken, y);
}

void anne_reduce_s8(const anne_reduce_t *reduce, const int8_t *x, int8_t *y) {
    static const joins_t joins = {anne_sum_s8, anne_most_s8, anne_least_s8, rescaled_s8, taken_s8};
    reduced(reduce, x, sizeof *x, &joins, y);
}

void anne_reduce_s16(const anne_reduce_t *reduce, const int16_t *x, int16_t *y) {
    static const joins_t joins = {anne_sum_s16, anne_most_s16, anne_least_s16, rescaled_s16, taken_s16};
    reduced(reduce, x, sizeof *x, &joins, y);
}

void anne_reduce_f32(const anne_reduce_t *reduce, const float *x, float *y) {
    static const joins_t joins = {anne_sum_f32, anne_most_f32, anne_least_f32, rounded_f32, taken_f32};
    reduced(reduce, x, sizeof *x, &joins, y);
}
