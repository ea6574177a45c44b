"""Write the golden files in tests/golden/keras with the real Keras: models, inputs, and what its predict
says.

Run it once with Keras 3 (`pip install keras==3.15.0 torch==2.13.0 h5py`, KERAS_BACKEND=torch) and once with
Keras 2 (`pip install tensorflow-cpu==2.15.1`): the major version becomes the prefix of the files. With the argument
`branches` only the networks that branch are written, with `kinds` those of keras_kinds.py. Seed 20250103.

The tests that make their own files with an installed Keras use the models below, too.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
from keras import layers
from keras_kinds import AS_H5, KINDS, sentence

SEED = 20250103
FOLDER = Path(__file__).parent / "keras"
KERAS_2 = keras.__version__.startswith("2")
N_SAMPLES = 16


def mlp():
    """A classifier whose layers' names are out of order: only counting by class finds the weights."""
    scaler = layers.Normalization(name="scaler")
    scaler.adapt(np.random.normal([5, 3, 4, 1], [1, 0.5, 2, 0.6], (50, 4)).astype("float32"))
    return keras.Sequential(
        [
            keras.Input((4,)),
            scaler,
            layers.Dense(8, "relu", name="z"),
            layers.Dropout(0.2, name="m"),
            layers.Dense(6, "hard_sigmoid", name="y"),
            layers.Dense(3, "softmax", name="a"),
        ]
    )


def nested():
    """A functional model with a frozen Sequential in a Sequential in it, a shared layer, and batch norms."""
    core = keras.Sequential(
        [keras.Input((5,)), layers.Dense(4, name="z"), layers.BatchNormalization(scale=False)], name="core"
    )
    core.trainable = False
    inner = keras.Sequential(
        [keras.Input((6,)), layers.Dense(5, "tanh", name="b"), core, layers.Dense(6, name="a")], name="inner"
    )
    shared = layers.Dense(6, "swish", name="shared")
    x = inputs = keras.Input((4, 3))
    x = layers.Flatten()(x)
    x = layers.Dense(6, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = inner(shared(layers.ReLU(6)(x)))
    x = layers.Flatten()(layers.Reshape((2, -1))(shared(x)))
    return keras.Model(inputs, layers.Dense(2, "sigmoid")(layers.ELU(0.7)(x)))


def activations():
    """A chain of dense layers, one for each activation that both this version of Keras and AI-ANNE have."""
    names = "linear relu leaky_relu elu sigmoid hard_sigmoid tanh softplus swish gelu softmax"
    names += "" if KERAS_2 else " relu6 silu hard_silu hard_swish"
    chain = [layers.Dense(5, name, bias_initializer="normal") for name in names.split()]
    return keras.Sequential([keras.Input((5,)), *chain])


def elementwise():
    """Layers without weights, and normalisation constants that stand in the config only."""
    leaky = {"alpha": 0.3} if KERAS_2 else {"negative_slope": 0.3}
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 4.0, 9.0, 0.25]),
            layers.Rescaling(1.5, offset=-0.25),
            layers.Dense(4),
            layers.LeakyReLU(**leaky),
            layers.GaussianNoise(0.1),
            layers.Dense(4),
            layers.ReLU(negative_slope=0.1),
            layers.Dense(4, layers.LeakyReLU(**leaky)),
            layers.Activation("hard_sigmoid"),
            layers.Normalization(axis=None, mean=2.0, variance=5.0, invert=True),
            layers.Dense(3),
            layers.Softmax(),
        ]
    )


def lstm():
    """Not supported: recurrent."""
    memory = layers.LSTM(2, name="memory")
    return keras.Sequential([keras.Input((3, 2)), layers.Flatten(), layers.Reshape((3, 2)), memory])


def lambda_layer():
    """Not supported: code in the file."""
    return keras.Sequential([keras.Input((2,)), layers.Dense(2), layers.Lambda(lambda x: x * 2, name="code")])


def custom_layer():
    """Not supported: a class of the user's, though it is called Dense."""

    @keras.saving.register_keras_serializable("mine")
    class Dense(layers.Dense):
        pass

    return keras.Sequential([keras.Input((2,)), Dense(2, name="own")])


def two_inputs():
    """Two inputs that meet in an Add."""
    a, b = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    return keras.Model([a, b], layers.Dense(1)(layers.Add(name="sum")([a, b])))


def residual():
    """An MLP with two blocks that are added to what they read, with a batch norm, and an Add of three."""
    x = keras.Input((4,))
    h = layers.Dense(5, "relu")(x)
    block = layers.Dense(5)(layers.Dense(3, "relu")(h))
    h = layers.ReLU()(layers.Add()([h, block]))
    block = layers.Dense(5)(layers.BatchNormalization()(layers.Dense(3, "tanh")(h)))
    h = layers.Add()([block, h, layers.Dropout(0.1)(h)])
    return keras.Model(x, layers.Dense(2, "softmax")(h))


def structured():
    """Inputs and outputs in dicts, of a model inside it, too, which is called twice; an output is an input, one is used
    inside, too, and one layer is shared."""
    a, b = keras.Input((3,), name="second"), keras.Input((3,), name="first")
    pair = keras.Model(
        {"second": a, "first": b}, {"u": layers.Dense(3)(a), "s": layers.Add()([a, b])}, name="pair"
    )
    speed, image = keras.Input((3,), name="speed"), keras.Input((2, 2), name="image")
    shared = layers.Dense(3, "tanh", name="shared")
    h = shared(shared(speed))
    made = pair({"second": h, "first": layers.Dense(3)(layers.Flatten()(image))})
    both = pair({"second": made["u"], "first": made["s"]})["s"]
    outputs = {"sum": both, "hidden": h, "answer": layers.Dense(2)(both), "same": speed}
    return keras.Model({"speed": speed, "image": image}, outputs)


def sharing():
    """A model of two inputs and two outputs, which calls a Sequential twice, in a model that is called three times, its
    inputs changing places; and once one of its outputs is not used."""
    a, b = keras.Input((3,)), keras.Input((3,))
    core = keras.Sequential([keras.Input((3,)), layers.Dense(3, "relu"), layers.Dense(3)], name="core")
    inner = keras.Model([a, b], [layers.Add()([core(a), b]), core(layers.Dense(3)(b))], name="inner")
    a, b = keras.Input((3,)), keras.Input((3,))
    c, d = inner([b, a])
    middle = keras.Model([a, b], [c, layers.Add()([c, d, b])], name="middle")
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    c, d = middle([a, b])
    e, f = middle([d, c])
    g, _ = middle([e, b])
    return keras.Model([a, b], [layers.Dense(2)(g), f, c])


def crossing():
    """A model that is in two others. Keras cannot read it itself from a .keras file, nor Keras 2 from its .h5."""
    a = keras.Input((3,))
    inner = keras.Model(a, layers.Add()([layers.Dense(3, "tanh")(a), a]), name="inner")
    a = keras.Input((3,))
    outer = keras.Model(a, layers.Dense(2)(inner(inner(a))), name="outer")
    a = keras.Input((3,))
    return keras.Model(a, [outer(inner(a)), inner(a)])


def padded():
    """Zeros around one, two and three axes, as many on all sides and not; on two branches of one input, which meet."""
    line, image = keras.Input((5, 2), name="line"), keras.Input((3, 2, 2), name="image")
    volume = keras.Input((2, 1, 2, 3), name="volume")
    both = layers.Add()([layers.ZeroPadding1D((2, 1))(line), layers.ZeroPadding1D((0, 3))(line)])
    ways = [layers.ZeroPadding1D(1)(layers.ReLU()(both))]
    ways += [layers.ZeroPadding2D(p)(image) for p in (1, (0, 2), ((1, 0), (2, 3)))]
    ways += [layers.ZeroPadding3D(p)(volume) for p in (1, (2, 0, 1), ((0, 1), (2, 0), (1, 3)))]
    meeting = layers.Add()([layers.Dense(4)(layers.Flatten()(way)) for way in ways])
    return keras.Model([line, image, volume], [layers.Dense(2, "tanh")(meeting), *ways])


def operators():
    """x + x and x + y, as operators; a Sequential of a model with a branch."""
    x = keras.Input((3,))
    y = layers.Dense(3, "sigmoid")(x)
    branch = keras.Model(x, (x + x) + (y + x), name="branch")
    return keras.Sequential([keras.Input((3,)), branch, layers.Dense(2)])


GOOD = (mlp, nested, activations, elementwise)
BAD = (lstm, lambda_layer, custom_layer)
# Networks that branch; their inputs and outputs are numbered, in the order of model.inputs and model.outputs.
BRANCHES = (two_inputs, residual, structured, sharing, operators, *(() if KERAS_2 else (crossing, padded)))


def make(function):
    """Return (model, x, y): a model with random statistics and biases, inputs, and Keras's own outputs."""
    keras.utils.set_random_seed(SEED)
    model = function()
    randomise(model)
    x = np.random.normal(0, 2, (N_SAMPLES, *model.input_shape[1:])).astype("float32")
    return model, x, model.predict(x, verbose=0)


def make_branches(function):
    """Return (model, arrays): the same for a model of several inputs and outputs, by names such as sharing_x0."""
    keras.utils.set_random_seed(SEED)
    model = function()
    randomise(model)
    n = 2 if function in KINDS else N_SAMPLES
    x = [np.random.normal(0, 1, (n, *tensor.shape[1:])).astype("float32") for tensor in model.inputs]
    if function is sentence:
        x = [np.random.randint(0, 10, (n, 6)).astype("float32")]
    names = [tensor.name for tensor in model.inputs]
    y = model.predict(dict(zip(names, x, strict=True)) if function is structured else x, verbose=0)
    if isinstance(y, dict):
        y = [y[key] for key in sorted(y)]
    y = y if isinstance(y, list) else [y]
    arrays = {f"{function.__name__}_x{n}": array for n, array in enumerate(x)}
    return model, arrays | {f"{function.__name__}_y{n}": array for n, array in enumerate(y)}


def randomise(model) -> None:
    """Give biases and batch norms values other than zero and one, so that a mistake with them is seen."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            randomise(layer)
        elif isinstance(layer, (layers.BatchNormalization, layers.TimeDistributed)):
            layer.set_weights([np.random.uniform(0.5, 2, w.shape) for w in layer.get_weights()])
        elif isinstance(layer, (layers.LayerNormalization, layers.GroupNormalization)):
            layer.set_weights([np.random.normal(0, 1, w.shape) for w in layer.get_weights()])
        elif getattr(layer, "use_bias", False):
            *kernels, bias = layer.get_weights()
            layer.set_weights([*kernels, np.random.normal(0, 0.5, bias.shape)])


def write_bfloat16() -> None:
    """Write a model whose weights Keras 3 keeps in bfloat16, and what it says of them."""
    keras.utils.set_random_seed(SEED)
    keras.config.set_dtype_policy("bfloat16")
    model = keras.Sequential([keras.Input((4,)), layers.Dense(5, "relu"), layers.Dense(3)])
    randomise(model)
    x = np.random.normal(0, 2, (N_SAMPLES, 4)).astype("float32")
    expected = {"x": x, "y": np.asarray(model.predict(x, verbose=0)).astype("float32")}
    for index, layer in enumerate(model.layers):
        for what, values in zip(("kernel", "bias"), layer.get_weights(), strict=True):
            expected[f"{what}_{index}"] = np.asarray(values).astype("float32")
    for suffix in ("keras", "h5"):
        model.save(FOLDER / f"keras3_bfloat16.{suffix}")
    np.savez_compressed(FOLDER / "keras3_bfloat16.npz", **expected)
    keras.config.set_dtype_policy("float32")


def main() -> None:
    """Write every file of this version of Keras."""
    FOLDER.mkdir(exist_ok=True)
    prefix = "keras2" if KERAS_2 else "keras3"
    wanted = sys.argv[1:] or ["chains", "branches", "kinds"]
    if "chains" in wanted:
        write_chains(prefix)
    if "branches" in wanted:
        write_several(prefix, "branches", BRANCHES)
    if "kinds" in wanted:
        write_several(prefix, "kinds", KINDS)


def write_several(prefix: str, name: str, functions) -> None:
    """Write models of several inputs and outputs, and what Keras says of them."""
    expected = {"version": np.array(keras.__version__)}
    for function in functions:
        model, arrays = make_branches(function)
        expected |= arrays
        suffixes = ("keras", "h5")
        if function is crossing or function in KINDS and KERAS_2:
            suffixes = ("h5",)
        elif function in KINDS and function not in AS_H5:
            suffixes = ("keras",)
        for suffix in suffixes:
            model.save(FOLDER / f"{prefix}_{function.__name__}.{suffix}")
    np.savez_compressed(FOLDER / f"{prefix}_{name}.npz", **expected)


def write_chains(prefix: str) -> None:
    """Write the models without branches."""
    expected = {"version": np.array(keras.__version__)}
    for function in GOOD:
        model, expected[f"{function.__name__}_x"], expected[f"{function.__name__}_y"] = make(function)
        for suffix in ("keras", "h5"):
            model.save(FOLDER / f"{prefix}_{function.__name__}.{suffix}")
    for function in BAD:
        function().save(FOLDER / f"{prefix}_{function.__name__}.keras")
    np.savez_compressed(FOLDER / f"{prefix}_expected.npz", **expected)
    if not KERAS_2:
        write_bfloat16()


if __name__ == "__main__":
    sys.exit(main())
