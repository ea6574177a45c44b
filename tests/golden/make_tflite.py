"""Write the golden files in tests/golden/tflite with TensorFlow's converter, and what LiteRT and TFLite Micro say.

Run with `pip install tensorflow-cpu==2.21.0` (Keras 3); then with `--micro` where tflite-micro is installed, which adds
the int8 outputs of TensorFlow Lite Micro. Seed 20261123.

Networks that branch have expected outputs of their own, in branches.npz; `--branches` writes them alone.

mlp: Flatten, dense layers with and without bias and with relu6, batch normalisation, softmax; its Reshape layer is what
writes SHAPE, STRIDED_SLICE and PACK. activations: a dense layer before each activation. wide: layers large enough
(1,024 weights) for the converter to quantise their weights alone. branches: two inputs and two outputs, a residual
block, and values that several layers read.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

SEED = 20261123
N_SAMPLES = 16
FOLDER = Path(__file__).parent / "tflite"


def mlp(layers, keras):
    """Shapes, biases, a batch normalisation, the usual activations."""
    return keras.Sequential(
        [
            keras.Input((3, 4)),
            layers.Flatten(),
            layers.Dense(8),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dense(6, "relu6", use_bias=False),
            layers.Dense(6, "tanh"),
            layers.Dense(6, "sigmoid"),
            layers.Reshape((2, 3)),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )


def activations(layers, keras):
    """A dense layer before each activation that TFLite has as an operator, or spells out."""
    names = ["relu", "leaky_relu", "elu", "sigmoid", "tanh", "swish", "hard_sigmoid", "gelu"]
    return keras.Sequential([keras.Input((5,)), *[layers.Dense(5, name) for name in names]])


def wide(layers, keras):
    """Two large layers and a small one."""
    return keras.Sequential(
        [keras.Input((32,)), layers.Dense(36, "relu"), layers.Dense(32, "elu"), layers.Dense(4, "softmax")]
    )


def branches(layers, keras):
    """An image and a speed; a residual block; two outputs, of which one has a value added that both have seen."""
    image, speed = keras.Input((3, 4), name="image"), keras.Input((2,), name="speed")
    seen = layers.Dense(8, "relu")(layers.Flatten()(image))
    meeting = layers.Add()([seen, layers.Dense(8)(speed)])
    block = layers.Dense(8)(layers.Dense(8, "relu")(meeting))
    out = layers.ReLU()(layers.Add()([meeting, block]))
    steer = layers.Add(name="steer")([layers.Dense(2)(out), speed])
    stop = layers.Dense(1, "sigmoid", name="stop")(out)
    return keras.Model([image, speed], [steer, stop])


def make_branches() -> None:
    """Write the networks that branch, and what Keras says: inputs x_NAME, outputs y_NAME."""
    import keras
    import tensorflow as tf
    from keras import layers

    keras.utils.set_random_seed(SEED)
    model, rng = branches(layers, keras), np.random.default_rng(SEED)
    for variable in model.variables:
        variable.assign(variable + rng.uniform(-0.3, 0.3, variable.shape))
    shapes = {"image": (3, 4), "speed": (2,)}
    x = {name: rng.normal(0, 1, (N_SAMPLES, *shape)).astype(np.float32) for name, shape in shapes.items()}
    steer, stop = model.predict(x, verbose=0)
    expected = {"version": np.array(tf.__version__), "y_steer": steer, "y_stop": stop}
    expected |= {f"x_{name}": values for name, values in x.items()}

    def samples():
        return ({name: values[i : i + 1] for name, values in x.items()} for i in range(N_SAMPLES))

    for kind in ("float32", "int8", "int8_float_ends"):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        if kind != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = samples
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        if kind == "int8":
            converter.inference_input_type = converter.inference_output_type = tf.int8
        (FOLDER / f"branches_{kind}.tflite").write_bytes(converter.convert())
    np.savez_compressed(FOLDER / "branches.npz", **expected)


def add_int8_outputs_of_branches() -> None:
    """Add what TensorFlow Lite Micro says of the int8 network that branches: 200 random inputs, in the file's order."""
    from tflite_micro.python.tflite_micro import runtime

    expected = dict(np.load(FOLDER / "branches.npz"))
    interpreter = runtime.Interpreter.from_bytes((FOLDER / "branches_int8.tflite").read_bytes())
    rng = np.random.default_rng(SEED)
    shapes = [interpreter.get_input_details(i)["shape"][1:] for i in range(2)]
    x = [rng.integers(-128, 128, (200, *shape), np.int8) for shape in shapes]
    outputs = [[], []]
    for row in zip(*x, strict=True):
        for index, values in enumerate(row):
            interpreter.set_input(values[None], index)
        interpreter.invoke()
        for index in range(2):
            outputs[index].append(interpreter.get_output(index)[0].copy())
    expected |= {f"int8_x_{index}": values for index, values in enumerate(x)}
    expected |= {f"int8_y_{index}": np.array(values) for index, values in enumerate(outputs)}
    np.savez_compressed(FOLDER / "branches.npz", **expected)


def make_models() -> None:
    """Write the models, float32 and quantised, and what LiteRT's interpreter says of the float32 ones."""
    import keras
    import tensorflow as tf
    from keras import layers

    keras.utils.set_random_seed(SEED)
    expected = {"version": np.array(tf.__version__)}
    for name, make in (("mlp", mlp), ("activations", activations), ("wide", wide)):
        model = make(layers, keras)
        x = np.random.default_rng(SEED).normal(0, 2, (N_SAMPLES, *model.input_shape[1:])).astype(np.float32)
        for variable in model.variables:
            variable.assign(variable + np.random.default_rng(SEED).uniform(0, 0.5, variable.shape))
        expected |= {f"{name}_x": x, f"{name}_y": model.predict(x, verbose=0)}

        def samples(x=x):
            return ([row[None]] for row in x)

        def write(kind: str, setup, model=model, name=name) -> None:
            converter = tf.lite.TFLiteConverter.from_keras_model(model)
            setup(converter)
            (FOLDER / f"{name}_{kind}.tflite").write_bytes(converter.convert())

        def dynamic(converter):
            converter.optimizations = [tf.lite.Optimize.DEFAULT]

        def int8(converter, samples=samples):
            dynamic(converter)
            converter.representative_dataset = samples
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]

        def int8_ends(converter, int8=int8):
            int8(converter)
            converter.inference_input_type = converter.inference_output_type = tf.int8

        def float16(converter):
            dynamic(converter)
            converter.target_spec.supported_types = [tf.float16]

        if name == "wide":
            write("dynamic", dynamic)
            continue
        write("float32", lambda converter: None)
        write("float16", float16)
        if name == "mlp":
            write("int8", int8_ends)
            write("int8_float_ends", int8)
    np.savez_compressed(FOLDER / "expected.npz", **expected)


def add_int8_outputs() -> None:
    """Add what TensorFlow Lite Micro says of the int8 model: 200 random inputs."""
    from tflite_micro.python.tflite_micro import runtime

    expected = dict(np.load(FOLDER / "expected.npz"))
    interpreter = runtime.Interpreter.from_bytes((FOLDER / "mlp_int8.tflite").read_bytes())
    x = np.random.default_rng(SEED).integers(-128, 128, (200, 3, 4), np.int8)
    outputs = []
    for row in x:
        interpreter.set_input(row[None], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0].copy())
    expected |= {"mlp_int8_x": x, "mlp_int8_y": np.array(outputs)}
    np.savez_compressed(FOLDER / "expected.npz", **expected)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    if "--micro" in sys.argv:
        add_int8_outputs()
        add_int8_outputs_of_branches()
    elif "--branches" in sys.argv:
        make_branches()
    else:
        make_models()
        make_branches()
