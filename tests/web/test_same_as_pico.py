"""What the page computes and gives away is what the host tools have: losses, values, bytes, costs."""

from __future__ import annotations

import re
from pathlib import Path

import anne
import anne_tools
import numpy as np
import pytest
from anne.model_file import ModelFile
from anne_tools.boards.fit import fit
from anne_tools.boards.romfs_uf2 import romfs_uf2
from anne_tools.cores.native import NativeModel
from anne_tools.networks import published_training
from page_network import drawn_neurons, drawn_weights, written

NETS = ["lesson/4-3-1", "iris/4-3-1", "iris3/4-8-5-3", "moons/2-16-9-1", "xor/2-1"]


def file_bytes(explorer) -> bytes:
    return bytes(explorer.page.evaluate("Array.from(anne.file().bytes)"))


def test_the_published_losses(explorer):
    """AI-ANNE's own, of epochs 1, 11, ... 100, to four decimals."""
    explorer.open("en/lesson/4-3-1/train")
    explorer.page.click("#train-hundred")
    losses = explorer.page.evaluate("anne.losses.map((loss) => anne.shownLoss(loss))")
    published = published_training().published_losses
    assert {epoch: round(losses[epoch - 1], 4) for epoch in published} == published
    assert explorer.page.inner_text("#train-state") == "After epoch 100 the loss is 0.18127."


@pytest.mark.parametrize("net", NETS)
def test_files_are_the_writers(explorer, net):
    """`.anne` as anne.model_writer makes it of the same weights, the UF2 as `anne convert --uf2`, to the byte."""
    explorer.open(f"en/{net}/pico")
    explorer.page.evaluate("anne.epochs(30)")
    expected, name = written(explorer, explorer.parameters()), explorer.page.evaluate("anne.data.name")
    assert file_bytes(explorer) == expected
    for button, board in (("#pico-uf2", "pico"), ("#pico-uf2-pico2", "pico2")):
        with explorer.page.expect_download() as download:
            explorer.page.click(button)
        assert download.value.path().read_bytes() == romfs_uf2({f"{name}.anne": expected}, board)


@pytest.mark.parametrize("net", NETS)
def test_costs_are_fits(explorer, net):
    explorer.open(f"en/{net}/net")
    verdict = fit(file_bytes(explorer), "pico")
    shown = explorer.page.locator("#net-cost")
    assert float(shown.get_attribute("data-microseconds")) == pytest.approx(
        verdict.elapsed_ms * 1000, rel=1e-9
    )
    assert int(shown.get_attribute("data-file")) == verdict.file_bytes
    assert int(shown.get_attribute("data-ram")) == verdict.ram_bytes


@pytest.mark.parametrize("net", ["lesson/4-3-1", "iris3/4-8-5-3"])
def test_every_value_drawn_is_the_trace(explorer, net):
    """Of rows 1, 8 and 15, to the bit: the values of `net.trace` on a Pico."""
    explorer.open(f"en/{net}/train")
    explorer.page.evaluate("anne.epochs(20)")
    explorer.page.click("#tab-look")
    with NativeModel(file_bytes(explorer)) as model:
        for row in (0, 7, 14):
            explorer.page.fill("#look-row", str(row + 1))
            explorer.page.keyboard.press("Enter")
            x = np.array(explorer.page.evaluate(f"anne.data.x[{row}]"), np.float32)
            layers = [values.ravel() for values in model.trace(x).values()]
            if net.startswith("iris3"):  # scaling is drawn as the inputs; the sums below softmax are not
                inputs, *hidden, _, last = layers
            else:
                inputs, hidden, last = x, layers[:-1], layers[-1]
            for layer, values in enumerate([inputs, *hidden, last]):
                assert np.array_equal(drawn_neurons(explorer, layer), values)


def test_every_neurons_map_is_the_trace(explorer):
    """Over petal length and width, the other two as in row 1: each cell as dark as its value lies between the least
    and the greatest of the map; three decimals are drawn."""
    explorer.open("en/iris/4-3-1/train")
    explorer.page.evaluate("anne.epochs(20)")
    explorer.page.click("#tab-look")
    explorer.page.click("#look-maps")
    x = np.array(explorer.page.evaluate("anne.data.x"))
    low, high = x.min(axis=0), x.max(axis=0)
    low, high = low - 0.04 * (high - low), high + 0.04 * (high - low)
    places = low + (np.arange(10)[:, None] + 0.5) / 10 * (high - low)
    rows = [[*x[0, :2], places[i, 2], places[k, 3]] for i in range(10) for k in range(10)]
    with NativeModel(file_bytes(explorer)) as model:
        traces = [list(model.trace(np.array(row, np.float32)).values()) for row in rows]
    for layer, n in enumerate((4, 3, 1)):
        for neuron in range(n):
            values = np.array([trace[layer].ravel()[neuron] for trace in traces], float)
            span = values.max() - values.min()
            expected = (values - values.min()) / span * 0.75 if span else np.zeros(100)
            drawn = explorer.page.evaluate(
                f"Array.from(document.querySelectorAll('#neuron-{layer}-{neuron} .heat rect'),"
                " (rect) => Number(rect.getAttribute('fill-opacity')))"
            )
            assert np.allclose(drawn, expected, atol=6e-4)


def test_every_weight_drawn_is_the_networks(explorer):
    explorer.open("en/iris/4-3-1/look")
    explorer.page.evaluate("anne.epochs(5)")
    explorer.page.click("#tab-look")
    parameters = explorer.parameters()
    first = {f"1,{o},{i}": parameters[4 * o + i] for o in range(3) for i in range(4)}
    second = {f"2,0,{i}": parameters[15 + i] for i in range(3)}
    assert drawn_weights(explorer) == first | second


def test_the_sum_that_is_written_out_adds_up(explorer):
    explorer.open("en/iris/4-3-1/train")
    explorer.page.evaluate("anne.epochs(20)")
    explorer.page.click("#tab-look")
    explorer.page.click("#neuron-2-0")
    lines = explorer.page.evaluate(
        "Array.from(document.querySelectorAll('table.sum tbody tr'), (tr) => [tr.querySelector('input').value,"
        " ...Array.from(tr.querySelectorAll('td'), (td) => td.innerText).slice(1, 3)])"
    )
    *products, (bias, _, _) = lines
    for weight, value, product in products:
        assert float(product) == pytest.approx(
            float(weight) * float(value), rel=2e-3
        )  # four digits are shown
    total = sum(float(product) for _, _, product in products) + float(bias)
    shown = explorer.page.locator("#look-out")
    assert float(shown.get_attribute("data-sum")) == pytest.approx(total, abs=5e-3)
    out = float(shown.get_attribute("data-value"))
    assert out == pytest.approx(1 / (1 + np.exp(-total)), abs=5e-3)


def test_a_gradient_is_the_difference_of_losses(explorer):
    """Of each bias, against central differences of the loss over the same row, in float32."""
    explorer.open("en/iris/4-3-1/look")
    told, measured = explorer.page.evaluate(
        """() => {
        const row = anne.training.only(0), at = [12, 13, 14, 18], step = 1e-2;
        const gradients = anne.network.gradients(row.x, row.y), before = anne.network.parameters;
        const loss = (i, d) => {
            anne.network.parameters = before.map((v, k) => (k === i ? v + d : v));
            return anne.network.loss(row);
        };
        return [at.map((i) => gradients[i]), at.map((i) => (loss(i, step) - loss(i, -step)) / (2 * step))];
    }"""
    )
    assert told == pytest.approx(measured, abs=2e-4)


def test_the_program_is_read_by_the_converter(explorer, tmp_path):
    """AI-ANNE's words: what the importer of its programs makes of it says what the page says, but for rounding."""
    explorer.open("en/iris/4-3-1/pico")
    explorer.page.evaluate("anne.epochs(20)")
    explorer.page.click("#tab-data")
    explorer.page.click("#tab-pico")
    path = tmp_path / "net.py"
    path.write_text(explorer.page.inner_text("#pico-text"))
    converted = anne_tools.convert(path)
    rows = np.array(explorer.page.evaluate("anne.data.x"))
    said = np.array(explorer.page.evaluate("anne.data.x.map((row) => anne.values(row).at(-1)[0])"))
    assert np.allclose(converted.predict(rows).ravel(), said, atol=1e-5)
    assert re.search(r"^from anne import dense$", path.read_text(), re.M)


def test_the_program_in_the_documents_is_the_pages(explorer):
    """Which runs there, as every block in docs/ does; but for line ends and spaces, which are laid out there."""
    explorer.open("en/xor/2-2-1/train")
    explorer.page.evaluate("anne.epochs(1000)")
    explorer.page.click("#tab-pico")
    page = (Path(__file__).parents[2] / "docs/explorer.md").read_text()
    bare = lambda text: re.sub(r"\s", "", text)  # noqa: E731
    assert bare(explorer.page.inner_text("#pico-text")) in bare(page)


@pytest.mark.parametrize("net", [*NETS, "circles/2-6-5-1", "iris3/4-3"])
def test_integers_are_the_references(explorer, net):
    """What the page says a neuron's integer is, the Python reference computes from the same file; and the network in
    integers answers nearly as in floats."""
    explorer.open(f"en/{net}/train")
    activations = "['tanh', 'leaky_relu', 'sigmoid']"
    explorer.page.evaluate(
        f"anne.setHidden(anne.hidden.map((layer, l) => ({{ ...layer, activation: {activations}[l] }})))"
    )
    explorer.page.evaluate("anne.epochs(40)")
    explorer.page.click("#tab-int8")
    data = bytes(explorer.page.evaluate("Array.from(anne.int8().bytes)"))
    x = explorer.page.evaluate("anne.data.x[3] ?? anne.data.x[0]")
    explorer.page.evaluate("anne.look(3)")
    shown = explorer.page.evaluate(
        "Array.from(document.querySelectorAll('#int8-neurons tr[data-integer]'), (tr) => Number(tr.dataset.integer))"
    )
    layers, expected = ModelFile(data).layers, []
    for index, (_, reals) in enumerate(list(anne.load(data).trace(x))[1:]):
        if layers[index].kind == "dense" and [layer.kind for layer in layers[index + 1 : index + 2]] == [
            "activation"
        ]:
            continue  # the sums below it, which are not drawn
        tensor = layers[index].outputs[0]
        expected += [round(v / tensor.scale) + tensor.zero_point for v in reals]
    assert shown == expected
    right = explorer.page.get_attribute("#int8-totals", "data-right").split()
    assert abs(int(right[0]) - int(right[1])) <= 0.05 * len(explorer.page.evaluate("anne.data.y"))
