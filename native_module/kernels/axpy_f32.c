// y += a x on floats.
#include "kernels/axpy_f32.h"

#include "kernels/arithmetic_f32.h"

void anne_axpy_f32(float *y, const float *x, uint32_t n, float a) {
    for (uint32_t j = 0; j < n; j++) {
        y[j] = anne_plus_f32(y[j], anne_times_f32(a, x[j]));
    }
}
