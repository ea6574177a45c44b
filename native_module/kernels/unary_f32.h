// Functions of one float. Domains and limits as NumPy: ln 0 = -inf, 1 / sqrt(0) = inf with its sign, NaN of negative
// values; e^x beyond the floats is inf, below the normal ones 0. NaN in gives NaN out; denormals count as 0. `alpha` is
// ignored: it makes them activations.
#ifndef ANNE_UNARY_F32_H
#define ANNE_UNARY_F32_H

float anne_exp_f32(float x, float alpha);   // within 5e-7 of e^x, relative
float anne_log_f32(float x, float alpha);   // within 2e-7 of ln x, relative, near 1, too
float anne_sqrt_f32(float x, float alpha);  // correctly rounded
float anne_rsqrt_f32(float x, float alpha); // within 2e-7 of 1 / sqrt(x), relative

#endif // ANNE_UNARY_F32_H
