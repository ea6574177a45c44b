// Methods of Model that tell what its file says.
#include "activations.h"
#include "metadata.h"
#include "model_type.h"
#include "repack.h"
#include "values.h"

// A tensor and a layer as objects with attributes, as anne.model_file has them.
static mp_obj_t model_tensor(claim_t *claimed, const mp_obj_t *args) {
    static const py_name_t dtypes[] = {0, NAME(float32), NAME(int8), NAME(int16)};
    static const py_name_t fields[] = {NAME(dtype), NAME(shape), NAME(scale), NAME(zero_point)};
    const anne_model_t *model = &claimed->model->model;
    const anne_tensor_t *tensor = &model->tensors[py_get_index(args[0], model->n_tensors)];
    const mp_obj_t values[] = {
        MP_OBJ_NEW_QSTR(py_qstr(dtypes[tensor->dtype])),
        py_shape_of(tensor),
        mp_obj_new_float_from_f(tensor->scale),
        MP_OBJ_NEW_SMALL_INT(tensor->zero_point),
    };
    return py_new_record(fields, MP_ARRAY_SIZE(fields), values);
}
METHOD(model, tensor, 1);

#define ENTRY(name, number) [number] = NAME(name),
static const py_name_t kinds[] = {ANNE_KINDS_BUILT(ENTRY)};
#undef ENTRY
#define ENTRY(name) NAME(name),
static const py_name_t layouts[] = {0, ANNE_LAYOUTS(ENTRY)};
static const py_name_t tags[] = {0, ANNE_TAGS(ENTRY)};
#undef ENTRY

static mp_obj_t indices(const uint16_t *tensors, size_t n) {
    mp_obj_tuple_t *tuple = MP_OBJ_TO_PTR(mp_obj_new_tuple(n, NULL));
    for (size_t i = 0; i < n; i++) {
        tuple->items[i] = MP_OBJ_NEW_SMALL_INT(tensors[i]);
    }
    return MP_OBJ_FROM_PTR(tuple);
}

static mp_obj_t model_layer(claim_t *claimed, const mp_obj_t *args) {
    static const py_name_t fields[] = {NAME(kind),    NAME(activation), NAME(layout), NAME(inputs),
                                       NAME(outputs), NAME(nbytes),     NAME(macs)};
    const anne_model_t *model = &claimed->model->model;
    anne_record_t record;
    anne_model_record(model, py_get_index(args[0], model->n_layers), &record);
    uint32_t n_bytes = 0;
    for (uint32_t i = 0; i < record.n_constants; i++) {
        n_bytes += record.constant_bytes[i];
    }
    const anne_layer_kind_t *kind = anne_layer_kind(record.kind);
    const mp_obj_t values[] = {
        MP_OBJ_NEW_QSTR(py_qstr(kinds[record.kind])),
        MP_OBJ_NEW_QSTR(py_qstr(py_activations[record.activation])),
        kind->layout != NULL ? MP_OBJ_NEW_QSTR(py_qstr(layouts[kind->layout(&record)])) : mp_const_none,
        indices(record.tensors, record.n_inputs),
        indices(record.tensors + record.n_inputs, record.n_outputs),
        MP_OBJ_NEW_SMALL_INT(n_bytes),
        MP_OBJ_NEW_SMALL_INT(kind->macs != NULL ? kind->macs(&record) : 0),
    };
    return py_new_record(fields, MP_ARRAY_SIZE(fields), values);
}
METHOD(model, layer, 1);

// The entry of metadata by its name in FORMAT.md; KeyError for another.
static anne_entry_t get_entry(const claim_t *claimed, mp_obj_t name) {
    mp_obj_t tag = mp_obj_is_str(name) && !mp_obj_is_qstr(name) ? py_interned(name) : name;
    for (uint32_t i = 1; i < ANNE_TAG_END; i++) {
        if (tag == MP_OBJ_NEW_QSTR(py_qstr(tags[i]))) {
            return anne_metadata_entry(&claimed->model->model, i);
        }
    }
    mp_raise_type_arg(&mp_type_KeyError, name);
}

// Copied and not looked up among the names in use, which takes longer than a small network.
static mp_obj_t text_or_none(anne_entry_t text) {
    return text.bytes == NULL ? mp_const_none : mp_obj_new_str_copy(&mp_type_str, text.bytes, text.n_bytes);
}

static mp_obj_t model_text(claim_t *claimed, const mp_obj_t *args) {
    return text_or_none(get_entry(claimed, args[0]));
}
METHOD(model, text, 1);

static mp_obj_t model_line(claim_t *claimed, const mp_obj_t *args) {
    return text_or_none(anne_metadata_line(get_entry(claimed, args[0]), py_get_index(args[1], ANNE_MAX_ELEMENTS)));
}
METHOD(model, line, 2);

static mp_obj_t model_threshold(claim_t *claimed, const mp_obj_t *args) {
    (void)args;
    anne_entry_t entry = anne_metadata_entry(&claimed->model->model, ANNE_TAG_threshold);
    return entry.bytes == NULL ? mp_const_none : mp_obj_new_float_from_f(*(const float *)(const void *)entry.bytes);
}
METHOD(model, threshold, 0);

// Golden sample number i, as inputs and outputs stand in the arena, one after another; None if there are fewer.
static mp_obj_t model_golden(claim_t *claimed, const mp_obj_t *args) {
    const anne_model_t *model = &claimed->model->model;
    uint32_t x_bytes = anne_model_bytes(model, ANNE_ROLE_INPUT), y_bytes = anne_model_bytes(model, ANNE_ROLE_OUTPUT);
    anne_entry_t x = anne_metadata_entry(model, ANNE_TAG_golden_inputs);
    anne_entry_t y = anne_metadata_entry(model, ANNE_TAG_golden_outputs);
    uint32_t i = py_get_index(args[0], UINT32_MAX);
    if (i >= x.n_bytes / x_bytes) {
        return mp_const_none;
    }
    mp_obj_t sample[] = {mp_obj_new_bytes(x.bytes + i * x_bytes, x_bytes),
                         mp_obj_new_bytes(y.bytes + i * y_bytes, y_bytes)};
    return mp_obj_new_tuple(2, sample);
}
METHOD(model, golden, 1);

// Bytes of the file as they were when it was loaded.
static mp_obj_t bytes_of_file(const anne_model_t *model, size_t offset, size_t size) {
#ifdef ANNE_REPACKS
    nlr_buf_t nlr;
    if (anne_model_unpack(model)) {
        if (nlr_push(&nlr) == 0) {
            mp_obj_t bytes = mp_obj_new_bytes(model->bytes + offset, size);
            nlr_pop();
            anne_model_repack(model);
            return bytes;
        }
        anne_model_repack(model);
        nlr_jump(nlr.ret_val);
    }
#endif
    return mp_obj_new_bytes(model->bytes + offset, size);
}

// read(offset, size): bytes of the file.
static mp_obj_t model_read(claim_t *claimed, const mp_obj_t *args) {
    const anne_model_t *model = &claimed->model->model;
    mp_uint_t offset = mp_obj_get_int(args[0]), size = mp_obj_get_int(args[1]);
    if (offset > model->n_bytes || size > model->n_bytes - offset) {
        mp_raise_ValueError(MP_ERROR_TEXT("read: beyond the end of the file"));
    }
    return bytes_of_file(model, offset, size);
}
METHOD(model, read, 2);
