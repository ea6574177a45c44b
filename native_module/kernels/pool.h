// The greatest or the mean of what a window sees, channel by channel.
#ifndef ANNE_POOL_H
#define ANNE_POOL_H

#include <stdbool.h>

#include "kernels/requantize.h"
#include "kernels/window.h"

// Each window has a tap inside the image: where the image is smaller than a step of dilation, nothing is padded.
typedef struct {
    anne_window_t window;
    anne_output_t limits; // of integers; zero_point is what a tap outside counts in a mean
    bool counts_padding;  // in a mean: rows and columns outside count as zeros, as many behind the image as follow
    int32_t pad_bottom;
    int32_t pad_right;
} anne_pool_t;

// y = the greatest tap inside the image, limited; of floats the tap itself, -0 below 0; NaN if there is one.
void anne_max_pool_s8(const anne_pool_t *pool, const int8_t *x, int8_t *y);
void anne_max_pool_s16(const anne_pool_t *pool, const int16_t *x, int16_t *y);
void anne_max_pool_f32(const anne_pool_t *pool, const float *x, float *y);

// y = the mean of the taps, halves away from zero, limited; of floats rounded, denormals being 0. A window of integers
// has at most 2^15 taps.
void anne_average_pool_s8(const anne_pool_t *pool, const int8_t *x, int8_t *y);
void anne_average_pool_s16(const anne_pool_t *pool, const int16_t *x, int16_t *y);
void anne_average_pool_f32(const anne_pool_t *pool, const float *x, float *y);

#endif // ANNE_POOL_H
