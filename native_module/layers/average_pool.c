// The mean of what a window sees, channel by channel.
#include "kernels/activations_f32.h"
#include "kernels/pool.h"
#include "layers/checks.h"
#include "layers/windows.h"

// Behind those of all pools: whether padding counts, and how many rows of it below and columns to the right.
enum { COUNTS_PADDING = POOL_PARAMETERS, PAD_BOTTOM, PAD_RIGHT, AVERAGE_POOL_PARAMETERS };

// The most taps of a window, and the most padding behind the image: sums of int16 stay below 2^31.
#define MAX_TAPS (1 << 15)

static anne_pool_t pool_of(const anne_layer_t *layer) {
    const int32_t *parameters = layer->parameters;
    return (anne_pool_t){
        .window = anne_window_of(layer->input, layer->output, parameters),
        .limits = {layer->input->zero_point, parameters[POOL_ACT_MIN], parameters[POOL_ACT_MAX]},
        .counts_padding = parameters[COUNTS_PADDING] != 0,
        .pad_bottom = parameters[PAD_BOTTOM],
        .pad_right = parameters[PAD_RIGHT],
    };
}

static void run_average_pool_f32(const anne_layer_t *layer) {
    const anne_pool_t pool = pool_of(layer);
    anne_average_pool_f32(&pool, layer->x, layer->y);
    anne_activate_f32(layer->activation, layer->alpha, layer->y, layer->n_out);
}

static void run_average_pool_s8(const anne_layer_t *layer) {
    const anne_pool_t pool = pool_of(layer);
    anne_average_pool_s8(&pool, layer->x, layer->y);
}

static void run_average_pool_s16(const anne_layer_t *layer) {
    const anne_pool_t pool = pool_of(layer);
    anne_average_pool_s16(&pool, layer->x, layer->y);
}

static anne_status_t check_average_pool(const anne_record_t *record, anne_needs_t *needs) {
    (void)needs;
    anne_status_t status = anne_check_pool(record, AVERAGE_POOL_PARAMETERS);
    if (status != ANNE_OK) {
        return status;
    }
    const int32_t *parameters = record->parameters; // kernels of up to 2^15 a side
    int32_t counts = parameters[COUNTS_PADDING], most = counts == 1 ? MAX_TAPS : 0;
    bool good = counts >= 0 && counts <= 1 && parameters[PAD_BOTTOM] >= 0 && parameters[PAD_BOTTOM] <= most
                && parameters[PAD_RIGHT] >= 0 && parameters[PAD_RIGHT] <= most
                && parameters[WINDOW_KERNEL_H] * parameters[WINDOW_KERNEL_W] <= MAX_TAPS;
    return good ? ANNE_OK : ANNE_ERROR_PARAMETER;
}

static anne_layer_run_t *choose_average_pool(const anne_record_t *record) {
    return anne_run_of(record, run_average_pool_f32, run_average_pool_s8, run_average_pool_s16);
}

const anne_layer_kind_t anne_average_pool = {
    .check = check_average_pool,
    .run = choose_average_pool,
};
