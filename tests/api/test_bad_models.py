"""Bad input to models, and files that are no model files: one clear line, the same on a PC and on the Pico."""

import struct
from array import array
from binascii import crc32

import anne
from check import Skip, golden, inf, nan, raises, same

NET = "small_int8"


def data_of(name=NET):
    with open(golden(name + ".anne"), "rb") as file:
        return bytearray(file.read())


def put(data, at, letter, value):
    """Change a field and make the CRC good again."""
    data[at : at + struct.calcsize("<" + letter)] = struct.pack("<" + letter, value)
    data[12:16] = struct.pack("<I", crc32(bytes(data[16:])) & 0xFFFFFFFF)
    return bytes(data)


def refuses(text, data):
    raises(ValueError, text, anne.load, data)


def test_wrong_lengths():
    net = anne.load(golden(NET + ".anne"))
    raises(ValueError, "predict: expected 4 inputs, got 3", net.predict, [1, 2, 3])
    raises(ValueError, "predict: expected 4 inputs, got 5", net.predict, array("f", [1, 2, 3, 4, 5]))
    raises(ValueError, "predict: expected 4 inputs, got 0", net.predict, [])
    raises(ValueError, "predict: expected 4 inputs, got 0", net.predict, b"")
    raises(ValueError, "predict: expected 4 inputs, got 3", net.classify, (1, 2, 3))


def test_no_numbers():
    net = anne.load(golden(NET + ".anne"))
    raises(TypeError, "predict: expected a list of numbers, got str", net.predict, "1234")
    raises(TypeError, "predict: expected a list of numbers, got NoneType", net.predict, None)
    raises(TypeError, "predict: expected a number, got str", net.predict, [1, 2, 3, "4"])
    raises(TypeError, "predict: expected a number, got NoneType", net.predict, [None, 2, 3, 4])
    raises(TypeError, "predict: expected a number, got list", net.predict, [1, 2, 3, [4]])
    raises(TypeError, "predict: expected a list of numbers, got int", net.predict, 5)


def test_out_must_fit():
    net = anne.load(golden(NET + ".anne"))
    x, expected = [1, 2, 3, 4], "predict_into: out: expected a writable array('f') or array('b') of 3, got "
    raises(TypeError, expected + "array('f') of 2", net.predict_into, x, array("f", [0, 0]))
    raises(TypeError, expected + "array('b') of 4", net.predict_into, x, array("b", [0] * 4))
    raises(TypeError, expected + "array('h') of 3", net.predict_into, x, array("h", [0] * 3))
    raises(TypeError, expected + "list", net.predict_into, x, [0, 0, 0])
    raises(TypeError, expected + "bytes", net.predict_into, x, b"abc")
    raises(TypeError, expected + "bytearray", net.predict_into, x, bytearray(3))
    raises(TypeError, expected + "NoneType", net.predict_into, x, None)
    raises(TypeError, expected + "memoryview", net.predict_into, x, memoryview(b"abc"))
    float_net = anne.load(golden("small_float32.anne"))
    text = "predict_into: out: expected a writable array('f') of 3, got array('b') of 3"
    raises(TypeError, text, float_net.predict_into, x, array("b", [0] * 3))


def test_a_refused_call_changes_nothing():
    net = anne.load(golden(NET + ".anne"))
    out = array("f", [7, 8, 9])
    raises(ValueError, "predict: expected 4 inputs, got 1", net.predict_into, [1], out)
    raises(TypeError, "predict: expected a number, got str", net.predict_into, [1, 2, 3, "4"], out)
    same(list(out), [7, 8, 9])


def test_no_file_and_no_bytes():
    try:
        anne.load("/no/such/file.anne")
    except OSError as error:
        same(error.errno, 2)  # ENOENT
    else:
        raise AssertionError("expected OSError")
    for source in (None, 5, [1, 2], 1.5):
        kind = type(source).__name__
        raises(
            TypeError, "load: expected a path or the bytes of a model file, got " + kind, anne.load, source
        )


def test_foreign_and_truncated_files():
    data = bytes(data_of())
    refuses("file: expected a model file (it begins with 'ANNE'), got b''", b"")
    refuses("file: expected a model file (it begins with 'ANNE'), got b'TFL3'", b"TFL3" + bytes(100))
    refuses("file: expected at least 48 bytes, got 20", data[:20])
    refuses("file: expected %d bytes, got %d" % (len(data), len(data) - 1), data[:-1])
    refuses("file: expected %d bytes, got %d" % (len(data), len(data) + 4), data + bytes(4))


def test_damaged_files():
    data = data_of()
    data[-1] ^= 1
    refuses("file: expected a CRC-32 of ...", bytes(data))


def test_a_future_version():
    refuses("file: expected version 1 of the format (update the firmware?), got 2", put(data_of(), 4, "H", 2))


def test_fields_out_of_range():
    refuses("header: expected 1 to 257 tensors, got 0", put(data_of(), 20, "I", 0))
    refuses("header: expected 1 to 256 layers, got 300", put(data_of(), 24, "I", 300))
    refuses(
        "header: expected arena_bytes up to 1073741824, a multiple of 4, got 13", put(data_of(), 16, "I", 13)
    )
    refuses("tensor 0: expected dtype 1 to 3, got 9", put(data_of(), 48, "B", 9))
    refuses("tensor 0: expected scale 1, got nan", put(data_of(), 48 + 20, "f", nan))
    layers = 48 + 32 * 7
    refuses(
        "layer 0: expected a layer kind of dense, activation, scaling, reshape, got number 77",
        put(data_of(), layers, "H", 77),
    )


def test_a_refused_file_leaves_the_loaded_one_alone():
    net = anne.load(golden(NET + ".anne"))
    y = net.predict([1, 2, 3, 4])
    refuses("file: expected a CRC-32 of ...", bytes(data_of()[:-1] + b"\xff"))
    same(net.predict([1, 2, 3, 4]), y)


def test_an_arena_too_large_for_memory():
    if not anne.native:
        raise Skip("Python has memory for it")
    data = put(data_of(), 16, "I", 1 << 30)
    try:
        anne.load(data)
    except MemoryError:
        return
    raise AssertionError("expected MemoryError")


def test_no_golden_samples():
    # tags 6 and 7, golden inputs and outputs of four samples, under numbers that are unknown
    data = data_of()
    for tag, size in ((6, 4 * 4 * 4), (7, 4 * 3)):
        put(data, data.index(struct.pack("<II", tag, size)), "I", 990 + tag)
    net = anne.load(bytes(data))
    raises(ValueError, "selftest: the file has no golden samples", net.selftest)


def test_wrong_golden_samples():
    data = data_of()
    at = data.index(struct.pack("<II", 7, 4 * 3)) + 8
    net = anne.load(put(data, at, "b", data[at] - 200 if data[at] > 100 else data[at] + 1))
    raises(ValueError, "selftest: sample 0: expected ...", net.selftest)


def test_golden_samples_that_are_not_finite():
    # An infinite golden output makes no room for others: each value is held on its own.
    data = data_of("small_float32")
    at = data.index(struct.pack("<II", 7, 4 * 3 * 4)) + 8
    for value in (inf, -inf, nan):
        net = anne.load(put(data[:], at, "f", value))
        raises(ValueError, "selftest: sample 0: expected ...", net.selftest)
    data[at : at + 4] = struct.pack("<f", inf)
    net = anne.load(put(data, at + 4, "f", 99))
    raises(ValueError, "selftest: sample 0: expected ...", net.selftest)


def test_golden_samples_of_nan_and_infinity():
    # unaligned computes as IEEE 754 has it: NaN in makes NaN, inf with finite weights inf or -inf
    plain = data_of("unaligned_float32")
    x_at = plain.index(struct.pack("<II", 6, 4 * 4 * 4)) + 8
    y_at = plain.index(struct.pack("<II", 7, 4 * 3 * 4)) + 8
    for x, others in (([nan] * 4, (1, inf)), ([inf, 0, 0, 0], (1, nan))):
        y = anne.load(bytes(plain)).predict(x)
        assert all(v != v or abs(v) == inf for v in y), y
        data = plain[:]
        data[x_at : x_at + 16] = struct.pack("<4f", *x)
        data[y_at : y_at + 12] = struct.pack("<3f", *y)
        same(anne.load(put(data[:], y_at, "f", y[0])).selftest(), 4)
        for other in others + (-y[0],) * (y[0] == y[0]):
            net = anne.load(put(data[:], y_at, "f", other))
            raises(ValueError, "selftest: sample 0: expected ...", net.selftest)
