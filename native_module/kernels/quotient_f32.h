// A quotient of floats.
#ifndef ANNE_QUOTIENT_F32_H
#define ANNE_QUOTIENT_F32_H

// a / b within 1e-7, relative, the same bits on every machine; NaN, infinities and zeros as IEEE 754 has them.
// Denormals count as 0.
float anne_quotient_f32(float a, float b);

#endif // ANNE_QUOTIENT_F32_H
