"""The two readers of model files, the C core and `anne.model_file`: both take the same files and refuse the same.

The golden models are changed field by field, with the CRC made good again; FORMAT.md says which of them are whole. What
both take is run by both. `ANNE_THOROUGH=1` tries every change, a run without it a drawn part of them.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from anne.model_file import HEADER_BYTES, TENSOR_BYTES, ModelFile
from anne.reference_model import Model
from anne_tools.cores.native import NativeModel, status_of
from by_hand import INPUT, OUTPUT, Record, Values, model

GOLDEN = Path(__file__).parents[2] / "golden/models"
NAMES = [
    "small_float32",
    "small_int8",
    "small_int16",
    "small_int4",
    "small_int8_weights",
    "image_int8",
    "unaligned_float32",
    "residual_int16",
    "two_inputs_int8",
    "two_outputs_float32",
]
SEED = 3

Change = tuple[int, bytes]  # where, and what to put there


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.anne").read_bytes()


# --- Changes ----------------------------------------------------------------------------------------------------------


def changed(data: bytes, changes: list[Change]) -> bytes:
    """Return `data` with the changes, and a good CRC."""
    result = bytearray(data)
    for at, content in changes:
        result[at : at + len(content)] = content
    result[12:16] = struct.pack("<I", zlib.crc32(result[16:]))
    return bytes(result)


def fields(data: bytes) -> Iterator[tuple[int, str]]:
    """Every field of the file but the data: (position, struct letter)."""
    yield from ((at, "H") for at in (4, 6))
    yield from ((at, "I") for at in (0, 8, 16, 20, 24, 28, 32, 36, 40, 44))
    n_tensors, n_layers, layers_bytes, metadata_bytes = struct.unpack_from("<4I", data, 20)
    at = HEADER_BYTES
    for _ in range(n_tensors):
        yield from ((at + i, "B") for i in range(4))
        yield from ((at + 4 + 4 * i, "I") for i in range(4))
        yield from ((at + 20, "f"), (at + 24, "i"), (at + 28, "I"))
        at += TENSOR_BYTES
    metadata = at + layers_bytes
    for _ in range(n_layers):
        record_bytes, n_in, n_out, _ = struct.unpack_from("<H3B", data, at + 2)
        yield from (
            (at + i, letter)
            for i, letter in ((0, "H"), (2, "H"), (4, "B"), (5, "B"), (6, "B"), (7, "B"), (8, "f"))
        )
        rest = at + 12 + (n_in + n_out + 1) // 2 * 4
        yield from ((i, "H") for i in range(at + 12, rest, 2))
        yield from ((i, "i") for i in range(rest, at + record_bytes, 4))
        at += record_bytes
    while at < metadata + metadata_bytes:
        yield from ((at, "I"), (at + 4, "I"))
        at += 8 + (struct.unpack_from("<I", data, at + 4)[0] + 3) // 4 * 4


def constant_words(data: bytes) -> list[tuple[int, str]]:
    """Words of the data section: the first and the last few of every constant, as bytes and as floats."""
    file = ModelFile(data)
    base = len(data) - struct.unpack_from("<I", data, 36)[0]
    found = []
    for layer in file.layers:
        for constant in layer.constants:
            start = base + offset_of(constant, data[base:])
            ends = {start, start + 4, start + (len(constant) - 1) // 4 * 4}
            found += [(at, letter) for at in sorted(ends) for letter in "if"]
    return found


def offset_of(constant: memoryview, section: bytes) -> int:
    return section.index(bytes(constant))


def values(letter: str, now: float, rng: random.Random) -> list[float]:
    """What a field could hold instead: limits, neighbours, and what is no number."""
    if letter == "f":
        return [0.0, -0.0, -1.0, 1.0, 2.0, 1e-45, 1e38, float("inf"), -float("inf"), float("nan"), now / 3]
    bits = 8 * struct.calcsize(letter)
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if letter == "i" else (0, (1 << bits) - 1)
    near = [now + d for d in (-4, -1, 1, 2, 3, 4, 8)] + [2 * now, now // 2]
    powers = [1 << n for n in (0, 1, 4, 5, 7, 8, 9, 16, 20, 28, 30)]
    limits = [0, 3, 12, 15, 17, 127, 255, 511, -31, -32, -128, -129, least, most, *powers]
    inside = [v for v in near + limits if least <= v <= most and v != now]
    return sorted(set(inside)) + [rng.randint(least, most)]


def single_changes(data: bytes, rng: random.Random) -> list[Change]:
    """Every field with every value that is worth trying."""
    changes = []
    for at, letter in [*fields(data), *constant_words(data)]:
        now = struct.unpack_from(f"<{letter}", data, at)[0]
        changes += [(at, struct.pack(f"<{letter}", value)) for value in values(letter, now, rng)]
    return changes


def variants(data: bytes) -> Iterator[bytes]:
    """Changed files: with one change each, with two, with a part cut out or put in."""
    rng = random.Random(SEED)
    singles = single_changes(data, rng)
    yield from (changed(data, [change]) for change in singles)
    for _ in range(len(singles) // 4):
        yield changed(data, rng.sample(singles, 2))
    for _ in range(len(singles) // 10):
        at, size = rng.randrange(48, len(data), 4), rng.choice([4, 8, 32, 64])
        other = data[:at] + (data[at + size :] if rng.random() < 0.5 else bytes(size) + data[at:])
        yield changed(other, [(8, struct.pack("<I", len(other)))])


# --- Tests ------------------------------------------------------------------------------------------------------------


def refusal(data: bytes) -> str | None:
    """Why the Python reader refuses the file; None if it takes it."""
    try:
        ModelFile(data)
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", NAMES)
def test_both_readers_take_the_same_files(name):
    check_same_verdicts(golden(name))


def branching(dtype: str) -> bytes:
    """Two inputs, one of them an output, too; their sum, the same in another shape, the sum of that and an input."""
    zero = {"float32": 0, "int8": 3, "int16": 0}[dtype]
    x, flat = Values(dtype, (2, 3), 1.0, zero), Values(dtype, 6, 1.0, zero)
    factors = () if dtype == "float32" else (1 << 30, 0, 1 << 30, -1, 1 << 30, -18, -100, 100)
    records = [
        Record("add", [0, 1], [2], [], "relu", factors),
        Record("reshape", [2], [4]),
        Record("reshape", [1], [3]),
        Record("add", [4, 3], [5], [], "linear", factors),
    ]
    size = x.arena_bytes
    names = {
        3: b"\n" * 11,
        6: bytes(2 * 6 * x.itemsize),
        7: bytes(2 * 6 * x.itemsize),
        9: b"a\nb",
        10: b"b\nc",
    }
    metadata = b"".join(struct.pack("<II", tag, len(n)) + n + bytes(-len(n) % 4) for tag, n in names.items())
    # the second sum lies in place of the first
    places = [0, size, 2 * size, size, 2 * size, 2 * size]
    roles = [INPUT, INPUT | OUTPUT, 0, 0, 0, OUTPUT]
    return model([x, x, x, flat, flat, flat], roles, records, places, metadata)


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
def test_both_readers_take_the_same_files_that_branch(dtype):
    assert refusal(branching(dtype)) is None
    check_same_verdicts(branching(dtype))


def check_same_verdicts(original: bytes) -> None:
    taken = 0
    for data in variants(original):
        why, status = refusal(data), status_of(data)
        assert (status == 0) == (why is None), (
            f"the core says {status}, Python {why}: {difference(original, data)}"
        )
        if status == 0:
            taken += 1
            check_same_answers(original, data)
    assert taken > 10, "too few changed files are whole for this test to mean anything"


def check_same_answers(original: bytes, data: bytes) -> None:
    """Both cores give the same for inputs at the limits and between: integers to the bit."""
    rng = np.random.default_rng(SEED)
    reference = Model(data)
    with NativeModel(data) as native:
        file = native.file
        for _ in range(2):
            sample = b"".join(any_values(tensor, rng).tobytes() for tensor in file.inputs)
            raw = bytearray(sum(tensor.nbytes for tensor in file.outputs))
            reference.run_raw(sample, raw)
            answer = native.run_raw(
                np.frombuffer(sample, np.uint8 if len(native.inputs) > 1 else native.input.dtype)
            )
            for tensor, got, expected in zip(
                file.outputs, parts(answer.tobytes(), file.outputs), parts(raw, file.outputs), strict=True
            ):
                assert same(got, expected), (
                    f"{difference(original, data)}: {sample.hex()}: tensor {tensor.index}: core {got}, "
                    f"reference {expected}"
                )


def any_values(tensor, rng: np.random.Generator) -> np.ndarray:
    if tensor.dtype == "float32":
        return rng.normal(0, 2, tensor.size).astype(np.float32)
    return rng.integers(tensor.least, tensor.greatest + 1, tensor.size).astype(tensor.dtype)


def parts(packed: bytes, tensors: list) -> Iterator[np.ndarray]:
    """The values of each tensor."""
    at = 0
    for tensor in tensors:
        yield np.frombuffer(packed, tensor.dtype, tensor.size, at)
        at += tensor.nbytes


def same(got: np.ndarray, expected: np.ndarray) -> bool:
    if expected.dtype.kind != "f":
        return bool(np.array_equal(got, expected))
    if not np.isfinite([got, expected]).all():
        return True  # changed to weights that overflow float32 on the way; the reference has 64 bits
    # several layers of changed weights may cancel, so no more than five digits
    return bool(np.allclose(got, expected, rtol=1e-4, atol=1e-5 * max(np.abs(expected).max(), 1e-30)))


def difference(original: bytes, data: bytes) -> str:
    """Where a changed file differs from what it was, for the message of a failure."""
    if len(data) != len(original):
        return f"{len(data)} bytes instead of {len(original)}"
    at = [i for i in range(16, len(data)) if data[i] != original[i]] or [0]
    now, was = data[at[0] : at[-1] + 1], original[at[0] : at[-1] + 1]
    return f"bytes {at[0]} to {at[-1]}: {now.hex()} instead of {was.hex()}"


# The C core against every truncation and every changed bit: tests/reliability/damage.c.


@pytest.mark.parametrize("name", NAMES)
def test_truncations_are_refused(name):
    data = golden(name)
    for n in range(0, len(data), 37):
        assert refusal(data[:n]), n


def test_changed_bits_are_noticed():
    data = golden("image_int8")
    for at in range(0, len(data), 17):
        damaged = bytearray(data)
        damaged[at] ^= 4
        assert refusal(bytes(damaged)), at
