// Makes an allocation of MicroPython's unix port fail, the n-th from the moment when a program says
//
//     os.putenv("ANNE_FAILING_ALLOCATION", "n")
//
// up to os.putenv("ANNE_FAILING_ALLOCATION", "0"), after which the variable is "failed" or "0". For
// on_board/allocation.py; linked with --wrap for each function here.
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void *__real_gc_alloc(size_t n_bytes, unsigned flags);
void *__real_gc_realloc(void *memory, size_t n_bytes, bool allow_move);
int __real_setenv(const char *name, const char *value, int overwrite);

static long left; // 0: none is to fail
static bool failed;

static bool fails(void) {
    bool now = left > 0 && --left == 0;
    failed = failed || now;
    return now;
}

void *__wrap_gc_alloc(size_t n_bytes, unsigned flags) {
    return fails() ? NULL : __real_gc_alloc(n_bytes, flags);
}

void *__wrap_gc_realloc(void *memory, size_t n_bytes, bool allow_move) {
    return n_bytes != 0 && fails() ? NULL : __real_gc_realloc(memory, n_bytes, allow_move);
}

int __wrap_setenv(const char *name, const char *value, int overwrite) {
    if (strcmp(name, "ANNE_FAILING_ALLOCATION") == 0) {
        left = atol(value);
        value = failed ? "failed" : value;
        failed = false;
    }
    return __real_setenv(name, value, overwrite);
}
