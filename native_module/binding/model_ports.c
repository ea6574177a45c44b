// Networks of several inputs or outputs: their names, and samples with an entry for each.
#include "model_ports.h"

#include <string.h>

#include "functions.h"
#include "metadata.h"
#include "model_values.h"
#include "values.h"

// --- Names

// Of inputs or outputs, one after another; `lines` are those in the file that are still to come.
typedef struct {
    anne_role_t role;
    uint32_t n, index;
    anne_entry_t lines;
} names_t;

// Where the file has no name, it is made in `space`: "output 256" at the longest.
typedef struct {
    const char *text;
    size_t n;
    char space[12];
} name_t;

static void names_begin(names_t *names, const anne_model_t *model, anne_role_t role) {
    bool input = role == ANNE_ROLE_INPUT;
    names->role = role;
    names->n = input ? model->n_inputs : model->n_outputs;
    names->index = 0;
    names->lines = anne_metadata_entry(model, input ? ANNE_TAG_input_names : ANNE_TAG_output_names);
}

static void make_name(const names_t *names, name_t *name) {
    bool input = names->role == ANNE_ROLE_INPUT;
    size_t n = input ? 5 : 6;
    memcpy(name->space, input ? "input" : "output", n);
    if (names->n > 1) {
        name->space[n++] = ' ';
        for (uint32_t unit = 100; unit > 0; unit /= 10) {
            if (names->index >= unit || unit == 1) {
                name->space[n++] = '0' + names->index / unit % 10;
            }
        }
    }
    name->text = name->space;
    name->n = n;
}

static void next_name(names_t *names, name_t *name) {
    anne_entry_t line = anne_metadata_line(names->lines, 0);
    if (line.bytes != NULL) {
        uint32_t used = line.n_bytes + 1; // with its end
        bool is_last = used > names->lines.n_bytes;
        names->lines =
            is_last ? (anne_entry_t){NULL, 0} : (anne_entry_t){line.bytes + used, names->lines.n_bytes - used};
    }
    name->text = (const char *)line.bytes;
    name->n = line.n_bytes;
    if (line.n_bytes == 0) {
        make_name(names, name);
    }
    names->index++;
}

static mp_obj_t name_str(const name_t *name) {
    return mp_obj_new_str_copy(&mp_type_str, (const byte *)name->text, name->n);
}

static mp_obj_t name_at(const anne_model_t *model, anne_role_t role, uint32_t index) {
    names_t names;
    names_begin(&names, model, role);
    name_t name;
    do {
        next_name(&names, &name);
    } while (names.index <= index);
    return name_str(&name);
}

// Of an "input" or "output", by its place among those.
static mp_obj_t model_port_name(claim_t *claimed, const mp_obj_t *args) {
    const anne_model_t *model = &claimed->model->model;
    mp_obj_t what = mp_obj_is_str(args[0]) && !mp_obj_is_qstr(args[0]) ? py_interned(args[0]) : args[0];
    bool input = what == MP_OBJ_NEW_QSTR(MP_QSTR_input);
    uint32_t index = py_get_index(args[1], input ? model->n_inputs : model->n_outputs);
    return name_at(model, input ? ANNE_ROLE_INPUT : ANNE_ROLE_OUTPUT, index);
}
METHOD(model, port_name, 2);

// --- Inputs

// The entry of that name, found without the heap that a str to look it up with would take; MP_OBJ_NULL if there is
// none.
static mp_obj_t look_up(const mp_map_t *map, const name_t *name) {
    for (size_t i = 0; i < map->alloc; i++) {
        if (mp_map_slot_is_filled(map, i) && mp_obj_is_str(map->table[i].key)) {
            size_t n;
            const char *text = mp_obj_str_get_data(map->table[i].key, &n);
            if (n == name->n && memcmp(text, name->text, n) == 0) {
                return map->table[i].value;
            }
        }
    }
    return MP_OBJ_NULL;
}

// False, with some of them put, for anything but as many entries as inputs that py_put_plain takes.
static bool put_entries(const model_t *self, mp_obj_t x) {
    const anne_model_t *model = &self->model;
    size_t n;
    mp_obj_t *items = py_list_items(x, &n);
    const mp_map_t *map = items == NULL && mp_obj_is_dict_or_ordereddict(x) ? mp_obj_dict_get_map(x) : NULL;
    if ((map == NULL ? n : map->used) != model->n_inputs) {
        return false;
    }
    names_t names;
    if (map != NULL) {
        names_begin(&names, model, ANNE_ROLE_INPUT);
    }
    uint32_t tensor = model->input;
    for (uint32_t i = 0; i < model->n_inputs; i++) {
        name_t name;
        mp_obj_t entry;
        if (map == NULL) {
            entry = items[i];
        } else {
            next_name(&names, &name);
            entry = look_up(map, &name);
        }
        values_t to = py_values_of(model, tensor);
        if (entry == MP_OBJ_NULL || !py_put_plain(&to, entry)) {
            return false;
        }
        tensor = anne_model_next(model, tensor, ANNE_ROLE_INPUT);
    }
    return true;
}

// (name, shape) of each input, as anne.values takes them.
static mp_obj_t named_inputs(const anne_model_t *model) {
    mp_obj_list_t *inputs = py_new_list(model->n_inputs);
    names_t names;
    names_begin(&names, model, ANNE_ROLE_INPUT);
    uint32_t tensor = model->input;
    for (uint32_t i = 0; i < model->n_inputs; i++) {
        name_t name;
        next_name(&names, &name);
        mp_obj_tuple_t *pair = MP_OBJ_TO_PTR(mp_obj_new_tuple(2, NULL));
        inputs->items[i] = MP_OBJ_FROM_PTR(pair);
        pair->items[0] = name_str(&name);
        pair->items[1] = py_shape_of(&model->tensors[tensor]);
        tensor = anne_model_next(model, tensor, ANNE_ROLE_INPUT);
    }
    return MP_OBJ_FROM_PTR(inputs);
}

// Puts the entries of a list of our own. Those that py_put_plain does not take are replaced by the numbers in them,
// which may run anyone's program, and that may use the model: then all are put once more.
static void put_given(claim_t *claimed, mp_obj_list_t *entries, const mp_obj_list_t *inputs) {
    const anne_model_t *model = &claimed->model->model;
    for (bool again = true; again;) {
        again = false;
        uint32_t tensor = model->input;
        for (uint32_t i = 0; i < model->n_inputs; i++) {
            values_t to = py_values_of(model, tensor);
            if (!py_put_plain(&to, entries->items[i])) {
                const mp_obj_tuple_t *input = MP_OBJ_TO_PTR(inputs->items[i]);
                mp_obj_t args[] = {entries->items[i], input->items[0], input->items[1]};
                entries->items[i] = py_call_values(claimed, MP_QSTR_sample_of_input, MP_ARRAY_SIZE(args), args);
                again = true;
            }
            tensor = anne_model_next(model, tensor, ANNE_ROLE_INPUT);
        }
    }
}

mp_obj_t py_put_inputs(claim_t *claimed, mp_obj_t x, qstr name) {
    if (put_entries(claimed->model, x)) {
        return MP_OBJ_NULL;
    }
    mp_obj_t args[] = {x, named_inputs(&claimed->model->model)};
    mp_obj_t given = py_call_values(claimed, name, MP_ARRAY_SIZE(args), args);
    if (mp_obj_is_type(given, &mp_type_tuple)) {
        return given;
    }
    size_t n;
    if (py_list_items(given, &n) == NULL || n != claimed->model->model.n_inputs) {
        mp_raise_TypeError(MP_ERROR_TEXT("predict")); // never, unless someone has changed anne.values
    }
    mp_obj_list_t *volatile entries = MP_OBJ_TO_PTR(given), *volatile inputs = MP_OBJ_TO_PTR(args[1]); // as in predict
    put_given(claimed, entries, inputs);
    return MP_OBJ_NULL;
}

// --- Outputs

mp_obj_t py_outputs_list(const model_t *self) {
    const anne_model_t *model = &self->model;
    mp_obj_list_t *list = py_new_list(model->n_outputs);
    uint32_t tensor = model->output;
    for (uint32_t i = 0; i < model->n_outputs; i++) {
        values_t values = py_values_of(model, tensor);
        list->items[i] = py_values_list(&values);
        tensor = anne_model_next(model, tensor, ANNE_ROLE_OUTPUT);
    }
    return MP_OBJ_FROM_PTR(list);
}

NORETURN void py_refuse_out(const values_t *from, mp_obj_t out, mp_obj_t name) {
    mp_obj_t args[] = {out, mp_obj_new_int(from->n), mp_obj_new_str(&from->letter, 1), name};
    py_call("anne.values", MP_QSTR_refuse_out, MP_ARRAY_SIZE(args), args); // raises
    mp_raise_TypeError(MP_ERROR_TEXT("predict_into: out"));
}

static NORETURN void refuse_outs(const anne_model_t *model, mp_obj_t outs) {
    mp_obj_list_t *list = py_new_list(model->n_outputs);
    names_t names;
    names_begin(&names, model, ANNE_ROLE_OUTPUT);
    for (uint32_t i = 0; i < model->n_outputs; i++) {
        name_t name;
        next_name(&names, &name);
        list->items[i] = name_str(&name);
    }
    mp_obj_t args[] = {outs, MP_OBJ_FROM_PTR(list)};
    py_call("anne.values", MP_QSTR_refuse_outs, MP_ARRAY_SIZE(args), args); // raises
    mp_raise_TypeError(MP_ERROR_TEXT("predict_into: out"));
}

void py_write_outputs(const model_t *self, mp_obj_t outs, bool write) {
    const anne_model_t *model = &self->model;
    size_t n;
    mp_obj_t *items = py_list_items(outs, &n);
    if (n != model->n_outputs) {
        refuse_outs(model, outs);
    }
    for (int writing = 0; writing <= write; writing++) {
        uint32_t tensor = model->output;
        for (uint32_t i = 0; i < n; i++) {
            values_t from = py_values_of(model, tensor);
            target_t target;
            if (!py_target_get(&from, items[i], &target)) {
                py_refuse_out(&from, items[i], name_at(model, ANNE_ROLE_OUTPUT, i));
            }
            if (writing) {
                py_target_write(&target, &from);
            }
            tensor = anne_model_next(model, tensor, ANNE_ROLE_OUTPUT);
        }
    }
}
