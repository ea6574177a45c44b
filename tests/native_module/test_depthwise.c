// anne_depthwise_s8 and anne_depthwise_s8_pairs against sums over the taps of every window, rescaled one by one: random
// windows, by pairs and not, weights and values at their ends, factors of all sizes.
#include "kernel_test.h"
#include "kernels/depthwise.h"
#include "kernels/depthwise_s8.h"

#define LEAST_FACTOR (1 << 30)

typedef struct {
    anne_window_t window;
    uint32_t n_out;
    int32_t zero_point_in;
    anne_output_t output;
    const int8_t *x;
    const int8_t *weights;
    const int32_t *bias;
    const anne_rescale_t *factors;
} case_t;

static int32_t sum_of(const case_t *c, int32_t y, int32_t x, int32_t o) {
    const anne_window_t *w = &c->window;
    int32_t sum = c->bias[o], channel = o / ((int32_t)c->n_out / w->channels);
    const int8_t *weights = c->weights + o * w->kernel_h * w->kernel_w;
    for (int32_t i = 0; i < w->kernel_h; i++) {
        for (int32_t j = 0; j < w->kernel_w; j++) {
            int32_t row = y * w->stride_h - w->pad_top + i * w->dilation_h;
            int32_t column = x * w->stride_w - w->pad_left + j * w->dilation_w;
            bool inside = row >= 0 && row < w->in_h && column >= 0 && column < w->in_w;
            int32_t value = inside ? c->x[(row * w->in_w + column) * w->channels + channel] : c->zero_point_in;
            sum += value * *weights++;
        }
    }
    return sum;
}

// `largest_sum` is what no sum exceeds.
static void check_layer(const case_t *c, uint32_t largest_sum) {
    const anne_window_t *w = &c->window;
    uint32_t in_pairs = anne_depthwise_s8_scratch(w);
    uint32_t n_words = in_pairs > 0 ? in_pairs : anne_depthwise_scratch(w, c->n_out, 1);
    uint32_t n_y = (uint32_t)(w->out_h * w->out_w) * c->n_out;
    int32_t *scratch = exactly(n_words * sizeof *scratch);
    int8_t *y = exactly(n_y);
    anne_approximation_t *approximation = exactly(anne_approximation_bytes(c->n_out));
    anne_approximate(c->factors, c->n_out, largest_sum, approximation);
    const anne_depthwise_t layer = {w, c->n_out, c->weights, c->bias};
    const anne_depthwise_output_t out = {c->factors, approximation, c->output};
    (in_pairs > 0 ? anne_depthwise_s8_pairs : anne_depthwise_s8)(&layer, &out, c->zero_point_in, c->x, scratch, y);
    for (uint32_t i = 0; i < n_y; i++) {
        int32_t o = (int32_t)(i % c->n_out), pixel = (int32_t)(i / c->n_out);
        int32_t sum = sum_of(c, pixel / w->out_w, pixel % w->out_w, o);
        int32_t expected = anne_requantize_one(sum, &c->factors[o], &c->output);
        CHECK(y[i] == expected, "pixel %d, channel %d: %d, expected %d of %d", pixel, o, y[i], expected, sum);
    }
    free(scratch), free(y), free(approximation);
}

static int8_t *any_bytes(uint32_t n, bool ends) {
    int8_t *bytes = exactly(n);
    for (uint32_t i = 0; i < n; i++) {
        bytes[i] = (int8_t)(ends ? any_of(0, 1) * 255 - 128 : any_of(-128, 127));
    }
    return bytes;
}

// Factors so that outputs are spread over some of int8, or, `any`, of all sizes.
static void check_values(case_t *c, bool ends, bool any) {
    uint32_t taps = (uint32_t)(c->window.kernel_h * c->window.kernel_w);
    int8_t *x = any_bytes((uint32_t)(c->window.in_h * c->window.in_w * c->window.channels), ends);
    int8_t *weights = any_bytes(c->n_out * taps, ends);
    int32_t *bias = exactly(c->n_out * sizeof *bias);
    anne_rescale_t *factors = exactly(c->n_out * sizeof *factors);
    int32_t least = any_of(-128, 127);
    c->zero_point_in = any_of(-128, 127);
    c->output = (anne_output_t){any_of(-128, 127), least, any_of(least, 127)};
    for (uint32_t o = 0; o < c->n_out; o++) {
        bias[o] = any ? any_of(-(1 << 28), 1 << 28) : any_of(-20000, 20000);
        factors[o] = (anne_rescale_t){any_of(LEAST_FACTOR, INT32_MAX), any ? any_of(-31, 3) : any_of(-10, -6)};
        factors[o].multiplier *= any_of(0, 20) > 0;
    }
    c->x = x, c->weights = weights, c->bias = bias, c->factors = factors;
    check_layer(c, (taps << 14) + (1u << 28));
    free(x), free(weights), free(bias), free(factors);
}

// Output's size and padding of one axis as window.h allows them.
static int32_t any_size(int32_t in, int32_t kernel, int32_t stride, int32_t dilation, int32_t *pad) {
    int32_t reach = (kernel - 1) * dilation, most;
    *pad = any_of(0, reach);
    most = (in - 1 + *pad) / stride + 1;
    return any_of(1, most);
}

static void check_window(bool spread, bool ends, bool any) {
    anne_window_t w = {.in_h = any_of(1, 9), .in_w = any_of(1, 12), .channels = any_of(1, 2) * (1 << any_of(0, 3))};
    w.kernel_h = any_of(1, 5), w.kernel_w = any_of(1, 7);
    w.stride_h = any_of(1, 3), w.stride_w = any_of(1, 4);
    w.dilation_h = any_of(1, 2), w.dilation_w = spread ? any_of(1, 3) : 1;
    w.out_h = any_size(w.in_h, w.kernel_h, w.stride_h, w.dilation_h, &w.pad_top);
    w.out_w = any_size(w.in_w, w.kernel_w, w.stride_w, w.dilation_w, &w.pad_left);
    if (any_of(0, 9) == 0) { // a signal that stands
        w.in_w = w.out_w = w.kernel_w = 1, w.pad_left = 0;
    }
    case_t c = {.window = w, .n_out = (uint32_t)(w.channels * any_of(1, 3))};
    check_values(&c, ends, any);
}

// So large that it is cut into bands, and four channels at once are too many.
static void check_large(int32_t in_h, int32_t in_w, int32_t channels) {
    anne_window_t w = {in_h, in_w, channels, in_h, in_w, 3, 3, 1, 1, 1, 1, 1, 1};
    case_t c = {.window = w, .n_out = (uint32_t)channels};
    check_values(&c, false, false);
}

int main(void) {
    for (uint32_t i = 0; i < 3000; i++) {
        check_window(i % 5 == 0, i % 7 == 0, i % 3 == 0);
    }
    check_large(31, 40, 4);
    check_large(20, 200, 4);
    check_large(3, 700, 2);
    check_large(1, 1500, 4);
    return 0;
}
