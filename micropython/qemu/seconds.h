// time.time(): seconds since the machine began. Part of extmod/modtime.c.
static mp_obj_t mp_time_time_get(void) {
    return mp_obj_new_int_from_uint(mp_hal_time_ns() / 1000000000);
}
