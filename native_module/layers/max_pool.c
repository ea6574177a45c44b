// The greatest of what a window sees, channel by channel.
#include "kernels/activations_f32.h"
#include "kernels/pool.h"
#include "layers/checks.h"
#include "layers/windows.h"

static anne_pool_t pool_of(const anne_layer_t *layer) {
    const int32_t *parameters = layer->parameters;
    return (anne_pool_t){
        .window = anne_window_of(layer->input, layer->output, parameters),
        .limits = {0, parameters[POOL_ACT_MIN], parameters[POOL_ACT_MAX]},
    };
}

static void run_max_pool_f32(const anne_layer_t *layer) {
    const anne_pool_t pool = pool_of(layer);
    anne_max_pool_f32(&pool, layer->x, layer->y);
    anne_activate_f32(layer->activation, layer->alpha, layer->y, layer->n_out);
}

static void run_max_pool_s8(const anne_layer_t *layer) {
    const anne_pool_t pool = pool_of(layer);
    anne_max_pool_s8(&pool, layer->x, layer->y);
}

static void run_max_pool_s16(const anne_layer_t *layer) {
    const anne_pool_t pool = pool_of(layer);
    anne_max_pool_s16(&pool, layer->x, layer->y);
}

static anne_status_t check_max_pool(const anne_record_t *record, anne_needs_t *needs) {
    (void)needs;
    return anne_check_pool(record, POOL_PARAMETERS);
}

static anne_layer_run_t *choose_max_pool(const anne_record_t *record) {
    return anne_run_of(record, run_max_pool_f32, run_max_pool_s8, run_max_pool_s16);
}

const anne_layer_kind_t anne_max_pool = {
    .check = check_max_pool,
    .run = choose_max_pool,
};
