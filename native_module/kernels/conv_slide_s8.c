// Sums of windows along a line: for each column of the image its sum over the window's lines, once, of which the
// window's columns make one sum that slides.
#include "kernels/conv_slide_s8.h"

#include "kernels/conv_rows_s8.h"

static __attribute__((noinline)) void fill(int32_t *words, int32_t n, int32_t value) {
    for (const int32_t *end = words + n; words != end;) {
        *words++ = value;
    }
}

// The sums of `count` columns, from column `left` on, over the lines of a window from line `top` on.
static void sum_columns(const anne_window_t *w, int32_t zero_point, const int8_t *x, int32_t top, int32_t left,
                        int32_t count, int32_t *sums) {
    const anne_taps_t rows = anne_taps(top, w->in_h, w->kernel_h, w->dilation_h);
    const int32_t zero = zero_point * w->channels, lines = rows.last > rows.first ? rows.last - rows.first : 0;
    const int32_t first = left < 0 ? -left : 0, end = left + count > w->in_w ? w->in_w - left : count;
    const int32_t within = first < count ? first : count, right = end > within ? end : within;
    fill(sums, within, w->kernel_h * zero);
    fill(sums + within, right - within, (w->kernel_h - lines) * zero);
    fill(sums + right, count - right, w->kernel_h * zero);
    for (int32_t i = rows.first; end > first && i < rows.last; i++) {
        int32_t row = top + i * w->dilation_h;
        anne_add_sums_s8(x + (row * w->in_w + left + first) * w->channels, (uint32_t)w->channels,
                         (uint32_t)(end - first), sums + first);
    }
}

void anne_conv_slide_s8(const anne_window_t *window, int32_t zero_point, const int8_t *x, int32_t top, int32_t left,
                        uint32_t n, int32_t *sums, int32_t *starts) {
    const int32_t kernel_w = window->kernel_w, stride_w = window->stride_w;
    const int32_t *old = sums, *next = sums + kernel_w;
    int32_t sum = 0;
    sum_columns(window, zero_point, x, top, left, (int32_t)(n - 1) * stride_w + kernel_w, sums);
    for (const int32_t *column = old; column != next; column++) {
        sum += *column;
    }
    *starts++ = anne_conv_start(sum);
    for (const int32_t *behind = starts + n - 1; starts != behind;) {
        if (stride_w == 1) {
            sum += *next++ - *old++;
        } else {
            for (const int32_t *stop = next + stride_w; next != stop;) {
                sum += *next++ - *old++;
            }
        }
        *starts++ = anne_conv_start(sum);
    }
}
