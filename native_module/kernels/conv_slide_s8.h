// The sums of what an int8 convolution's windows see along a line of the image.
#ifndef ANNE_CONV_SLIDE_S8_H
#define ANNE_CONV_SLIDE_S8_H

#include <stdint.h>

#include "kernels/window.h"

// starts = anne_conv_start of the sums of n windows side by side, the first of which begins in row `top` and column
// `left` of x; taps outside of it count as zero_point. Windows see all channels, a multiple of 4, their columns touch,
// and the next begins in one of them or behind the last. sums: a word for each column that the windows see.
void anne_conv_slide_s8(const anne_window_t *window, int32_t zero_point, const int8_t *x, int32_t top, int32_t left,
                        uint32_t n, int32_t *sums, int32_t *starts);

#endif // ANNE_CONV_SLIDE_S8_H
