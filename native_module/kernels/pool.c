// One sweep moves the window over the image: at each position it finds the taps that are inside, has them joined by
// taps.h, some channels at once, and has the results finished: limited, or divided and limited. The kinds of pools
// differ in the two functions that do so. How many taps count changes only at the image's edges, so the division by
// them is prepared when it does.
//
// A window of integers has n <= 2^15 taps that count, so |sum| <= 2^15 2^15, those of int16; what zero points add for
// int8, at most 2^7 n, is of no weight.
#include "kernels/pool.h"

#include "kernels/arithmetic_f32.h"
#include "kernels/taps.h"

// How sums or maxima become outputs: n values of acc, of windows with `outside` taps that count but are not there.
typedef void finish_t(const anne_pool_t *pool, const anne_count_t *count, int32_t outside, uint32_t n,
                      const int32_t *acc, void *y);

static inline int32_t limited(const anne_pool_t *pool, int32_t value) {
    return value < pool->limits.least ? pool->limits.least : value > pool->limits.most ? pool->limits.most : value;
}

static void max_s8(const anne_pool_t *pool, const anne_count_t *count, int32_t outside, uint32_t n, const int32_t *acc,
                   void *y) {
    (void)count, (void)outside;
    int8_t *to = y;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = (int8_t)limited(pool, acc[i]);
    }
}

static void max_s16(const anne_pool_t *pool, const anne_count_t *count, int32_t outside, uint32_t n, const int32_t *acc,
                    void *y) {
    (void)count, (void)outside;
    int16_t *to = y;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = (int16_t)limited(pool, acc[i]);
    }
}

static void max_f32(const anne_pool_t *pool, const anne_count_t *count, int32_t outside, uint32_t n, const int32_t *acc,
                    void *y) {
    (void)pool, (void)count, (void)outside;
    float *to = y;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = anne_float_of(anne_bits_of_key(acc[i]));
    }
}

static void mean_s8(const anne_pool_t *pool, const anne_count_t *count, int32_t outside, uint32_t n, const int32_t *acc,
                    void *y) {
    int8_t *to = y;
    int32_t zeros = outside * pool->limits.zero_point;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = (int8_t)limited(pool, anne_divide(acc[i] + zeros, count));
    }
}

static void mean_s16(const anne_pool_t *pool, const anne_count_t *count, int32_t outside, uint32_t n,
                     const int32_t *acc, void *y) {
    (void)outside; // zeros are 0
    int16_t *to = y;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = (int16_t)limited(pool, anne_divide(acc[i], count));
    }
}

static void mean_f32(const anne_pool_t *pool, const anne_count_t *count, int32_t outside, uint32_t n,
                     const int32_t *acc, void *y) {
    (void)pool, (void)count, (void)outside; // divided already
    uint32_t *to = y;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = (uint32_t)acc[i];
    }
}

// Taps of one axis that count as zeros if they are not there: within the padding.
static int32_t counted(int32_t start, int32_t size, int32_t kernel, int32_t dilation, int32_t before, int32_t after) {
    anne_taps_t taps = anne_taps(start + before, before + size + after, kernel, dilation);
    return taps.last - taps.first;
}

// Whether what is taken of int8 can be taken from words of four channels.
static bool pool_in_words(const anne_pool_t *pool, const void *x) {
    return pool->window.channels % 4 == 0 && (uintptr_t)x % 4 == 0;
}

// What was taken from words is not yet limited.
static void limit_words(const anne_pool_t *pool, const int8_t *x, int8_t *y) {
    const anne_window_t *w = &pool->window;
    if (pool_in_words(pool, x) && (pool->limits.least > INT8_MIN || pool->limits.most < INT8_MAX)) {
        for (int8_t *end = y + (size_t)w->out_h * (size_t)w->out_w * (size_t)w->channels; y < end; y++) {
            *y = (int8_t)limited(pool, *y);
        }
    }
}

// How many windows of a row from this one on have all their columns inside; 1 if this has not.
static uint32_t windows_alike(const anne_window_t *w, int32_t j, int32_t left) {
    int32_t beyond = w->in_w - 1 - (w->kernel_w - 1) * w->dilation_w - left; // columns behind the window
    if (left < 0 || beyond < w->stride_w || j == w->out_w - 1) {
        return 1;
    }
    int32_t inside = beyond / w->stride_w, more = w->out_w - 1 - j;
    return 1 + (uint32_t)(inside < more ? inside : more);
}

static void sweep(const anne_pool_t *pool, const uint8_t *x, int32_t bytes, anne_taps_of_t *join, finish_t *finish,
                  uint8_t *y) {
    const anne_window_t *w = &pool->window;
    int32_t pixel = w->channels * bytes;
    anne_count_t count = {.n = 0};
    bool is_most = join == anne_most_s8, in_words = (is_most || join == anne_sum_s8) && pool_in_words(pool, x);
    anne_mean_t how;
    anne_grid_t grid = {.divisor = &count};
    // no step leads beyond the image; those that would have no number in 32 bits either
    grid.row_step = w->dilation_h < w->in_h ? w->dilation_h * w->in_w * w->channels : 0;
    grid.column_step = w->dilation_w < w->in_w ? w->dilation_w * w->channels : 0;
    grid.window_step = w->stride_w < w->in_w ? w->stride_w * w->channels : 0;
    for (int32_t i = 0, top = -w->pad_top; i < w->out_h; i++, top += w->stride_h) {
        anne_taps_t rows = anne_taps(top, w->in_h, w->kernel_h, w->dilation_h);
        grid.rows = (uint32_t)(rows.last - rows.first);
        int32_t n_rows = !pool->counts_padding
                             ? (int32_t)grid.rows
                             : counted(top, w->in_h, w->kernel_h, w->dilation_h, w->pad_top, pool->pad_bottom);
        const uint8_t *row = x + (top + rows.first * w->dilation_h) * w->in_w * pixel;
        for (int32_t j = 0, left = -w->pad_left; j < w->out_w; j++, left += w->stride_w) {
            anne_taps_t columns = anne_taps(left, w->in_w, w->kernel_w, w->dilation_w);
            grid.columns = (uint32_t)(columns.last - columns.first);
            int32_t n_columns = !pool->counts_padding
                                    ? (int32_t)grid.columns
                                    : counted(left, w->in_w, w->kernel_w, w->dilation_w, w->pad_left, pool->pad_right);
            uint32_t n = (uint32_t)n_rows * (uint32_t)n_columns;
            if (n != count.n) {
                count = anne_count(n);
                how.middle = n % 2 == 0 ? 128 * n + n / 2 : 0;
                how.multiplier = ((1u << 24) + n - 1) / n;
            }
            uint32_t outside = n - grid.rows * grid.columns;
            const uint8_t *at = row + (left + columns.first * w->dilation_w) * pixel;
            if (in_words && (is_most || n <= ANNE_MEAN_TAPS)) {
                grid.windows = windows_alike(w, j, left);
                how.start = (n / 2 + outside * (uint32_t)(pool->limits.zero_point + 128)) * 0x10001;
                if (is_most) {
                    anne_most_words_s8((const int8_t *)at, &grid, (uint32_t)w->channels, (int8_t *)y);
                } else {
                    anne_mean_words_s8((const int8_t *)at, &grid, (uint32_t)w->channels, (int8_t *)y, &how);
                }
                y += grid.windows * (uint32_t)w->channels;
                j += (int32_t)grid.windows - 1, left += ((int32_t)grid.windows - 1) * w->stride_w;
                continue;
            }
            for (int32_t c = 0; c < w->channels; c += ANNE_TAPS_MOST) {
                int32_t acc[ANNE_TAPS_MOST], left_over = w->channels - c;
                uint32_t some = left_over < ANNE_TAPS_MOST ? (uint32_t)left_over : ANNE_TAPS_MOST;
                join(at + c * bytes, &grid, some, acc);
                finish(pool, &count, (int32_t)outside, some, acc, y);
                y += some * (uint32_t)bytes;
            }
        }
    }
}

void anne_max_pool_s8(const anne_pool_t *pool, const int8_t *x, int8_t *y) {
    sweep(pool, (const uint8_t *)x, sizeof *x, anne_most_s8, max_s8, (uint8_t *)y);
    limit_words(pool, x, y);
}

void anne_max_pool_s16(const anne_pool_t *pool, const int16_t *x, int16_t *y) {
    sweep(pool, (const uint8_t *)x, sizeof *x, anne_most_s16, max_s16, (uint8_t *)y);
}

void anne_max_pool_f32(const anne_pool_t *pool, const float *x, float *y) {
    sweep(pool, (const uint8_t *)x, sizeof *x, anne_most_f32, max_f32, (uint8_t *)y);
}

void anne_average_pool_s8(const anne_pool_t *pool, const int8_t *x, int8_t *y) {
    sweep(pool, (const uint8_t *)x, sizeof *x, anne_sum_s8, mean_s8, (uint8_t *)y);
    limit_words(pool, x, y);
}

void anne_average_pool_s16(const anne_pool_t *pool, const int16_t *x, int16_t *y) {
    sweep(pool, (const uint8_t *)x, sizeof *x, anne_sum_s16, mean_s16, (uint8_t *)y);
}

void anne_average_pool_f32(const anne_pool_t *pool, const float *x, float *y) {
    sweep(pool, (const uint8_t *)x, sizeof *x, anne_sum_f32, mean_f32, (uint8_t *)y);
}
