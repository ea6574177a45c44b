// Values limited to two constants: hardtanh, relus with a maximum, minimum and maximum with a number.
#include "kernels/arithmetic_f32.h"
#include "layers/checks.h"

// Parameters: the least and the greatest value as the type has them, floats by their bits.
enum { CLIP_LEAST, CLIP_MOST, CLIP_PARAMETERS };

// Floats in the order of integers: negative ones as minus their other bits, so that -0 and 0 are one.
static inline int32_t key_of(uint32_t bits) {
    int32_t magnitude = (int32_t)(bits & 0x7fffffff);
    return bits >> 31 ? -magnitude : magnitude;
}

static inline bool is_nan(uint32_t bits) {
    return bits << 1 > 0xff000000;
}

static void run_f32(const anne_layer_t *layer) {
    uint32_t least = (uint32_t)layer->parameters[CLIP_LEAST], most = (uint32_t)layer->parameters[CLIP_MOST];
    int32_t least_key = key_of(least), most_key = key_of(most);
    const float *x = layer->x;
    float *y = layer->y;
    for (uint32_t i = 0; i < layer->n_out; i++) {
        uint32_t bits = anne_bits_of(anne_normal_f32(x[i]));
        int32_t key = key_of(bits);
        bool stays = is_nan(bits) || (least_key <= key && key <= most_key);
        y[i] = anne_normal_f32(anne_float_of(stays ? bits : key < least_key ? least : most));
    }
}

static inline int32_t limited(int32_t q, const int32_t *parameters) {
    return q < parameters[CLIP_LEAST] ? parameters[CLIP_LEAST] : q > parameters[CLIP_MOST] ? parameters[CLIP_MOST] : q;
}

static void run_s8(const anne_layer_t *layer) {
    const int8_t *x = layer->x;
    int8_t *y = layer->y;
    for (uint32_t i = 0; i < layer->n_out; i++) {
        y[i] = (int8_t)limited(x[i], layer->parameters);
    }
}

static void run_s16(const anne_layer_t *layer) {
    const int16_t *x = layer->x;
    int16_t *y = layer->y;
    for (uint32_t i = 0; i < layer->n_out; i++) {
        y[i] = (int16_t)limited(x[i], layer->parameters);
    }
}

static anne_status_t check_clip(const anne_record_t *record, anne_needs_t *needs) {
    (void)needs;
    const anne_tensor_t *x = record->input, *y = record->output;
    if (anne_check_counts(record, 0, CLIP_PARAMETERS) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    if (!anne_same_values(x, y) || !anne_same_shape(x, y)) {
        return ANNE_ERROR_SHAPE;
    }
    int32_t least = record->parameters[CLIP_LEAST], most = record->parameters[CLIP_MOST];
    if (x->dtype == ANNE_FLOAT32) {
        bool good = anne_float_of((uint32_t)least) <= anne_float_of((uint32_t)most); // not if one is NaN
        return good ? ANNE_OK : ANNE_ERROR_PARAMETER;
    }
    return anne_limits_good(x->dtype, least, most) ? ANNE_OK : ANNE_ERROR_PARAMETER;
}

static anne_layer_run_t *choose_clip(const anne_record_t *record) {
    return anne_run_of(record, run_f32, run_s8, run_s16);
}

const anne_layer_kind_t anne_clip = {
    .check = check_clip,
    .run = choose_clip,
    .place = ANNE_PLACE_IN_PLACE,
};
