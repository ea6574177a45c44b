"""All golden models on the Pico 2's processor core: they have the bits of the host, but for sums of floats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from anne_tools.boards.costs import layer_cost
from anne_tools.boards.fit import workspace_bytes
from anne_tools.conversion.convert import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.files import open_model
from anne_tools.cores.local import run_local
from anne_tools.cores.native import NativeModel
from anne_tools.cores.numbers import quantize_input
from anne_tools.layers import Add, AveragePool, Conv, DepthwiseConv, MaxPool, Multiply, Subtract
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.windows import Window
from cortex_m33 import (
    CORE_FLAGS,
    HARD_FLOATS,
    M33,
    SOFTFP,
    build,
    core_sources,
    golden_samples,
    missing,
    replied,
    run,
)

pytestmark = pytest.mark.skipif(missing() != "", reason=f"{missing()} is not installed")

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "tests" / "golden" / "models"
NAMES = sorted(path.stem for path in FOLDER.glob("*.anne"))
FIRMWARE_CORE = ROOT / "build" / "firmware" / "anne-pico2" / "libanne_core.a"
N_RANDOM = 20  # samples beside the golden ones


def samples(name: str) -> tuple[bytes, np.ndarray]:
    """A golden model's file, and its golden inputs followed by random ones, raw."""
    return golden_samples(FOLDER / f"{name}.anne", N_RANDOM)


def sums_floats(name: str) -> bool:
    """Whether a layer of the model calls anne_dense_f32, which sums in the processor's floating-point unit."""
    with NativeModel((FOLDER / f"{name}.anne").read_bytes()) as model:
        layers = model.file.layers
    return any(
        layer.kind in ("dense", "conv", "depthwise_conv", "conv_transpose")
        and layer.kernel in ("f32", "float32")
        for layer in layers
    )


def wrong(name: str, outputs: bytes) -> str:
    """What is wrong with the outputs there, "" if nothing is: they have the host's bits. Sums of floats are off from
    exact ones by as many roundings as the kernel's header says, some dozen here, 2^-24 each of what they add."""
    data, x = samples(name)
    with NativeModel(data) as model:
        expected = model.run_raw(x).tobytes()
    if not sums_floats(name):
        return "" if outputs == expected else "other bits"
    there, here = np.frombuffer(outputs, np.float32), np.frombuffer(expected, np.float32)
    largest = np.abs(here[np.isfinite(here)]).max()
    return "" if np.allclose(there, here, rtol=0, atol=largest * 2.0**-20, equal_nan=True) else "too far off"


@pytest.fixture(scope="module")
def m33_elf() -> bytes:
    return build(core_sources(), HARD_FLOATS + CORE_FLAGS)


@pytest.mark.parametrize("core", ["hard floats", "portable C", "firmware"])
def test_golden_models_have_the_results_of_the_host(core: str, m33_elf: bytes) -> None:
    if core == "hard floats":
        elf = m33_elf
    elif core == "portable C":
        elf = build(core_sources(), [*HARD_FLOATS, *CORE_FLAGS, "-DANNE_PORTABLE"])
    elif FIRMWARE_CORE.exists():
        elf = build([FIRMWARE_CORE], SOFTFP + CORE_FLAGS)
    else:
        pytest.skip(f"{FIRMWARE_CORE.name} of the Pico 2 is not built; `make firmware` builds it")
    for own in (False, True):
        answers, fused = run(elf, [samples(name) for name in NAMES], own=own)
        assert fused == 2.0**-11  # with two roundings; fused it would be 2^-11 + 2^-24
        found = {name: wrong(name, y.outputs) for name, y in zip(NAMES, answers, strict=True)}
        assert {name: what for name, what in found.items() if what} == {}


def test_without_the_core_s_flags_the_compiler_fuses() -> None:
    # so the test above would notice
    flags = [flag for flag in CORE_FLAGS if "fp-contract" not in flag]
    _, fused = run(build(core_sources(), HARD_FLOATS + flags), [])
    assert fused == 2.0**-11 + 2.0**-24


def windows(seed: int) -> GraphBuilder:
    """A network of one convolution with any window, or a depthwise one, in the range of what its kernels tell apart."""
    rng = np.random.default_rng(seed)
    channels, groups = int(rng.choice([1, 3, 4, 8, 12, 64])), 1
    kernel, stride = (tuple(int(n) for n in rng.integers(1, most, 2)) for most in (5, 4))
    size = tuple(int(n) for n in rng.integers(5, 12, 2))
    dilation = (1, 1) if seed % 3 or max(kernel) > 2 else (2, 1)
    padded = Window.same(size, kernel, stride, dilation)
    window = padded if seed % 2 else Window(kernel, stride, dilation)
    builder = GraphBuilder((*size, channels))
    depthwise = seed % 4 == 0
    n_out = channels * int(rng.integers(1, 3)) if depthwise else int(rng.choice([1, 4, 5, 8, 13, 26]))
    if channels % 4 == 0 and n_out % 4 == 0 and seed % 5 == 0:
        groups = 4 if channels > 4 else 1
    shape = (n_out, *kernel) if depthwise else (n_out, *kernel, channels // groups)
    weights, bias = rng.normal(0, 1, shape), rng.normal(0, 1, n_out)
    layer, more = (DepthwiseConv, (window,)) if depthwise else (Conv, (window, groups))
    builder.add(layer, "window", weights, bias, *more)
    if seed % 7 > 3:
        builder.activation("relu", "relu6")
    return builder


# Rows, columns, channels; outputs, groups; the window's size, strides, dilation: as many columns as a panel of weights
# has, one less, four more, two panels, a window that is no more copied, one that is not rewritten; fewer pixels than a
# copy is made for, one pixel, an odd number; outputs from 1 on; groups of no whole words; strides beyond the window.
EDGES = (
    (4, 4, 508, 9, 1, 1, 1, 1),
    (4, 4, 127, 4, 1, 2, 1, 1),
    (4, 4, 512, 12, 1, 1, 1, 1),
    (5, 5, 114, 5, 1, 3, 1, 1),
    (4, 5, 256, 3, 1, 2, 1, 1),
    (4, 4, 1028, 2, 1, 1, 1, 1),
    (2, 2, 1025, 5, 1, 2, 1, 1),
    (3, 5, 16, 8, 1, 1, 1, 1),
    (1, 1, 20, 16, 1, 1, 1, 1),
    (3, 3, 8, 1, 1, 3, 1, 1),
    (7, 3, 4, 2, 1, 3, 1, 1),
    (9, 5, 9, 7, 1, 3, 2, 1),
    (6, 6, 24, 24, 3, 3, 1, 2),
    (6, 7, 15, 10, 5, 2, 1, 1),
    (11, 10, 4, 13, 1, 2, 3, 1),
    (8, 8, 64, 70, 1, 1, 1, 1),
)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_convolutions_at_the_edges_of_their_kernels(dtype: str, m33_elf: bytes) -> None:
    """And the loader asks for the memory that `fit` tells, whether weights are rewritten or a copy of them is."""
    models = []
    for i, (rows, columns, channels, n_out, groups, kernel, stride, dilation) in enumerate(EDGES):
        rng, size = np.random.default_rng(i), (rows, columns)
        builder = GraphBuilder((*size, channels))
        window = Window.same(size, (kernel,) * 2, (stride,) * 2, (dilation,) * 2)
        weights = rng.normal(0, 1, (n_out, kernel, kernel, channels // groups))
        builder.add(Conv, "conv", weights, rng.normal(0, 1, n_out), window, groups)
        data = pack(quantize(builder.build(), dtype, rng.normal(0, 1, (8, *size, channels))))
        tensor = open_model(data).inputs[0]
        models.append(
            (data, rng.integers(tensor.least, tensor.greatest + 1, (2, *tensor.shape)).astype(dtype))
        )
    expected = [run_local(data, x, "host").tobytes() for data, x in models]
    for own in (False, True):
        answers, _ = run(m33_elf, models, own=own)
        assert [EDGES[i] for i, y in enumerate(answers) if y.outputs != expected[i]] == []
        for (data, _), answer in zip(models, answers, strict=True):
            with NativeModel(data) as native:
                assert answer.workspace_bytes == workspace_bytes(native, "rp2350")


@pytest.mark.parametrize("dtype", ["int8", "int16", "int4"])
def test_convolutions_have_the_bits_of_the_host(dtype: str, m33_elf: bytes) -> None:
    models = []
    for seed in range(60):
        graph, rng = windows(seed).build(), np.random.default_rng(seed)
        x = rng.normal(0, 1, (16, *graph.tensors[graph.inputs[0]].shape)).astype(np.float32)
        data = convert(graph, dtype, calibrate=x).data
        tensor = open_model(data).inputs[0]
        models.append((data, x[:2] if tensor.dtype == "float32" else quantize_input(x[:2], tensor)))
    expected = [run_local(data, x, "host").tobytes() for data, x in models]
    for own in (False, True):
        answers, _ = run(m33_elf, models, own=own)
        assert [i for i, y in enumerate(answers) if y.outputs != expected[i]] == []


def test_float_depthwise_convolutions_are_near_the_host_s(m33_elf: bytes) -> None:
    models = []
    for seed in range(0, 80, 4):
        graph, rng = windows(seed).build(), np.random.default_rng(seed)
        shape = graph.tensors[graph.inputs[0]].shape
        models.append((pack(graph), rng.normal(0, 1, (2, *shape)).astype(np.float32)))
    answers, _ = run(m33_elf, models)
    for (data, x), answer in zip(models, answers, strict=True):
        here = run_local(data, x, "host")
        there = np.frombuffer(answer.outputs, np.float32).reshape(here.shape)
        assert np.abs(there - here).max() <= np.abs(here).max() * 2.0**-20


def elements(seed: int) -> GraphBuilder:
    """A sum, difference, product or pool of any shape, with or without limits of its own."""
    rng = np.random.default_rng(seed)
    shape = (*(int(n) for n in rng.integers(3, 12, 2)), int(rng.choice([1, 3, 4, 8, 12])))
    builder = GraphBuilder(shape)
    kind = (Add, Subtract, Multiply, MaxPool, AveragePool)[seed % 5]
    if issubclass(kind, MaxPool | AveragePool):
        kernel, stride = (tuple(int(n) for n in rng.integers(1, 4, 2)) for _ in range(2))
        window = Window.same(shape[:2], kernel, stride) if seed % 2 else Window(kernel, stride)
        builder.add(kind, "pool", window)
    else:
        constant = rng.normal(0, 1, (shape, shape[-1:], (1,))[seed // 5 % 3]).astype(np.float32)
        builder.add(kind, "joined", constant=constant)
    if seed % 7 > 3:
        builder.activation("relu", "relu6" if seed % 2 else "relu")
    return builder


# What is taken for 0 before it is rounded, 2^-126 (1 - 2^-24), and all else that is next to an edge.
SPECIAL = (
    0.0,
    -0.0,
    np.inf,
    -np.inf,
    np.nan,
    1 - 2**-24,
    2.0**-126,
    2.0**-127,
    2.0**-149,
    3.4e38,
    -1e-38,
    2.0**-63,
)


@pytest.mark.parametrize("core", ["armv8m", "portable"])
def test_sums_products_and_pools_of_floats_have_the_bits_of_the_host(core: str, m33_elf: bytes) -> None:
    """NaN is one number here: which bits it has is the processor's affair."""
    portable = [*HARD_FLOATS, *CORE_FLAGS, "-DANNE_PORTABLE"]
    elf = m33_elf if core == "armv8m" else build(core_sources(), portable)
    models = []
    for seed in range(60):
        builder, rng = elements(seed), np.random.default_rng(seed)
        special = np.resize(np.array(SPECIAL, np.float32), (5, 3)).T.reshape(-1)
        shape = builder.tensors["input"].shape
        x = rng.normal(0, 1, (4, *shape)).astype(np.float32)
        x[1] = rng.choice(special, shape)
        x[2] *= np.float32(2.0**-125)
        x[3] *= np.float32(2.0**-100)
        models.append((pack(builder.build()), x))
    builder = GraphBuilder((len(SPECIAL) ** 2,))  # each with each
    a, b = (part.reshape(-1) for part in np.meshgrid(SPECIAL, SPECIAL))
    finite = np.nan_to_num(b.astype(np.float32), nan=1, posinf=2.0**100, neginf=-(2.0**100))
    builder.add(Multiply, "product", constant=finite)
    models.append((pack(builder.build()), a.astype(np.float32)[None]))
    answers, _ = run(elf, models)
    for i, ((data, x), answer) in enumerate(zip(models, answers, strict=True)):
        here = run_local(data, x, "host").astype(np.float32).reshape(-1)
        there = np.frombuffer(answer.outputs, np.float32)
        same = (here.view(np.uint32) == there.view(np.uint32)) | (np.isnan(here) & np.isnan(there))
        assert same.all(), (i, here[~same][:4], there[~same][:4])


def test_aligned_floats_have_the_bits_of_the_host_at_all_sizes(m33_elf: bytes) -> None:
    """Inputs, weights and biases from the least to the greatest floats; denormal, infinite and NaN inputs."""
    models = []
    for seed in range(48):
        rng, sizes = np.random.default_rng(seed), (-44, -38, -32, -20, 0, 20, 36)
        n_in, n_out = int(rng.choice([1, 2, 7, 40, 170])), int(rng.choice([1, 2, 5, 8]))
        builder = GraphBuilder((n_in,))
        scale, other = (10.0 ** float(rng.choice(sizes[2:6])) for _ in range(2))
        bias = rng.normal(0, other, n_out) * (rng.random(n_out) < 0.8)
        builder.dense(
            "dense", rng.normal(0, scale, (n_out, n_in)), bias, "relu" if seed % 5 == 0 else "linear"
        )
        data = pack(builder.build())
        assert open_model(data).layers[0].kernel == "f32_aligned"
        x = np.stack([rng.normal(0, 1, n_in) * 10.0**size for size in sizes]).astype(np.float32)
        x[0, 0], x[1, -1] = rng.choice([np.nan, np.inf, 1e-45]), 2.0**-127
        models.append((data, x))
    answers, _ = run(m33_elf, models)
    for i, ((data, x), answer) in enumerate(zip(models, answers, strict=True)):
        here, there = run_local(data, x, "host").reshape(-1), np.frombuffer(answer.outputs, np.float32)
        same = (here.view(np.uint32) == there.view(np.uint32)) | (np.isnan(here) & np.isnan(there))
        assert same.all(), (i, here[~same][:4], there[~same][:4])


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_sums_products_and_pools_have_the_bits_of_the_host(dtype: str, m33_elf: bytes) -> None:
    models = []
    for seed in range(90):
        graph, rng = elements(seed).build(), np.random.default_rng(seed)
        x = rng.normal(0, 1, (16, *graph.tensors[graph.inputs[0]].shape)).astype(np.float32)
        data = convert(graph, dtype, calibrate=x).data
        tensor = open_model(data).inputs[0]
        models.append((data, x if tensor.dtype == "float32" else quantize_input(x, tensor)))
    answers, _ = run(m33_elf, models)
    expected = [run_local(data, x, "host").tobytes() for data, x in models]
    assert [i for i, y in enumerate(answers) if y.outputs != expected[i]] == []


def test_kernels_have_the_results_of_portable_c() -> None:
    """Weights that are rewritten, and back; factors and sums that no converter makes: see check_m33.c."""
    elf = build(core_sources(), HARD_FLOATS + CORE_FLAGS, program=Path(__file__).with_name("check_m33.c"))
    assert np.frombuffer(replied(elf, b"", M33), np.uint32).tolist() == [0, 0, 0, 0]


def test_fit_predicts_the_instructions_of_golden_models(m33_elf: bytes) -> None:
    """docs/costs_pico2.md has the figures of the day it was measured: 21 % at most, 4.2 in the mean."""
    found = [(name, *samples(name)) for name in NAMES]
    answers, _ = run(m33_elf, [(data, x[:1]) for _, data, x in found], own=True)
    off = {}
    for (name, data, _), answer in zip(found, answers, strict=True):
        costs = [layer_cost(layer, "", "rp2350").cycles for layer in open_model(data).layers]
        off[name] = abs(sum(costs) / answer.instructions[0] - 1)
    assert {name: part for name, part in off.items() if part > 0.25} == {}
    assert np.mean(list(off.values())) < 0.06
