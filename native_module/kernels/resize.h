// An image of another size, of the nearest pixels or of what lies between four of them.
#ifndef ANNE_RESIZE_H
#define ANNE_RESIZE_H

#include <stddef.h>
#include <stdint.h>

#define ANNE_RESIZE_ONE 1024 // the whole of a weight of integers

typedef struct {
    uint32_t in_w; // of x (in_h, in_w, channels); y is (out_h, out_w, channels), both at most 2^20 elements
    uint32_t channels;
    uint32_t out_h;
    uint32_t out_w;
    const int32_t *rows; // of x for each row of y, and columns likewise: indices that x has
    const int32_t *columns;
    const void *row_weights; // bilinear: of the next row of x, which it has where that is not 0; the other one's is 1
    const void *column_weights; // less that. Integers: int32, 0 to 1023 of 1024; floats: 0, or normal and below 1
} anne_resize_t;

// Elements of 1, 2 or 4 bytes as they are. x and y share no byte.
void anne_resize_nearest(const anne_resize_t *resize, const void *x, size_t element_bytes, void *y);

// Between rows first, then between columns, each operation rounded to float32, denormals as 0; where a weight is 0 the
// pixel as it is. `scratch` has room for in_w channels numbers, and shares no byte with others.
void anne_resize_bilinear_f32(const anne_resize_t *resize, const float *x, float *scratch, float *y);

// The exact sum, rounded to the nearest integer, halves away from zero: as TensorFlow Lite Micro does.
void anne_resize_bilinear_s8(const anne_resize_t *resize, const int8_t *x, int32_t *scratch, int8_t *y);
void anne_resize_bilinear_s16(const anne_resize_t *resize, const int16_t *x, int32_t *scratch, int16_t *y);

#endif // ANNE_RESIZE_H
