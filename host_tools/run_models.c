// Runs model files on a bare processor core under QEMU, a Cortex-M33 or RISC-V: from the file "request" to the file
// "reply", by semihosting.
//
// request: for each model a word with the file's bytes, a word with the number of samples, to which OWN is added if the
// weights may be rewritten (repack.h), the file, the samples as they stand in the arena. reply: for each model a word
// with the status of the loader and, if that is 0, one with the bytes of the workspace, for each sample a word with the
// ticks of each layer and the outputs; then a word with the ticks of the first layer's sums alone, see `kernel_ticks`.
// Then one word more: the bits of a sum of a product, see `fused`.
//
// With -DPLAIN_LOOPS a model may be a product by the loops of benchmark/plain.c instead: a word above all sizes, PLAIN,
// and words with the bytes of a number, of the sums' kind, n_in and n_out; weights, bias and x. Of that the reply is a
// word with the ticks, and the sums. Or a layer by those of benchmark/plain_layers.c: PLAIN_LAYER, and words with its
// number in `layers`, the bytes of weights, of bias, of x and of the result, and the image; weights, or another
// operand, bias and x. Of that the reply is a word with the ticks, and the result.
#include <stddef.h>
#include <stdint.h>

#include "kernels/dense_s16.h"
#include "kernels/dense_s4.h"
#include "kernels/dense_s8.h"
#include "layers/layouts.h"
#include "model.h"
#include "repack.h"
#include "semihosting.h"

#define OWN 0x80000000

#define ROOM (1 << 20)
static uint8_t bytes[ROOM] __attribute__((aligned(4)));
static uint8_t workspace[ROOM] __attribute__((aligned(4)));
static uint8_t sample[ROOM] __attribute__((aligned(4)));

#ifdef __riscv
// Instructions, downwards.
static uint32_t ticks_left(void) {
    uint32_t done;
    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrr %0, minstret\n.option pop" : "=r"(done));
    return 0u - done;
}
#else
// A timer of 32 bits of the board, downwards at 20 MHz: with QEMU's -icount a tick is so many instructions.
#define TIMER_CTRL   (*(volatile uint32_t *)0x50000000)
#define TIMER_VALUE  (*(volatile uint32_t *)0x50000004)
#define TIMER_RELOAD (*(volatile uint32_t *)0x50000008)

static uint32_t ticks_left(void) {
    return TIMER_VALUE;
}
#endif

#ifdef ANNE_REPACKS
// As below, of rewritten weights.
static uint32_t repacked_ticks(const anne_layer_t *layer, int32_t layout, int32_t *scratch, int32_t *acc) {
    const void *weights = layer->constants[0], *bias = layer->constants[1];
    const uint32_t n_in = layer->n_in, n_out = layer->n_out, start = ticks_left();
    if (layout == ANNE_LAYOUT_s8_quad) {
        anne_dense_s8_rows(weights, n_out, 0, bias, layer->x, n_in, n_out, scratch, acc);
    } else if (layout == ANNE_LAYOUT_s16) {
        anne_dense_s16_repacked(weights, bias, layer->x, n_in, n_out, scratch, acc);
    } else {
        return 0;
    }
    return start - ticks_left();
}
#endif

// What the sums of a dense layer on integers take, at the end of the workspace; 0 for other layers, and for those whose
// sums are made in bands.
static uint32_t kernel_ticks(const anne_model_t *model) {
    const anne_layer_t *layer = model->workspace;
    anne_record_t record;
    uint32_t position = 0, n_in = anne_tensor_elements(layer->input), n_out = layer->n_out;
    anne_model_next_record(model, &position, &record);
    if (record.kind != ANNE_KIND_dense || n_out > 320 || n_in > 4096) {
        return 0;
    }
    int32_t *acc = (int32_t *)(void *)(workspace + ROOM / 2), *scratch = acc + 1024;
    const void *weights = layer->constants[0], *bias = layer->constants[1];
    uint32_t start = ticks_left();
#ifdef ANNE_REPACKS
    if (layer->run != anne_dense.run(&record)) {
        return repacked_ticks(layer, record.parameters[0], scratch, acc);
    }
#endif
    switch (record.parameters[0]) {
    case ANNE_LAYOUT_s8_quad:
        anne_dense_s8_quad(weights, bias, layer->x, n_in, n_out, scratch, acc);
        break;
    case ANNE_LAYOUT_s4:
        anne_dense_s4(weights, bias, layer->x, n_in, n_out, *(const uint32_t *)layer->constants[3], scratch, acc);
        break;
    case ANNE_LAYOUT_s16:
        anne_dense_s16(weights, bias, layer->x, n_in, n_out, scratch, acc);
        break;
    default:
        return 0;
    }
    return start - ticks_left();
}

#ifdef PLAIN_LOOPS
#include "peers.h"

#define PLAIN 0xffffffff

static bool run_plain(uint32_t request, uint32_t reply) {
    uint32_t words[4]; // bytes of a number, whether it is a float, n_in, n_out
    read_bytes(request, words, sizeof words);
    const uint32_t n_in = words[2], n_out = words[3];
    if (n_in * n_out * words[0] > ROOM || n_out * 4 > ROOM / 2 || !read_bytes(request, bytes, n_in * n_out * words[0])
        || !read_bytes(request, workspace, n_out * 4) || !read_bytes(request, sample, n_in * words[0])) {
        return false;
    }
    void *out = workspace + ROOM / 2, *bias = workspace, *weights = bytes, *x = sample;
    uint32_t start = ticks_left();
    if (words[1]) {
        bench_plain_f32(weights, bias, x, n_in, n_out, out);
    } else if (words[0] == 2) {
        bench_plain_s16(weights, bias, x, n_in, n_out, out);
    } else {
        bench_plain_s8(weights, bias, x, n_in, n_out, out);
    }
    uint32_t ticks = start - ticks_left();
    write_bytes(reply, &ticks, sizeof ticks);
    write_bytes(reply, out, n_out * 4);
    return true;
}

#include "plain_layers.h"

#define PLAIN_LAYER 0xfffffffe

// Each for int8, int16, float32.
#define ALL(name) (void *)name##_s8, (void *)name##_s16, (void *)name##_f32
static void *const layers[] = {ALL(bench_conv),     ALL(bench_depthwise), ALL(bench_add),
                               ALL(bench_multiply), ALL(bench_max),       ALL(bench_mean)};
enum { WEIGHTED = 6, JOINED = 12 }; // where sums of weights end, and what joins two operands

static bool run_plain_layer(uint32_t request, uint32_t reply) {
    uint32_t words[5];
    bench_image_t image;
    read_bytes(request, words, sizeof words);
    read_bytes(request, &image, sizeof image);
    void *bias = workspace, *out = workspace + ROOM / 2;
    if (words[0] >= sizeof layers / sizeof *layers || words[1] > ROOM || words[2] > ROOM / 2 || words[3] > ROOM
        || words[4] > ROOM / 2 || !read_bytes(request, bytes, words[1]) || !read_bytes(request, bias, words[2])
        || !read_bytes(request, sample, words[3])) {
        return false;
    }
    uint32_t start = ticks_left();
    if (words[0] < WEIGHTED) {
        void (*run)(const bench_image_t *, const void *, const void *, const void *, void *) = layers[words[0]];
        run(&image, bytes, bias, sample, out);
    } else if (words[0] < JOINED) {
        void (*run)(const void *, const void *, int32_t, void *) = layers[words[0]];
        run(bytes, sample, image.side * image.side * image.channels, out);
    } else {
        void (*run)(const bench_image_t *, const void *, void *) = layers[words[0]];
        run(&image, sample, out);
    }
    uint32_t ticks = start - ticks_left();
    write_bytes(reply, &ticks, sizeof ticks);
    write_bytes(reply, out, words[4]);
    return true;
}
#endif

static bool run_model(uint32_t request, uint32_t reply) {
    uint32_t counts[2]; // bytes, samples
    if (!read_bytes(request, counts, sizeof counts[0])) {
        return false;
    }
#ifdef PLAIN_LOOPS
    if (counts[0] == PLAIN) {
        return run_plain(request, reply);
    }
    if (counts[0] == PLAIN_LAYER) {
        return run_plain_layer(request, reply);
    }
#endif
    if (!read_bytes(request, &counts[1], sizeof counts[1]) || counts[0] > ROOM
        || !read_bytes(request, bytes, counts[0])) {
        return false;
    }
    anne_model_t model;
    uint32_t status = anne_model_open(&model, bytes, counts[0]);
    write_bytes(reply, &status, sizeof status);
    if (status != ANNE_OK || model.workspace_bytes > ROOM) {
        return false;
    }
    write_bytes(reply, &model.workspace_bytes, sizeof model.workspace_bytes);
    model.workspace = workspace;
    anne_model_prepare(&model);
    if (counts[1] & OWN) {
        anne_model_repack(&model);
    }
    uint32_t x_bytes = anne_model_bytes(&model, ANNE_ROLE_INPUT), y_bytes = anne_model_bytes(&model, ANNE_ROLE_OUTPUT);
    for (uint32_t i = 0; i < (counts[1] & ~OWN); i++) {
        if (x_bytes > ROOM || y_bytes > ROOM || !read_bytes(request, sample, x_bytes)) {
            return false;
        }
        anne_model_put_inputs(&model, sample);
        for (uint32_t layer = 0; layer < model.n_layers; layer++) {
            uint32_t start = ticks_left();
            anne_model_run_layers(&model, layer, layer + 1);
            uint32_t ticks = start - ticks_left();
            write_bytes(reply, &ticks, sizeof ticks);
        }
        anne_model_get_outputs(&model, sample);
        write_bytes(reply, sample, y_bytes);
    }
    uint32_t ticks = kernel_ticks(&model);
    write_bytes(reply, &ticks, sizeof ticks);
    return true;
}

// (1 + 2^-12)^2 - 1 is 2^-11 with two roundings and 2^-11 + 2^-24 with one.
static float fused(void) {
    volatile float a = 1 + 0x1p-12f, c = -1;
    float x = a;
    return x * x + c;
}

int main(void) {
#ifndef __riscv
    TIMER_RELOAD = UINT32_MAX;
    TIMER_VALUE = UINT32_MAX;
    TIMER_CTRL = 1; // counts
#endif
    uint32_t request = open_file("request", 7, READ_BINARY), reply = open_file("reply", 5, WRITE_BINARY);
    while (run_model(request, reply)) {
    }
    float sum = fused();
    write_bytes(reply, &sum, sizeof sum);
    leave();
    return 0;
}
