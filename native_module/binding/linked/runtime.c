// As part of a firmware: claims, Ctrl-C, stack, imports.
#include "runtime.h"

#include "py/mphal.h"
#ifdef MICROPY_HW_ENABLE_USBDEV
#include "shared/tinyusb/mp_usbd.h"
#endif

#include "claims.h"

// --- Claims

static void unclaim(void *guard) {
    ((claim_t *)guard)->object->busy = 0;
}

bool py_take(claimable_t *object) {
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION(); // the Cortex-M0+ has no other way to test and set
    bool free = !object->busy;
    if (free) { // else the other core, which may end just now, would end in vain
        object->busy = 1;
    }
    MICROPY_END_ATOMIC_SECTION(state);
    return free;
}

void py_guard(claim_t *claimed) {
    nlr_push_jump_callback(&claimed->guard, unclaim);
}

void py_release(claim_t *claimed) {
    (void)claimed;
    nlr_pop_jump_callback(true);
}

mp_obj_t py_call_claimed(claimable_t *object, method_run_t run, const mp_obj_t *args) {
    claim_t claimed;
    py_claim(&claimed, object);
    mp_obj_t result = run(&claimed, args);
    nlr_pop_jump_callback(true);
    return result;
}

// --- Ctrl-C

// Without the program's own callbacks, which wait until the call has ended.
bool py_interrupted(void) {
#ifdef MICROPY_HW_ENABLE_USBDEV
    if (MP_STATE_VM(sched_state) == MP_SCHED_PENDING && MP_STATE_VM(sched_head) != NULL && mp_thread_is_main_thread()) {
        mp_usbd_task_callback(NULL);
    }
#endif
    return MP_STATE_THREAD(mp_pending_exception) != MP_OBJ_NULL;
}

void py_raise_interrupt(void) {
    mp_handle_pending(true);
}

void py_listen_now(void) {
    if (py_interrupted()) {
        mp_handle_pending(true);
    }
}

mp_uint_t py_ticks_us(void) {
    return mp_hal_ticks_us();
}

mp_uint_t py_us_since(mp_uint_t start_us) {
    return mp_hal_ticks_us() - start_us;
}

// --- Stack, imports, names

void py_need_stack(size_t n_bytes) {
    // mp_cstack_usage() in line, as every prediction asks
    size_t usage = MP_STATE_THREAD(stack_top) - (char *)__builtin_frame_address(0);
    if (usage + n_bytes > MP_STATE_THREAD(stack_limit)) {
        mp_raise_recursion_depth();
    }
}

// A name with a point cannot be written MP_QSTR_..., which stands for names of C only.
mp_obj_t py_import(const char *name) {
    return mp_import_name(qstr_from_str(name), mp_const_true, MP_OBJ_NEW_SMALL_INT(0));
}

mp_obj_t py_interned(mp_obj_t str) {
    size_t n;
    const char *text = mp_obj_str_get_data(str, &n);
    return MP_OBJ_NEW_QSTR(qstr_find_strn(text, n));
}

mp_obj_t py_new_record(const py_name_t *names, size_t n, const mp_obj_t *items) {
    return mp_obj_new_attrtuple(names, n, items);
}
