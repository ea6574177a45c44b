// A tensor in the middle of a larger one: worked by hand, and against a loop over all elements of random shapes.
#include "kernel_test.h"
#include "kernels/pad.h"

#define MOST 4096

// What stands at element `i` of y, one axis after another from the last.
static int32_t expected_at(const anne_pad_t *pad, const int32_t *x, int32_t value, uint32_t i) {
    uint32_t at = 0, step = 1;
    for (int32_t axis = ANNE_PAD_AXES - 1; axis >= 0; axis--) {
        uint32_t place = i % pad->out[axis];
        i /= pad->out[axis];
        if (place < pad->before[axis] || place >= pad->before[axis] + pad->in[axis]) {
            return value;
        }
        at += (place - pad->before[axis]) * step;
        step *= pad->in[axis];
    }
    return x[at];
}

static void check(const anne_pad_t *pad, uint32_t n_in, uint32_t n_out, int32_t value) {
    static int32_t x[MOST], y[MOST];
    static int16_t x16[MOST], y16[MOST];
    static int8_t x8[MOST], y8[MOST];
    for (uint32_t i = 0; i < n_in; i++) {
        x[i] = any_of(-128, 127);
        x16[i] = (int16_t)x[i];
        x8[i] = (int8_t)x[i];
    }
    anne_pad_any(pad, x, sizeof x[0], (uint32_t)value, y);
    anne_pad_any(pad, x16, sizeof x16[0], (uint32_t)value, y16);
    anne_pad_any(pad, x8, sizeof x8[0], (uint32_t)value, y8);
    for (uint32_t i = 0; i < n_out; i++) {
        int32_t expected = expected_at(pad, x, value, i);
        CHECK(y[i] == expected && y16[i] == expected && y8[i] == expected, "element %u of %u: %d, %d, %d, not %d", i,
              n_out, y[i], y16[i], y8[i], expected);
    }
}

static void check_by_hand(void) { // 1 2 3 / 4 5 6 with two rows above, one below, a column on the left
    static const anne_pad_t pad = {{1, 1, 2, 3}, {1, 1, 5, 4}, {0, 0, 2, 1}};
    static const int8_t x[] = {1, 2, 3, 4, 5, 6};
    static const int8_t expected[] = {9, 9, 9, 9, 9, 9, 9, 9, 9, 1, 2, 3, 9, 4, 5, 6, 9, 9, 9, 9};
    int8_t y[20];
    anne_pad_any(&pad, x, 1, 9, y);
    for (uint32_t i = 0; i < 20; i++) {
        CHECK(y[i] == expected[i], "element %u: %d, not %d", i, y[i], expected[i]);
    }
}

int main(void) {
    check_by_hand();
    for (uint32_t n = 0; n < 2000; n++) {
        anne_pad_t pad;
        uint32_t n_in = 1, n_out = 1;
        for (uint32_t axis = 0; axis < ANNE_PAD_AXES; axis++) {
            pad.in[axis] = (uint32_t)any_of(1, 5);
            pad.before[axis] = (uint32_t)any_of(0, 2);
            pad.out[axis] = pad.in[axis] + pad.before[axis] + (uint32_t)any_of(0, 1);
            n_in *= pad.in[axis];
            n_out *= pad.out[axis];
        }
        check(&pad, n_in, n_out, any_of(-128, 127));
    }
    return 0;
}
