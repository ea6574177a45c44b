// Objects that a call has to itself, and their methods.
#include "claims.h"

#include "functions.h"

// The object that a subclass was made of.
static __attribute__((noinline)) mp_obj_t base_of(const mp_obj_type_t *type, mp_obj_t o) {
    o = mp_obj_cast_to_native_base(o, MP_OBJ_FROM_PTR(type)); // what a subclass has not made yet is none
    if (o == MP_OBJ_NULL || !mp_obj_is_exact_type(o, type)) {
        mp_raise_msg_varg(&mp_type_TypeError, MP_ERROR_TEXT("expected a %q"), (qstr)type->name);
    }
    return o;
}

static inline claimable_t *own(const mp_obj_type_t *type, mp_obj_t o) {
    return MP_OBJ_TO_PTR(mp_obj_is_exact_type(o, type) ? o : base_of(type, o));
}

claimable_t *py_own(const mp_obj_type_t *type, mp_obj_t o) {
    return own(type, o);
}

void py_claim(claim_t *claimed, claimable_t *object) {
    if (!py_take(object)) {
        mp_raise_msg_varg(&mp_type_RuntimeError, MP_ERROR_TEXT("the %s is running"),
                          object->base.type->name == MP_QSTR_Model ? "model" : "trainer");
    }
    claimed->object = object;
    py_guard(claimed);
    if (!object->open) {
        mp_raise_ValueError(MP_ERROR_TEXT("the model is closed"));
    }
}

static mp_obj_t method_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    const method_t *self = MP_OBJ_TO_PTR(self_in);
    if (n_args != self->n_args || n_kw != 0) {
        mp_arg_check_num(n_args, n_kw, self->n_args, self->n_args, false); // raises
    }
    py_need_stack(CALL_STACK_BYTES);
    return py_call_claimed(own(self->type, args[0]), self->run, args + 1);
}

// As a function of MicroPython's own: it gets the object it is looked up in.
MP_DEFINE_CONST_OBJ_TYPE(py_method_type, NAME(function), MP_TYPE_FLAG_BINDS_SELF | MP_TYPE_FLAG_BUILTIN_FUN, call,
                         method_call);
