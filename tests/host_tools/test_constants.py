"""What C, Python and FORMAT.md must have in common, read out of the C headers and out of the page's tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import anne
import pytest
from anne import layers as layers_of_anne
from anne import layouts, metadata, model_file, reference, unfit
from anne.layouts import rows as rows_of_integers
from anne.weights import LAYOUTS
from anne_tools import layers
from anne_tools.boards import fit
from anne_tools.commands import convert
from anne_tools.conversion import convert as conversion
from anne_tools.conversion import quantize
from anne_tools.conversion.choose import AUTO
from anne_tools.layers import binary, copies, dense, depthwise_cut, multiply, walks
from anne_tools.network import activations

ROOT = Path(__file__).parents[2]
C = ROOT / "native_module"
FORMAT = (ROOT / "FORMAT.md").read_text()


def source(name: str) -> str:
    return (C / name).read_text()


def constant(name: str, file: str) -> int:
    """Return the value of a #define in a C file."""
    text = re.search(rf"^#define {name}\s+(\(?[^/\n]+)", source(file), re.M)[1]
    return eval(
        re.sub(r"(\d)u\b", r"\1", text), {}
    )  # numbers, shifts and signs mean the same in C and Python


def section(title: str) -> str:
    """Return the part of FORMAT.md under a heading, up to the next of any level."""
    return re.split(r"^#+ .*$", re.split(rf"^#+ {title}.*$", FORMAT, flags=re.M)[1], flags=re.M)[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of every line of a table."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]


def test_the_package_says_the_version_of_the_project():
    # on stock firmware `import anne` compares it with the module's, which the build takes from VERSION
    assert anne.__version__ == (ROOT / "VERSION").read_text().strip()


# --- C and Python -----------------------------------------------------------------------------------------------------


def test_activations_have_the_same_order_everywhere():
    names = re.findall(r"X\((\w+), [\d.]+f\)", source("anne.h"))
    assert list(reference.ACTIVATIONS) == names
    assert list(activations.ACTIVATIONS) == names


def test_what_is_trained_has_the_same_order_everywhere():
    host_trainer = pytest.importorskip("anne.host_trainer")
    for name in ("LOSSES", "OPTIMIZERS"):
        listed = re.search(rf"#define ANNE_{name}.*", source("train/state.h"))[0]
        assert list(getattr(host_trainer, name)) == re.findall(r"X\((\w+)\)", listed)


def test_activations_have_the_same_default_alpha_everywhere():
    in_c = {name: float(alpha) for name, alpha in re.findall(r"X\((\w+), ([\d.]+)f\)", source("anne.h"))}
    assert {name: alpha for name, _, alpha in reference._ACTIVATION_TABLE} == in_c
    assert {name: alpha for name, alpha in in_c.items() if alpha} == activations.DEFAULT_ALPHA


@pytest.mark.parametrize("name", ["CHUNK", "COLUMNS", "CACHED_WORDS", "GATHERED_BYTES", "BY_BYTE"])
def test_prices_of_convolutions_count_as_the_kernel_goes(name: str):
    (value,) = re.findall(rf"\b{name} = (\d+)", source("kernels/conv_s8.c"))
    assert getattr(walks, name) == int(value)


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("BAND", "layers/dense.c", dense.BAND),
        ("ANNE_LEAST_JOINED", "kernels/add.h", binary.LEAST_JOINED),
        ("LEAST_SHIFT", "kernels/multiply.c", multiply.LEAST_SHIFT),
        ("MOST_SHIFT", "kernels/multiply.c", multiply.MOST_SHIFT),
        ("SHORT_BYTES", "kernels/rows.c", copies.SHORT_BYTES),
        ("NARROW", "kernels/depthwise_s8.c", depthwise_cut.NARROW),
        ("MOST_WORDS", "kernels/depthwise_s8.c", depthwise_cut.MOST_WORDS),
    ],
)
def test_prices_have_the_limits_of_the_kernels(name: str, path: str, value: int):
    assert re.findall(rf"#define {name}\s+\(?(-?\d+)", source(path)) == [str(value)]


@pytest.mark.parametrize(
    ("name", "file", "expected"),
    [
        ("ANNE_MODEL_VERSION", "model.h", model_file.VERSION),
        ("ANNE_MAX_TENSORS", "records.h", model_file.MAX_TENSORS),
        ("ANNE_MAX_LAYERS", "model.h", model_file.MAX_LAYERS),
        ("ANNE_MAX_ARENA_BYTES", "model.h", model_file.MAX_ARENA_BYTES),
        ("ANNE_MAX_CONSTANT_BYTES", "model.h", model_file.MAX_CONSTANT_BYTES),
        ("ANNE_MAX_NAME_BYTES", "metadata.h", metadata.MAX_NAME_BYTES),
        ("ANNE_MAX_ELEMENTS", "tensor.h", model_file.MAX_ELEMENTS),
        ("ANNE_MAX_RANK", "tensor.h", 4),
        ("ANNE_MAX_CONSTANTS", "layers/layers.h", model_file.MAX_CONSTANTS),
        ("ANNE_MAX_BIAS", "layers/rows.h", rows_of_integers.MAX_BIAS),
        ("ANNE_MAX_SHIFT", "kernels/requantize.h", rows_of_integers.MAX_SHIFT),
        ("ANNE_DENSE_S8_PANEL", "kernels/dense_s8.h", layouts.S8Quad.PANEL),
        ("ANNE_DENSE_S8_MAX_IN", "kernels/dense_s8.h", layouts.S8Quad.MAX_IN),
        ("ANNE_DENSE_S8_MAX_IN", "kernels/dense_s8.h", layouts.S8F32.MAX_IN),
        ("ANNE_DENSE_S4_MAX_IN", "kernels/dense_s4.h", layouts.S4.MAX_IN),
        ("ANNE_DENSE_F32_ALIGNED_PANEL", "kernels/dense_f32_aligned.h", layouts.F32Aligned.PANEL),
        ("ANNE_DENSE_F32_ALIGNED_MAX_IN", "kernels/dense_f32_aligned.h", layouts.F32Aligned.MAX_IN),
        (
            "ANNE_DENSE_F32_ALIGNED_MAX_WEIGHT",
            "kernels/dense_f32_aligned.h",
            layouts.F32Aligned.MAX_WEIGHT,
        ),
        (
            "ANNE_DENSE_F32_ALIGNED_MIN_EXPONENT",
            "kernels/dense_f32_aligned.h",
            layouts.F32Aligned.MIN_EXPONENT,
        ),
        (
            "ANNE_DENSE_F32_ALIGNED_MAX_EXPONENT",
            "kernels/dense_f32_aligned.h",
            layouts.F32Aligned.MAX_EXPONENT,
        ),
        ("ANNE_DENSE_S4_HEAVIEST", "kernels/dense_s4.h", layouts.S4.HEAVIEST),
        ("ANNE_TABLE_S16_ENTRIES", "kernels/tables.h", 513),
        ("ANNE_SOFTMAX_S8_MAX", "kernels/tables.h", 511),
        ("ANNE_SOFTMAX_S16_MAX", "kernels/tables.h", 65536),
        ("ANNE_LOG_SOFTMAX_MAX", "kernels/tables.h", 4095),
    ],
)
def test_limits(name, file, expected):
    # 513, 511, 65536 and 4095 are FORMAT.md's; test_model_file.py holds both readers to them
    assert constant(name, file) == expected


def test_convert_offers_every_type():
    (option,) = [parameter for parameter in convert.command.params if parameter.name == "dtype"]
    assert tuple(option.type.choices) == get_args(conversion.Dtype) == (AUTO, *quantize.DTYPES)
    assert get_args(conversion.Board) == tuple(fit.BOARDS)
    assert set(quantize.DTYPES) > set(quantize.INTEGER_DTYPES)


def test_sizes_of_structures():
    # the static assertion in model.c compares the structures themselves
    sizes = re.search(r"sizeof\(header_t\) == (\d+) && sizeof\(anne_tensor_t\) == (\d+)", source("model.c"))
    assert [int(size) for size in sizes.groups()] == [model_file.HEADER_BYTES, model_file.TENSOR_BYTES]


def test_types():
    in_c = re.findall(r"ANNE_(FLOAT32|INT8|INT16) = (\d)", source("tensor.h"))
    assert {int(number): name.lower() for name, number in in_c} == {
        number: row[0] for number, row in model_file.DTYPES.items()
    }


def test_kinds_of_layers():
    in_chains = numbered_in_c("ANNE_DENSE_KINDS", "layers/layers.h")
    assert tuple(in_chains.values()) == unfit.DENSE_KINDS
    assert in_chains | numbered_in_c("ANNE_KINDS", "layers/layers.h") == model_file.KINDS
    for name in model_file.KINDS.values():
        assert f"const anne_layer_kind_t anne_{name} = {{" in source(f"layers/{name}.c")


@pytest.mark.parametrize("kind", model_file.KINDS.values())
def test_the_three_rooms_of_a_kind_agree(kind):
    """On its word, and on where its output may lie, which each of them says."""
    found = re.search(r"\.place = ANNE_PLACE_(\w+)", source(f"layers/{kind}.c"))
    in_c = found[1].lower().replace("_", " ") if found else "own"
    on_the_host = layers.room(kind)
    assert in_c == layers_of_anne.room(kind).PLACE == on_the_host.place
    assert object.__new__(on_the_host).kind == kind
    assert on_the_host.ON_CORTEX_M33, "no price"


def names_in_c(macro: str, file: str) -> dict[int, str]:
    """Return the names of an X-macro of one line or more, numbered from 1."""
    return dict(enumerate(re.findall(r"X\((\w+)\)", body_in_c(macro, file)), 1))


def numbered_in_c(macro: str, file: str) -> dict[int, str]:
    """Return the names of an X-macro by the numbers that stand beside them."""
    return {int(number): name for name, number in re.findall(r"X\((\w+), (\d+)\)", body_in_c(macro, file))}


def body_in_c(macro: str, file: str) -> str:
    """Return what an X-macro stands for, of one line or more."""
    return re.search(rf"#define {macro}\(X\)((?:.*\\\n)*.*)", source(file))[1]


def test_layouts_of_dense_weights():
    table = re.search(r" layouts\[ANNE_LAYOUT_COUNT\] = \{(.*?)\n\};", source("layers/layouts.c"), re.S)[1]
    pattern = r"\[(\d)\] = \{ANNE_(\w+), ANNE_(\w+), (\d), check_(\w+),"
    in_c = {
        int(number): (name, x.lower(), y.lower(), int(n_constants))
        for number, x, y, n_constants, name in re.findall(pattern, table)
    }
    assert in_c == LAYOUTS
    assert set(layouts.LAYOUTS) == {row[0] for row in in_c.values()}
    assert names_in_c("ANNE_LAYOUTS", "layers/layers.h") == {n: row[0] for n, row in in_c.items()}


def test_tags_of_metadata():
    assert names_in_c("ANNE_TAGS", "metadata.h") == model_file.TAGS


# --- FORMAT.md --------------------------------------------------------------------------------------------------------


def test_format_header():
    fields = {row[2]: row for row in rows(section("Header")) if row[0].isdigit()}
    assert [fields[name][0] for name in ("magic", "version", "total_bytes", "crc32", "arena_bytes")] == [
        "0", "4", "8", "12", "16"
    ]  # fmt: skip
    assert fields["version"][3] == str(model_file.VERSION)
    assert fields["header_bytes"][3] == str(model_file.HEADER_BYTES)
    assert fields["n_tensors"][3] == f"1 to {model_file.MAX_TENSORS}"
    assert fields["n_layers"][3] == f"1 to {model_file.MAX_LAYERS}"
    assert fields["arena_bytes"][3].endswith(f"at most 2^{model_file.MAX_ARENA_BYTES.bit_length() - 1}")


def test_format_tensors():
    fields = {row[2]: row for row in rows(section("Tensors, 32 bytes each")) if row[0].isdigit()}
    names = ", ".join(f"{number} {row[0]}" for number, row in sorted(model_file.DTYPES.items()))
    assert fields["dtype"][3] == names
    assert f"at most 2^{model_file.MAX_ELEMENTS.bit_length() - 1} elements" in fields["shape"][3]


def test_format_activations():
    listed = re.findall(r"(\d+) (\w+)[,.]", section("Activations").split("Their meaning")[0])
    assert [(int(number), name) for number, name in listed] == list(enumerate(reference.ACTIVATIONS))


def test_format_kinds():
    headings = re.findall(r"^### Kind (\d+), (\w+)", FORMAT, re.M)
    assert {int(number): name for number, name in headings} == model_file.KINDS


def test_format_layouts():
    table = {row[0]: row for row in rows(section("Kind 1, dense")) if re.match(r"\d \w", row[0])}
    assert list(table) == [f"{number} {row[0]}" for number, row in sorted(LAYOUTS.items())]
    for number, (name, x_dtype, y_dtype, _) in LAYOUTS.items():
        _, types, constants = table[f"{number} {name}"]
        assert types.split(", ")[0::2] == [x_dtype, y_dtype]
        limit = re.search(r"n_in at most (\d+)", constants)
        assert (int(limit[1]) if limit else None) == getattr(layouts.LAYOUTS[name], "MAX_IN", None), name


def test_format_limits_of_integers():
    assert f"|bias| <= 2^{rows_of_integers.MAX_BIAS.bit_length() - 1} throughout" in FORMAT
    assert f"i32 shift, -31 to {rows_of_integers.MAX_SHIFT}" in FORMAT
    assert f"for each {layouts.S8Quad.PANEL} columns" in FORMAT
    assert f"for each {layouts.F32Aligned.PANEL} columns" in FORMAT
    assert f"|W| <= 2^{layouts.F32Aligned.MAX_WEIGHT.bit_length() - 1} stands" in FORMAT
    assert f"add up to more than {layouts.S4.HEAVIEST} in a panel" in FORMAT
    least, most = layouts.F32Aligned.MIN_EXPONENT, layouts.F32Aligned.MAX_EXPONENT
    assert f"exponent of each row (int32, {least} to {most})" in FORMAT


def test_format_metadata():
    table = {int(row[0]): row[1] for row in rows(section("Metadata")) if row[0].isdigit()}
    assert table == model_file.TAGS


def test_design_states_the_stack_that_is_asked_for():
    text = (ROOT / "DESIGN.md").read_text()
    load, call = (constant(f"{name}_STACK_BYTES", "binding/runtime.h") for name in ("OPEN", "CALL"))
    assert f"A load asks for {load:,} bytes" in text
    assert f"any other call for {call:,}" in text
