// How a Model is made and closed; what it has.
#include "model_type.h"

#include <string.h>

#include "functions.h"
#include "repack.h"

mp_obj_t py_shape_of(const anne_tensor_t *tensor) {
    mp_obj_t shape[ANNE_MAX_RANK];
    for (uint32_t i = 0; i < tensor->rank; i++) {
        shape[i] = MP_OBJ_NEW_SMALL_INT(tensor->shape[i]);
    }
    return mp_obj_new_tuple(tensor->rank, shape);
}

values_t py_values_of(const anne_model_t *model, uint32_t index) {
    const anne_tensor_t *tensor = &model->tensors[index];
    return (values_t){tensor, anne_model_data(model, index), anne_tensor_elements(tensor), anne_tensor_bytes(tensor),
                      " fbh"[tensor->dtype]};
}

// Raises what anne.model_file finds wrong with `data`, the status if it finds nothing, or that it has no memory for it.
static NORETURN void refuse(anne_status_t status, mp_obj_t data) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t file = py_call("anne.model_file", MP_QSTR_ModelFile, 1, &data); // finds the same fault and says what
        (void)file;
#ifdef ANNE_DENSE_ALONE
        py_call("anne.unfit", MP_QSTR_refuse_kinds, 1, &file); // a whole file, of other kinds
#endif
        nlr_pop();
        mp_raise_msg_varg(&mp_type_ValueError,
                          MP_ERROR_TEXT("model file: weights, bias or tables of wrong size or value (status %d)"),
                          (int)status);
    }
    if (mp_obj_get_type(MP_OBJ_FROM_PTR(nlr.ret_val)) != &mp_type_MemoryError) {
        nlr_jump(nlr.ret_val);
    }
    // without a number in it, which would take memory and cost the text its end
    mp_raise_msg(&mp_type_ValueError, MP_ERROR_TEXT("model file: refused, without memory to say why"));
}

// Proves the file at `bytes`, which are those of `data`.
static void open_or_raise(anne_model_t *model, const uint8_t *bytes, size_t n_bytes, mp_obj_t data) {
    anne_status_t status = anne_model_open(model, bytes, n_bytes);
    if (status != ANNE_OK) {
        refuse(status, data);
    }
}

// Whether bytes that are used where they lie may be written, `copy` being what Model was given, or MP_OBJ_NULL.
static bool are_own(mp_obj_t copy, const void *bytes) {
#ifdef ANNE_REPACKS
    return copy == mp_const_none && (uintptr_t)bytes >= 0x20000000; // below there is flash
#else
    (void)copy, (void)bytes;
    return false;
#endif
}

// Model(data, copy=False): uses the file where it lies if it is read-only and aligned, else a copy on the heap. None
// for `copy` is False, and says that nobody else will ever look at the bytes.
static mp_obj_t model_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 2, false);
    py_need_stack(OPEN_STACK_BYTES);
    mp_buffer_info_t info, writable;
    mp_get_buffer_raise(args[0], &info, MP_BUFFER_READ);
    bool aligned = ((uintptr_t)info.buf & 3) == 0;
    bool copy =
        (n_args > 1 && mp_obj_is_true(args[1])) || !aligned || mp_get_buffer(args[0], &writable, MP_BUFFER_WRITE);
    anne_model_t model;
    if (aligned) {
        open_or_raise(&model, info.buf, info.len, args[0]); // before anything is allocated
    }
    uint8_t *bytes = NULL;
    if (copy) {
        bytes = memcpy(m_new(uint8_t, info.len), info.buf, info.len);
        open_or_raise(&model, bytes, info.len, args[0]);
    }
    model_t *self = mp_obj_malloc(model_t, type);
    self->data = copy ? mp_const_none : args[0];
    self->copy = bytes;
    self->object.busy = 0;
    self->object.quick = false;
    self->model = model;
    self->model.workspace = m_new(uint8_t, model.workspace_bytes);
    memset(self->model.workspace, 0, model.workspace_bytes);
    anne_model_prepare(&self->model);
    if (copy || are_own(n_args > 1 ? args[1] : MP_OBJ_NULL, model.bytes)) {
        anne_model_repack(&self->model);
    }
    self->input = py_values_of(&self->model, self->model.input);
    self->output = py_values_of(&self->model, self->model.output);
    self->object.open = true;
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t close_claimed(claim_t *claimed, const mp_obj_t *args) {
    (void)args;
    model_t *self = claimed->model;
    self->object.open = false;
    m_del(uint8_t, self->model.workspace, self->model.workspace_bytes);
    if (self->copy != NULL) {
        m_del(uint8_t, self->copy, self->model.n_bytes);
    }
    self->data = mp_const_none;
    self->copy = NULL;
    self->model.workspace = NULL;
    return mp_const_none;
}

static mp_obj_t model_close(mp_obj_t self_in) {
    claimable_t *self = py_own(&py_model_type, self_in);
    return self->open ? py_call_claimed(self, close_claimed, NULL) : mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(model_close_obj, model_close);

// --- Attributes

#define ENTRY(name) {MP_ROM_QSTR(NAME(name)), MP_ROM_PTR(&py_model_##name##_obj)},
static const mp_rom_map_elem_t model_locals_table[] = {
    {MP_ROM_QSTR(NAME(close)), MP_ROM_PTR(&model_close_obj)}, // not a METHOD, as a closed one may be closed again
    METHODS(ENTRY)};
#undef ENTRY
MP_DEFINE_CONST_DICT(py_model_locals, model_locals_table);

// args: whether inputs are asked for, and not outputs.
static mp_obj_t tensors_of(claim_t *claimed, const mp_obj_t *args) {
    const anne_model_t *model = &claimed->model->model;
    bool input = args[0] == mp_const_true;
    anne_role_t role = input ? ANNE_ROLE_INPUT : ANNE_ROLE_OUTPUT;
    uint32_t n = input ? model->n_inputs : model->n_outputs, tensor = input ? model->input : model->output;
    mp_obj_tuple_t *tensors = MP_OBJ_TO_PTR(mp_obj_new_tuple(n, NULL));
    for (uint32_t i = 0; i < n; i++) {
        tensors->items[i] = MP_OBJ_NEW_SMALL_INT(tensor);
        tensor = anne_model_next(model, tensor, role);
    }
    return MP_OBJ_FROM_PTR(tensors);
}

static void model_attr(mp_obj_t self_in, qstr attribute, mp_obj_t *dest) {
    model_t *self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        return; // read only
    }
    if (attribute == MP_QSTR_copied) {
        dest[0] = mp_obj_new_bool(self->copy != NULL);
    } else if (attribute == MP_QSTR_workspace_bytes) {
        dest[0] = mp_obj_new_int_from_uint(self->object.open ? self->model.workspace_bytes : 0);
    } else if (attribute == MP_QSTR_nbytes) {
        dest[0] = mp_obj_new_int_from_uint(self->model.n_bytes);
    } else if (attribute == MP_QSTR_n_layers) {
        dest[0] = MP_OBJ_NEW_SMALL_INT(self->model.n_layers);
    } else if (attribute == MP_QSTR_inputs || attribute == MP_QSTR_outputs) {
        mp_obj_t input = mp_obj_new_bool(attribute == MP_QSTR_inputs);
        dest[0] = py_call_claimed(&self->object, tensors_of, &input); // else somebody may close it meanwhile
    } else {
        dest[1] = MP_OBJ_SENTINEL; // look among the methods
    }
}

MP_DEFINE_CONST_OBJ_TYPE(py_model_type, NAME(Model), MP_TYPE_FLAG_NONE, make_new, model_make_new, attr, model_attr,
                         locals_dict, &py_model_locals);
