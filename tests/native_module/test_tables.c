// Activations of integers: tables by their definition, softmax and log_softmax against their definition in double.
#include <math.h>

#include "kernel_test.h"
#include "kernels/tables.h"

static void check_table_s8(void) {
    int8_t *table = exactly(256), *x = exactly(256), *y = exactly(256);
    for (int32_t q = -128; q <= 127; q++) {
        table[q + 128] = (int8_t)any_of(-128, 127);
        x[q + 128] = (int8_t)q;
    }
    anne_table_s8(table, x, 256, y);
    CHECK(memcmp(y, table, 256) == 0, "the table itself");
    anne_table_s8(table, x, 256, x);
    CHECK(memcmp(x, table, 256) == 0, "in place");
    free(table), free(x), free(y);
}

// Every int16 through a table; expected is the straight line in double, rounded to the nearest, halves up.
static void check_table_s16(int16_t least, int16_t most) {
    int16_t *table = exactly(513 * 2), *x = exactly(65536 * 2), *y = exactly(65536 * 2);
    for (uint32_t i = 0; i < 513; i++) {
        table[i] = (int16_t)(i % 2 && least != most ? any_of(0, 1) ? least : most : any_of(least, most));
    }
    for (int32_t i = 0; i < 65536; i++) {
        x[i] = (int16_t)(i - 32768);
    }
    anne_table_s16(table, x, 65536, y);
    for (int32_t i = 0; i < 65536; i++) {
        double from = table[i / 128], to = table[i / 128 + 1];
        double expected = from + floor((to - from) * (i % 128) / 128 + 0.5);
        CHECK(y[i] == expected, "%d: %d, expected %.0f", x[i], y[i], expected);
    }
    anne_table_s16(table, x, 65536, x);
    CHECK(memcmp(x, y, 65536 * 2) == 0, "in place");
    free(table), free(x), free(y);
}

static void check_softmax_s8(uint32_t n, double scale, int least, int most) {
    int32_t *exponentials = exactly(256 * 4);
    int8_t *x = exactly(n), *y = exactly(n);
    for (int d = 0; d < 256; d++) {
        double e = round(exp(-d * scale) * 2147483648.0);
        exponentials[d] = e > INT32_MAX ? INT32_MAX : (int32_t)e;
    }
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        x[i] = (int8_t)any_of(least, most);
        sum += exp(x[i] * scale);
    }
    anne_softmax_s8(exponentials, x, n, y);
    for (uint32_t i = 0; i < n; i++) {
        double expected = exp(x[i] * scale) / sum * 256 - 128;
        CHECK(fabs(y[i] - (expected > 127 ? 127 : expected)) <= 1, "softmax of %u, scale %g: %d, expected %.2f", n,
              scale, y[i], expected);
    }
    free(exponentials), free(x), free(y);
}

// Against its definition: half a step of rounding and what the tables and the logarithm are off, below 1e-5.
static void check_log_softmax_s8(uint32_t n, double scale, int least, int most) {
    int32_t *table = exactly(512 * 4);
    int8_t *x = exactly(n), *y = exactly(n);
    for (int d = 0; d < 256; d++) {
        table[d] = (int32_t)round(exp(-d * scale) * (1 << 19));
        table[256 + d] = (int32_t)round(fmax(-d * scale, -16) * (1 << 26));
    }
    int top = -128;
    for (uint32_t i = 0; i < n; i++) {
        x[i] = (int8_t)any_of(least, most);
        top = x[i] > top ? x[i] : top;
    }
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += table[top - x[i]] / 524288.0;
    }
    anne_log_softmax_s8(table, x, n, y);
    for (uint32_t i = 0; i < n; i++) {
        double expected = ((x[i] - top) * scale - log(sum)) * 16 + 127;
        CHECK(fabs(y[i] - fmax(expected, -128)) <= 0.501, "log_softmax of %u, scale %g: %d, expected %.3f", n, scale,
              y[i], expected);
    }
    free(table), free(x), free(y);
}

// The line between two entries is off by (128 scale)^2 / 8 at most, relative; a rounding of each entry by 1/2 of 32767.
static void check_softmax_s16(uint32_t n, double scale, int least, int most) {
    int16_t *exponentials = exactly(513 * 2), *x = exactly(n * 2), *y = exactly(n * 2);
    for (int i = 0; i < 513; i++) {
        exponentials[i] = (int16_t)round(exp(-128 * i * scale) * 32767);
    }
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        x[i] = (int16_t)any_of(least, most);
        sum += exp(x[i] * scale);
    }
    anne_softmax_s16(exponentials, x, n, y);
    double bound = 3 + 32768 * 2 * (128 * scale) * (128 * scale) / 8;
    for (uint32_t i = 0; i < n; i++) {
        double expected = exp(x[i] * scale) / sum * 32768;
        CHECK(fabs(y[i] - (expected > 32767 ? 32767 : expected)) <= bound, "softmax of %u, scale %g: %d, expected %.2f",
              n, scale, y[i], expected);
    }
    free(exponentials), free(x), free(y);
}

int main(void) {
    check_table_s8();
    check_table_s16(-32768, 32767);
    check_table_s16(-100, 100);
    check_table_s16(32767, 32767);
    check_table_s16(-32768, -32768);
    for (uint32_t n = 1; n <= 40; n++) {
        check_softmax_s8(n, 0.1, -128, 127);
        check_softmax_s8(n, 0.004, -128, 127);
        check_softmax_s8(n, 2.5, -128, 127);
        check_softmax_s8(n, 0.1, 127, 127);
        check_softmax_s8(n, 0.1, -128, -128);
        check_log_softmax_s8(n, 0.1, -128, 127);
        check_log_softmax_s8(n, 0.004, -128, 127);
        check_log_softmax_s8(n, 2.5, -128, 127);
        check_log_softmax_s8(n, 0.1, 127, 127);
        check_softmax_s16(n, 1 / 8192.0, -32768, 32767);
        check_softmax_s16(n, 1 / 1024.0, -32768, 32767);
        check_softmax_s16(n, 1 / 8192.0, 32767, 32767);
        check_softmax_s16(n, 1 / 8192.0, -32768, -32768);
    }
    check_softmax_s8(ANNE_SOFTMAX_S8_MAX, 0.05, -128, 127);
    check_softmax_s8(ANNE_SOFTMAX_S8_MAX, 0.05, 3, 3);
    check_log_softmax_s8(ANNE_LOG_SOFTMAX_MAX, 0.05, -128, 127);
    check_log_softmax_s8(ANNE_LOG_SOFTMAX_MAX, 0.05, 3, 3);
    check_softmax_s16(ANNE_SOFTMAX_S16_MAX, 1 / 8192.0, 0, 0);
    check_softmax_s16(5000, 1 / 8192.0, -32768, 32767);
    return 0;
}
