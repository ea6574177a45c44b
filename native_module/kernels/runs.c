// A window's rows lie apart in an image, but in a row the pixels touch, if neither dilation nor groups take them apart:
// three runs are all that a window of 3 by 3 sees. What is left and right of the image makes runs of its own.
#include "kernels/runs.h"

#include <string.h>

typedef struct {
    anne_run_t *next;
    uint32_t panel;
    uint32_t left; // in the panel
} writer_t;

static void end_panel(writer_t *writer) {
    *writer->next++ = (anne_run_t){0};
    writer->left = writer->panel;
}

static void append(writer_t *writer, int32_t at, uint32_t n) {
    while (n > 0) {
        uint32_t part = n < writer->left ? n : writer->left;
        *writer->next++ = (anne_run_t){.at = at, .n = part};
        n -= part;
        at = at == ANNE_OUTSIDE ? at : at + (int32_t)part;
        writer->left -= part;
        if (writer->left == 0) {
            end_panel(writer);
        }
    }
}

// One row of the window, whose first tap is pixel `first` of the image, or would be. Only of those inside it is there
// an element whose number fits 32 bits.
static void append_row(writer_t *writer, const anne_window_t *window, anne_taps_t inside, uint32_t n, int32_t first) {
    append(writer, ANNE_OUTSIDE, (uint32_t)inside.first * n);
    if (window->dilation_w == 1 && window->channels == (int32_t)n) {
        append(writer, (first + inside.first) * window->channels, (uint32_t)(inside.last - inside.first) * n);
    } else {
        for (int32_t j = inside.first; j < inside.last; j++) {
            append(writer, (first + j * window->dilation_w) * window->channels, n);
        }
    }
    append(writer, ANNE_OUTSIDE, (uint32_t)(window->kernel_w - inside.last) * n);
}

uint32_t anne_window_runs(const anne_window_t *window, uint32_t n, int32_t top, int32_t left, uint32_t panel,
                          anne_run_t *runs) {
    writer_t writer = {runs, panel, panel};
    anne_taps_t rows = anne_taps(top, window->in_h, window->kernel_h, window->dilation_h);
    anne_taps_t columns = anne_taps(left, window->in_w, window->kernel_w, window->dilation_w);
    for (int32_t i = 0; i < window->kernel_h; i++) {
        if (i < rows.first || i >= rows.last) {
            append(&writer, ANNE_OUTSIDE, (uint32_t)window->kernel_w * n);
        } else {
            int32_t row = (top + i * window->dilation_h) * window->in_w;
            append_row(&writer, window, columns, n, row + left);
        }
    }
    if (writer.left != panel) {
        end_panel(&writer);
    }
    return (uint32_t)(writer.next - runs);
}

void anne_gather(const anne_run_t *runs, uint32_t n_runs, const void *x, uint32_t bytes, int8_t fill, void *seen) {
    uint8_t *next = seen;
    for (uint32_t i = 0; i < n_runs; i++) {
        uint32_t n = runs[i].n * bytes;
        if (runs[i].at == ANNE_OUTSIDE) {
            memset(next, fill, n);
        } else {
            memcpy(next, (const uint8_t *)x + (uint32_t)runs[i].at * bytes, n);
        }
        next += n;
    }
}
