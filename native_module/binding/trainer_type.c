// How a Trainer is made: its arguments are read and proven, then its memory is allocated, in one block.
#include "trainer_type.h"

#include <string.h>

#include "activations.h"
#include "functions.h"
#include "values.h"

void py_refuse_trainer(void) {
    mp_raise_ValueError(MP_ERROR_TEXT("Trainer: arguments of a wrong type or size"));
}

// The number of `name` among n names; n if it is none of them.
static uint32_t index_of(mp_obj_t name, const py_name_t *names, uint32_t n) {
    uint32_t i = 0;
    if (!mp_obj_is_str(name)) {
        return n;
    }
    name = mp_obj_is_qstr(name) ? name : py_interned(name);
    while (i < n && name != MP_OBJ_NEW_QSTR(py_qstr(names[i]))) {
        i++;
    }
    return i;
}

// 0, which nothing here may be, for whatever is not plainly a small integer. No program runs, which might change the
// tuple that it stands in; negative ones become large.
static uint32_t whole(mp_obj_t o) {
    return mp_obj_is_small_int(o) ? MP_OBJ_SMALL_INT_VALUE(o) : 0;
}

static bool read_layers(anne_trainer_t *core, mp_obj_t sizes_in, mp_obj_t activations_in) {
    size_t n_sizes, n;
    const mp_obj_t *sizes = py_list_items(sizes_in, &n_sizes), *activations = py_list_items(activations_in, &n);
    if (n < 1 || n > ANNE_TRAINER_MOST_LAYERS || n_sizes != n + 1) {
        return false;
    }
    core->n_layers = n;
    core->sizes[0] = whole(sizes[0]);
    for (size_t i = 0; i < n; i++) {
        core->sizes[i + 1] = whole(sizes[i + 1]);
        if (!py_get_activation(activations[i], &core->activations[i])) {
            return false;
        }
    }
    return true;
}

static bool read_settings(anne_trainer_t *core, mp_obj_t settings_in) {
    size_t n;
    const mp_obj_t *settings = py_list_items(settings_in, &n);
    if (n != 6 || !mp_obj_is_int(settings[5])) {
        return false;
    }
    core->batch = whole(settings[3]);
    core->n_targets = whole(settings[4]);
    core->random = mp_obj_get_int_truncated(settings[5]);
    return py_get_float(settings[0], &core->lr) && py_get_float(settings[1], &core->momentum)
           && py_get_float(settings[2], &core->decay);
}

// Trainer(sizes, activations, loss, optimizer, (lr, momentum, decay, batch, n_targets, random_state))
static mp_obj_t trainer_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
#define ENTRY(name) NAME(name),
    static const py_name_t losses[] = {ANNE_LOSSES(ENTRY)}, optimizers[] = {ANNE_OPTIMIZERS(ENTRY)};
#undef ENTRY
    mp_arg_check_num(n_args, n_kw, 5, 5, false);
    py_need_stack(CALL_STACK_BYTES);
    anne_trainer_t core = {
        .loss = index_of(args[2], losses, ANNE_LOSS_COUNT),
        .optimizer = index_of(args[3], optimizers, ANNE_OPTIMIZER_COUNT),
    };
    if (!read_layers(&core, args[0], args[1]) || !read_settings(&core, args[4]) || !anne_trainer_valid(&core)) {
        py_refuse_trainer();
    }
    size_t n_bytes = anne_trainer_place(&core, NULL);
    trainer_t *self = mp_obj_malloc_var(trainer_t, memory, uint8_t, n_bytes, type);
    self->object.open = true;
    self->object.busy = 0;
    self->object.quick = false;
    self->core = core;
    memset(self->memory, 0, n_bytes);
    anne_trainer_place(&self->core, self->memory);
    return MP_OBJ_FROM_PTR(self);
}

#define ENTRY(name) {MP_ROM_QSTR(NAME(name)), MP_ROM_PTR(&py_trainer_##name##_obj)},
static const mp_rom_map_elem_t trainer_locals_table[] = {TRAINER_METHODS(ENTRY)};
#undef ENTRY
MP_DEFINE_CONST_DICT(py_trainer_locals, trainer_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(py_trainer_type, NAME(Trainer), MP_TYPE_FLAG_NONE, make_new, trainer_make_new, locals_dict,
                         &py_trainer_locals);
