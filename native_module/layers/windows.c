// How the windows of convolutions and pools lie.
#include "layers/windows.h"

#include "layers/checks.h"

// The most that a window, a stride, a dilation or a pad may be, so that products of two do not wrap.
#define MAX_SIDE (1 << 15)

anne_window_t anne_window_of(const anne_tensor_t *x, const anne_tensor_t *y, const int32_t *parameters) {
    uint32_t columns = x->rank - 2u; // the axis of columns; that of rows is before it, if there is one
    return (anne_window_t){
        .in_h = columns == 0 ? 1 : (int32_t)x->shape[0],
        .in_w = (int32_t)x->shape[columns],
        .channels = (int32_t)x->shape[columns + 1],
        .out_h = columns == 0 ? 1 : (int32_t)y->shape[0],
        .out_w = (int32_t)y->shape[columns],
        .kernel_h = parameters[WINDOW_KERNEL_H],
        .kernel_w = parameters[WINDOW_KERNEL_W],
        .stride_h = parameters[WINDOW_STRIDE_H],
        .stride_w = parameters[WINDOW_STRIDE_W],
        .dilation_h = parameters[WINDOW_DILATION_H],
        .dilation_w = parameters[WINDOW_DILATION_W],
        .pad_top = parameters[WINDOW_PAD_TOP],
        .pad_left = parameters[WINDOW_PAD_LEFT],
    };
}

uint32_t anne_window_taps(const anne_window_t *window) {
    return (uint32_t)window->out_h * (uint32_t)window->out_w * (uint32_t)window->kernel_h * (uint32_t)window->kernel_w;
}

// One axis of sizes up to 2^20, with parameters up to MAX_SIDE: no product wraps in 64 bits.
static bool axis_good(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t dilation, int32_t pad) {
    int64_t reach = (int64_t)(kernel - 1) * dilation, last = (int64_t)(out - 1) * stride - pad;
    return reach < ANNE_MAX_ELEMENTS && pad <= reach && last < in;
}

anne_status_t anne_check_window_words(const anne_record_t *record) {
    const anne_tensor_t *x = record->input, *y = record->output;
    if (x->rank < 2 || x->rank > 3 || x->rank != y->rank) {
        return ANNE_ERROR_SHAPE;
    }
    for (uint32_t i = 0; i < WINDOW_PARAMETERS; i++) {
        int32_t least = i < WINDOW_PAD_TOP ? 1 : 0;
        if (record->parameters[i] < least || record->parameters[i] > MAX_SIDE) {
            return ANNE_ERROR_PARAMETER;
        }
    }
    return ANNE_OK;
}

anne_status_t anne_check_window(const anne_record_t *record, uint64_t per_tap) {
    anne_status_t status = anne_check_window_words(record);
    if (status != ANNE_OK) {
        return status;
    }
    const anne_window_t w = anne_window_of(record->input, record->output, record->parameters);
    if (!axis_good(w.in_h, w.out_h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top)
        || !axis_good(w.in_w, w.out_w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left)) {
        return ANNE_ERROR_SHAPE;
    }
    // out_h out_w <= 2^20 and kernel_h kernel_w <= 2^30; what is left is at most 2^28, and so is per_tap
    uint64_t taps = (uint64_t)w.out_h * (uint64_t)w.out_w * ((uint64_t)w.kernel_h * (uint64_t)w.kernel_w);
    return taps <= ANNE_MAX_STEPS && per_tap <= ANNE_MAX_STEPS && taps * per_tap <= ANNE_MAX_STEPS ? ANNE_OK
                                                                                                   : ANNE_ERROR_SHAPE;
}

// Of a window that lies right. Begun inside the image, it has a tap there; begun before it, one follows within a step
// of dilation.
static bool axis_seen(int32_t in, int32_t dilation, int32_t pad) {
    return pad == 0 || dilation <= in;
}

anne_status_t anne_check_pool(const anne_record_t *record, uint32_t n_parameters) {
    if (anne_check_counts(record, 0, n_parameters) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    const anne_tensor_t *x = record->input, *y = record->output;
    if (!anne_same_values(x, y)) {
        return ANNE_ERROR_SHAPE;
    }
    anne_status_t status = anne_check_window(record, anne_last_axis(x));
    if (status != ANNE_OK) {
        return status;
    }
    const anne_window_t w = anne_window_of(x, y, record->parameters);
    if (anne_last_axis(y) != anne_last_axis(x) || !axis_seen(w.in_h, w.dilation_h, w.pad_top)
        || !axis_seen(w.in_w, w.dilation_w, w.pad_left)) {
        return ANNE_ERROR_SHAPE;
    }
    return anne_activation_good(record)
                   && anne_limits_good(y->dtype, record->parameters[POOL_ACT_MIN], record->parameters[POOL_ACT_MAX])
               ? ANNE_OK
               : ANNE_ERROR_PARAMETER;
}
