"""AI-ANNE's four published IRIS networks as model files that take centimetres: writes them into examples/networks.

python examples/published.py
"""

import csv
import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import anne_tools
from anne_tools.networks import CLASSES, THRESHOLD, Network, published_networks

FOLDER = Path(__file__).parent / "networks"
FEATURES = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]


def scaling(network: Network) -> dict:
    """Return how the network's inputs were scaled when it was trained, as the importer for JSON takes it."""
    folder = files("anne_tools.networks")
    if network.name == "iris-4-4-2-1":
        given = json.loads(folder.joinpath("iris_4_4_2_1.json").read_text())["scaling"]
        return {key: given[key] for key in ("min", "max")}
    given = json.loads(folder.joinpath("iris_test_20.json").read_text())
    return {key: given[key] for key in ("mean", "std")}


def flowers() -> list[list[float]]:
    """Return the four measures of the 100 flowers, in cm."""
    text = files("anne_tools.networks").joinpath("iris.csv").read_text()
    return [[float(value) for value in row[1:]] for row in csv.reader(text.splitlines())]


def make(network: Network) -> anne_tools.Converted:
    """Return a published network as a float32 model file; some of the flowers travel in it as golden samples."""
    return anne_tools.convert(
        {
            "name": network.name,
            "features": FEATURES,
            "labels": list(CLASSES),
            "threshold": THRESHOLD,
            "scaling": scaling(network),
            "layers": [asdict(layer) for layer in network.layers],
            "source": "AI-ANNE, https://github.com/statistical-thinking/KI.ENNA, D. Klinkhammer",
            "licence": "MIT",
        },
        calibrate=flowers(),
    )


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, network in published_networks().items():
        converted = make(network)
        converted.save(FOLDER / f"{name}.anne")
        print(f"{name}.anne: {len(converted.to_bytes())} bytes, {network.title}")


if __name__ == "__main__":
    main()
