// Where a pixel of y lies in x is known of its row and of its column alone, and stands in the file: so there is no
// division here, nothing that rounds otherwise on another machine, and whatever rule a framework has is two lists.
//
// Four neighbours are weighted by products of two weights. As these are sums of products, it is the same to weight rows
// first: a row of x, or two, become one row in the scratch, of which each pixel of y takes one or two. Of integers both
// steps are exact, with 10 bits behind the point each: |x| 2^10 <= 2^25 in the scratch, for int8 2^17, and |x| 2^20 <=
// 2^35 in the sum, which for int8 is 2^27 and stays in 32 bits. As the weights are never negative and add up to 1, the
// result is between its neighbours, and so in their type.
#include "kernels/resize.h"

#include "kernels/arithmetic_f32.h"
#include "kernels/rows.h"

void anne_resize_nearest(const anne_resize_t *resize, const void *x, size_t element_bytes, void *y) {
    size_t pixel_bytes = resize->channels * element_bytes, row_bytes = resize->out_w * pixel_bytes;
    uint8_t *to = y;
    for (uint32_t i = 0; i < resize->out_h; i++, to += row_bytes) {
        if (i > 0 && resize->rows[i] == resize->rows[i - 1]) {
            anne_copy_rows(to - row_bytes, 0, to, 0, row_bytes, 1);
            continue;
        }
        const uint8_t *row = (const uint8_t *)x + (size_t)resize->rows[i] * resize->in_w * pixel_bytes;
        for (uint32_t j = 0; j < resize->out_w; j++) {
            const uint8_t *pixel = row + (size_t)resize->columns[j] * pixel_bytes;
            anne_copy_rows(pixel, 0, to + j * pixel_bytes, 0, pixel_bytes, 1);
        }
    }
}

// --- Floats ---------------------------------------------------------------------------------------------------------

static void blend_f32(const float *a, const float *b, float weight, uint32_t n, float *y) {
    float rest = anne_plus_f32(1, -weight);
    for (uint32_t k = 0; k < n; k++) {
        y[k] = anne_plus_f32(anne_times_f32(a[k], rest), anne_times_f32(b[k], weight));
    }
}

void anne_resize_bilinear_f32(const anne_resize_t *resize, const float *x, float *scratch, float *y) {
    const float *row_weights = resize->row_weights, *column_weights = resize->column_weights;
    uint32_t channels = resize->channels, n = resize->in_w * channels;
    for (uint32_t i = 0; i < resize->out_h; i++) {
        const float *row = x + (uint32_t)resize->rows[i] * n;
        if (anne_bits_of(row_weights[i]) != 0) {
            blend_f32(row, row + n, row_weights[i], n, scratch);
            row = scratch;
        }
        for (uint32_t j = 0; j < resize->out_w; j++, y += channels) {
            const float *pixel = row + (uint32_t)resize->columns[j] * channels;
            if (anne_bits_of(column_weights[j]) != 0) {
                blend_f32(pixel, pixel + channels, column_weights[j], channels, y);
            } else {
                anne_copy_rows(pixel, 0, y, 0, channels * sizeof *y, 1);
            }
        }
    }
}

// --- Integers -------------------------------------------------------------------------------------------------------

// For integers of `type` whose sums take `sum_type`.
#define BILINEAR(name, type, sum_type)                                                              \
    void name(const anne_resize_t *resize, const type *x, int32_t *scratch, type *y) {              \
        const int32_t *row_weights = resize->row_weights, *column_weights = resize->column_weights; \
        uint32_t channels = resize->channels, n = resize->in_w * channels;                          \
        for (uint32_t i = 0; i < resize->out_h; i++) {                                              \
            const type *row = x + (uint32_t)resize->rows[i] * n;                                    \
            int32_t u = row_weights[i];                                                             \
            uint32_t next_row = u != 0 ? n : 0;                                                     \
            for (uint32_t k = 0; k < n; k++) {                                                      \
                scratch[k] = (ANNE_RESIZE_ONE - u) * row[k] + u * row[k + next_row];                \
            }                                                                                       \
            for (uint32_t j = 0; j < resize->out_w; j++) {                                          \
                const int32_t *pixel = scratch + (uint32_t)resize->columns[j] * channels;           \
                sum_type v = column_weights[j];                                                     \
                uint32_t next = v != 0 ? channels : 0;                                              \
                for (uint32_t k = 0; k < channels; k++) {                                           \
                    sum_type sum = (ANNE_RESIZE_ONE - v) * pixel[k] + v * pixel[k + next];          \
                    *y++ = (type)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));            \
                }                                                                                   \
            }                                                                                       \
        }                                                                                           \
    }

BILINEAR(anne_resize_bilinear_s8, int8_t, int32_t)
BILINEAR(anne_resize_bilinear_s16, int16_t, int64_t)
