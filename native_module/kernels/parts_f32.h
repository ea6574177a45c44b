// Floats taken apart, and what training computes of them: products with a matrix, its transpose, and outer products.
#ifndef ANNE_PARTS_F32_H
#define ANNE_PARTS_F32_H

#include <stdbool.h>
#include <stdint.h>

// x = (high 2^9 + low) 2^(exponent - 150): high with the sign, 15 bits; low 9 bits, exponent in front of it in `rest`.
typedef struct {
    int32_t high;
    uint32_t rest; // exponent 2^16 + low
} anne_parts_f32_t;

#define ANNE_PARTS_NOTHING (-1000) // the exponent of 0 and of denormals: far below every product that counts

// The parts of x[0..n-1], n >= 1; false if one of them is NaN or infinite.
bool anne_take_apart_f32(const float *x, uint32_t n, anne_parts_f32_t *parts);

typedef struct {
    const float *weights;
    uint32_t column_bytes, row_bytes; // from a weight to that of the next x, and of the next output
    const anne_parts_f32_t *x, *x_end;
    const float *bias; // or NULL
    float *out, *out_end;
    uint32_t relu;     // 1: what is below 0 becomes 0; else 0
    const float *live; // unless NULL: only outputs r with live[r] > 0 are computed, others 0; without bias
} anne_dots_f32_t;

// out[r] = bias[r] + the sum over j of weights[r][j] x[j], at least one of both. Off from the exact sum by at most
// (n + 1) 2^-27 times the largest product, partial sum or bias, and 2^-24 of itself, for n x. NaN where a weight or the
// bias is NaN or infinite.
void anne_dots_f32(const anne_dots_f32_t *dots);

// y[r][j] += rows[r] x[j] and, unless bias is NULL, bias[r] += rows[r]; y (n_rows, n) row-major, n and n_rows at
// least 1. Off by at most 33/64 of the last place of the greater of y and the result, and 2^-27 of the product. What is
// not finite in y stays so, what comes beyond the floats is infinite; denormals count as 0, and become 0.
void anne_add_outer_f32(float *y, const anne_parts_f32_t *rows, uint32_t n_rows, const anne_parts_f32_t *x, uint32_t n,
                        float *bias);

// m 2^e rounded to a float, as anne_scaled_f32 of align_f32.h.
float anne_narrowed_f32(int32_t m, int32_t e);

// y += a x for n of each; y becomes NaN if a is not finite, and beside an x that is not.
void anne_add_scaled_f32(float *y, const float *x, uint32_t n, float a);

#endif // ANNE_PARTS_F32_H
