// Activations of integers: look-ups in tables the converter made, and softmax from a table of exponentials. No
// floating point, so every backend gives the same bits; host_tools/anne_tools/layers/tables.py makes the tables.
#ifndef ANNE_TABLES_H
#define ANNE_TABLES_H

#include <stddef.h>
#include <stdint.h>

#define ANNE_TABLE_S16_ENTRIES 513
#define ANNE_SOFTMAX_S8_MAX    511   // elements for which every shift stays below 32
#define ANNE_SOFTMAX_S16_MAX   65536 // elements for which the sum stays below 2^31
#define ANNE_LOG_SOFTMAX_MAX   4095  // elements for which the sum stays below 2^31

// y[i] = table[x[i] + 128]; table of 256; y may be x.
void anne_table_s8(const int8_t *table, const int8_t *x, size_t n, int8_t *y);

// y[i] = a straight line between two of 513 entries, 128 inputs apart (FORMAT.md, "Activations"); y may be x.
void anne_table_s16(const int16_t *table, const int16_t *x, size_t n, int16_t *y);

// TensorFlow Lite Micro's int8 softmax, bit for bit: exponentials[d] = e^(-d scale) with 31 bits behind the point, all
// >= 0 and exponentials[0] = 2^31 - 1; 1 <= n <= ANNE_SOFTMAX_S8_MAX; y has scale 1/256 and zero point -128.
void anne_softmax_s8(const int32_t *exponentials, const int8_t *x, size_t n, int8_t *y);

// y[i] = e_i / sum of e, with e from 513 exponentials of 15 bits, 128 inputs apart, all >= 0 and the first 32767; y has
// scale 1/32768. 1 <= n <= ANNE_SOFTMAX_S16_MAX: the sum is below 2^31.
void anne_softmax_s16(const int16_t *exponentials, const int16_t *x, size_t n, int16_t *y);

// TensorFlow Lite Micro's int8 log_softmax, bit for bit, from tables over d, the distance from the maximum: table[d] =
// e^(-d scale) with 19 bits behind the point, 0 to 2^19, table[0] = 2^19; table[256 + d] = -d scale with 26 of them,
// -2^30 to 0. 1 <= n <= ANNE_LOG_SOFTMAX_MAX; y has scale 1/16 and zero point 127.
void anne_log_softmax_s8(const int32_t *table, const int8_t *x, size_t n, int8_t *y);

#endif // ANNE_TABLES_H
