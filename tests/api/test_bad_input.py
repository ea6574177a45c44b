"""What does not fit: the same exception, with the same words, on a PC and on the Pico."""

import gc
from array import array

import anne
from check import Skip, close, inf, nan, raises, same

X, W, B = [1, 2], [[1, 2], [3, 4], [5, 6]], [1, 2, 3]


def refuses(kind, text, nunit=3, x=X, w=W, b=B, activation="relu", **keywords):
    raises(kind, text, anne.dense, nunit, x, w, b, activation, **keywords)


def test_wrong_lengths():
    refuses(ValueError, "dense: expected 2 inputs, got 3", x=[1, 2, 3])
    refuses(ValueError, "dense: expected 2 inputs, got 1", x=[1])
    refuses(ValueError, "dense: expected 2 inputs, got 1", x=[[1, 2, 3]])
    refuses(ValueError, "dense: expected 2 rows of weights, got 3", nunit=2, b=[1, 2])
    refuses(ValueError, "dense: expected 3 values of bias, got 2", b=[1, 2])
    refuses(ValueError, "dense: expected 3 values of bias, got 4", b=array("f", [1, 2, 3, 4]))
    refuses(
        ValueError, "dense: expected 6 weights (3 units x 2 inputs), got 5", w=array("f", [1, 2, 3, 4, 5])
    )
    refuses(ValueError, "dense: expected 6 weights (3 units x 2 inputs), got 7", w=[1, 2, 3, 4, 5, 6, 7])
    raises(ValueError, "neuron: expected 3 inputs, got 2", anne.neuron, [1, 2], [1, 2, 3], 0, "relu")


def test_ragged_lists():
    refuses(ValueError, "dense: expected 2 samples in each row of x, got 1", x=[[1, 2], [3]])
    refuses(ValueError, "dense: expected 1 inputs, got 2", w=[[1, 2], [3], [5, 6]])
    refuses(TypeError, "dense: expected a list of numbers, got int", x=[[1, 2], 3])
    refuses(TypeError, "dense: expected a number, got list", x=[1, [2]])
    refuses(TypeError, "dense: expected a number, got list", b=[1, 2, [3]])


def test_strings():
    refuses(TypeError, "dense: expected a list of numbers, got str", x="12")
    refuses(TypeError, "dense: expected a number, got str", x=["1", "2"])
    refuses(TypeError, "dense: expected a number, got str", x=[1, "2"])
    refuses(TypeError, "dense: expected a list of numbers, got str", w="123456")
    refuses(TypeError, "dense: expected a list of numbers, got str", w=[[1, 2], [3, 4], "56"])
    refuses(TypeError, "dense: expected a list of numbers, got str", b="123")
    refuses(TypeError, "dense: nunit: expected a whole number, got str", nunit="3")
    raises(TypeError, "relu: expected a list of numbers, got str", anne.relu, "1")
    raises(TypeError, "softmax: expected a number, got str", anne.softmax, ["1"])


def test_none():
    refuses(TypeError, "dense: expected a list of numbers, got NoneType", x=None)
    refuses(TypeError, "dense: expected a list of numbers, got NoneType", w=None)
    refuses(TypeError, "dense: expected a list of numbers, got NoneType", b=None)
    refuses(TypeError, "dense: expected a number, got NoneType", x=[1, None])
    refuses(TypeError, "dense: nunit: expected a whole number, got NoneType", nunit=None)
    raises(TypeError, "neuron: expected a number, got NoneType", anne.neuron, X, [1, 2], None, "relu")
    for function in (anne.relu, anne.leaky_relu, anne.sigmoid, anne.tanh, anne.softmax):
        raises(TypeError, "...: expected a list of numbers, got NoneType", function, None)


def test_empty_lists():
    refuses(ValueError, "dense: x is empty", x=[])
    refuses(ValueError, "dense: x is empty", x=[[]])
    refuses(ValueError, "dense: x is empty", x=[[], []])
    refuses(ValueError, "dense: x is empty", x=array("f"))
    refuses(ValueError, "dense: x is empty", x=b"")
    refuses(ValueError, "dense: expected 6 weights (3 units x 2 inputs), got 0", w=[])
    refuses(ValueError, "dense: expected 0 inputs, got 2", w=[[], [], []])
    refuses(ValueError, "dense: expected 3 values of bias, got 0", b=[])
    raises(ValueError, "neuron: expected 0 inputs, got 2", anne.neuron, X, [], 0, "relu")


def test_number_of_units():
    refuses(ValueError, "dense: nunit: expected at least 1, got 0", nunit=0)
    refuses(ValueError, "dense: nunit: expected at least 1, got -3", nunit=-3)
    refuses(TypeError, "dense: nunit: expected a whole number, got float", nunit=3.0)
    refuses(TypeError, "dense: nunit: expected a whole number, got bool", nunit=True, w=[[1, 2]], b=[1])
    refuses(ValueError, "dense: expected 1073741824 rows of weights, got 3", nunit=1 << 30)
    refuses(ValueError, "dense: expected 4294967296 rows of weights, got 3", nunit=1 << 32)
    refuses(
        ValueError,
        "dense: expected 4294967296 weights (2147483648 units x 2 inputs), got 0",
        nunit=1 << 31,
        w=[],
    )


def test_unknown_activations():
    known = "; known: " + ", ".join(anne.ACTIVATIONS)
    for name in ("", "Relu", "relu ", "r", "x" * 300, "рэлу"):
        refuses(ValueError, "unknown activation %r" % name + known, activation=name)
    refuses(ValueError, "unknown activation None" + known, activation=None)
    refuses(ValueError, "unknown activation 3" + known, activation=3)
    refuses(ValueError, "unknown activation b'relu'" + known, activation=b"relu")


def test_a_name_made_at_run_time_is_known():
    same(anne.dense(1, [-1], [[1]], [0], "".join(["re", "lu"])), [0])


def test_what_is_no_list():
    refuses(TypeError, "dense: expected a list of numbers, got int", x=5)
    refuses(TypeError, "dense: expected a list of numbers, got set", x={1, 2})
    refuses(TypeError, "dense: expected a list of numbers, got dict", w={})
    refuses(TypeError, "dense: expected a list of numbers, got generator", b=(v for v in B))
    refuses(TypeError, "dense: expected a list of numbers, got range", x=range(2))
    refuses(TypeError, "dense: expected a number, got complex", x=[1, 2j])


def test_nan_is_a_number_like_any_other():
    close(anne.dense(1, [nan, 1], [[1, 1]], [0], "linear"), [nan], 0)
    close(anne.dense(2, [1], [[nan], [1]], [0, 0], "linear"), [nan, 1], 0)
    close(anne.dense(1, [1], [[-1]], [0], "leaky_relu", alpha=nan), [nan], 0)


def test_huge_whole_numbers_are_infinite():
    # 10**400 is beyond every float; 10**39 is beyond float32, so what a Pico holds is inf
    same(anne.relu([10**400, -(10**400)]), [inf, 0])
    same(anne.leaky_relu([-1], 10**400), [-inf])
    same(anne.dense(1, [10**400], [[1]], [0], "linear"), [inf])
    same(anne.dense(1, [1], [[-(10**400)]], [0], "linear"), [-inf])
    same(anne.neuron([1], [1], 10**400, "linear"), [inf])
    same(anne.sigmoid([10**39, -(10**39)])[0], 1)
    assert anne.relu([10**39])[0] >= 1e38
    same(anne.relu([2**31, 2**40]), [2.0**31, 2.0**40])  # beyond a small integer of the device, but a float32


def test_huge_floats():
    same(anne.sigmoid([1e39, 1e300]), [1, 1])
    same(anne.tanh([-1e39]), [-1])
    y = anne.softmax([1e39, 0])  # beyond float32, so infinite where floats have 32 bits, and inf - inf is NaN
    assert y == [1, 0] or y[0] != y[0]
    assert anne.dense(1, [1e39], [[1]], [0], "linear")[0] >= 1e38


def test_out_must_be_writable_floats_of_the_right_length():
    expected = "dense: out: expected a writable array('f') of 3, got "
    refuses(TypeError, expected + "bytes of 12", out=bytes(12))
    refuses(TypeError, expected + "bytes of 3", out=b"abc")
    refuses(TypeError, expected + "memoryview of 3", out=memoryview(b"abc"))
    refuses(TypeError, expected + "bytearray of 12", out=bytearray(12))
    refuses(TypeError, expected + "memoryview of 3", out=memoryview(bytearray(4))[1:])
    refuses(TypeError, expected + "array of 3", out=array("i", [1, 2, 3]))
    refuses(TypeError, expected + "array of 2", out=array("f", [1, 2]))
    refuses(TypeError, expected + "array of 4", out=array("f", [1, 2, 3, 4]))
    refuses(TypeError, expected + "array of 0", out=array("f"))
    refuses(TypeError, expected + "list of 3", out=[0, 0, 0])
    refuses(TypeError, expected + "tuple of 3", out=(0, 0, 0))
    refuses(TypeError, expected + "str", out="abc")
    refuses(TypeError, expected + "int", out=3)
    refuses(TypeError, expected + "dict", out={})


def test_out_takes_one_sample():
    text = "dense: out takes one sample, got x of 2 samples"
    refuses(ValueError, text, x=[[1, 2], [3, 4]], out=array("f", [0, 0, 0]))


def test_a_refused_call_changes_nothing():
    out = array("f", [7, 8, 9])
    refuses(ValueError, "dense: expected 2 inputs, got 1", x=[1], out=out)
    refuses(ValueError, "unknown activation ...", activation="rellu", out=out)
    same(list(out), [7, 8, 9])
    short = array("f", [7, 8])
    refuses(TypeError, "dense: out: ...", out=short)
    same(list(short), [7, 8])


def test_alpha():
    refuses(TypeError, "dense: alpha: expected a number, got str", activation="elu", alpha="1")
    raises(TypeError, "leaky_relu: alpha: expected a number, got list", anne.leaky_relu, [1], [0.1])
    raises(TypeError, "leaky_relu: alpha: expected a number, got NoneType", anne.leaky_relu, [1], None)


def test_arguments_too_many_and_too_few():
    # the words are the interpreter's
    raises(TypeError, "...", anne.dense)
    raises(TypeError, "...", anne.dense, 3, X, W, B)
    raises(TypeError, "...", anne.dense, 3, X, W, B, "relu", None, None, None)
    raises(TypeError, "...", anne.relu)
    raises(TypeError, "...", anne.relu, [1], 0.5)
    raises(TypeError, "...", anne.neuron, X, [1, 2], 0)
    raises(TypeError, "...unexpected keyword argument", anne.dense, 3, X, W, B, "relu", output=None)
    raises(TypeError, "...unexpected keyword argument", anne.leaky_relu, [1], beta=1)
    raises(TypeError, "...", anne.dense, 3, X, W, B, "relu", activation="relu")


def test_lists_within_themselves():
    endless = []
    endless.append(endless)
    refuses(TypeError, "dense: expected a number, got list", x=endless)
    raises(TypeError, "relu: expected a number, got list", anne.relu, endless)


def test_names_are_not_kept():
    # MicroPython keeps interned strings for ever: 20 names of 100 bytes would be missed
    if not hasattr(gc, "mem_alloc"):
        raise Skip("CPython does not tell")
    for i in range(22):
        if i == 2:
            gc.collect()
            before = gc.mem_alloc()
        raises(ValueError, "unknown activation ...", anne.dense, 3, X, W, B, "%100d" % i)
    gc.collect()
    assert gc.mem_alloc() - before < 1000, gc.mem_alloc() - before
