"""Write the networks in tests/golden/tflite/layers with TensorFlow's converter: each family of layers, small.

Run with `pip install tensorflow-cpu==2.21.0` (Keras 3). Seed 20261126. Each is there in float32 and in int8; some with
float16 weights, or with int8 weights alone ("dynamic", where weights are large enough). What is right is what
TensorFlow Lite Micro's interpreter says, which tests ask.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from keras import layers

SEED = 20261126
N_SAMPLES, N_EXPECTED = 16, 5
FOLDER = Path(__file__).parent / "tflite" / "layers"


def convolutions():
    """Kernels of all shapes; strides, dilation, groups, multipliers; padding of both kinds; fused activations."""
    x = image = keras.Input((9, 8, 4), name="image")
    x = layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D((3, 2), padding="same", depth_multiplier=2, activation="relu")(x)
    x = layers.Conv2D(8, 1)(x)
    x = layers.Conv2D(4, 2, dilation_rate=2, padding="same", activation="tanh")(x)
    x = layers.Conv2D(6, (2, 1), groups=2, activation="relu")(x)
    x = layers.SeparableConv2D(5, 3, strides=1, padding="same")(x)
    return keras.Model(image, layers.Dense(3, "softmax")(layers.Flatten()(x)))


def pools():
    """Windows of all shapes, padding at one side only, whole images, along one axis."""
    image = keras.Input((9, 8, 3), name="image")
    x = layers.MaxPooling2D((3, 2), strides=2, padding="same")(image)
    y = layers.AveragePooling2D((3, 2), strides=2, padding="same")(image)
    x = layers.AveragePooling2D(2, strides=1)(layers.Concatenate()([x, y]))
    parts = [layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)]
    return keras.Model(image, [*parts, keras.ops.mean(x, axis=2), keras.ops.sum(x, axis=(1, 3))])


def decoder():
    """What enlarges images: transposed convolutions, both ways to resize, padding; and cropping."""
    x = image = keras.Input((3, 4, 2), name="image")
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(x)
    y = layers.UpSampling2D(2)(image)
    z = layers.UpSampling2D(2, interpolation="bilinear")(image)
    x = layers.Concatenate()([x, y, z])
    x = layers.Conv2DTranspose(3, (2, 3), strides=(1, 2))(layers.ZeroPadding2D(((1, 0), (0, 2)))(x))
    return keras.Model(image, layers.Cropping2D(((1, 2), (0, 1)))(x))


def signals():
    """Sequences: causal and dilated convolutions, pools, dense layers and softmax of every row."""
    x = signal = keras.Input((16, 3), name="signal")
    x = layers.Conv1D(6, 3, padding="causal", activation="relu")(x)
    x = layers.Conv1D(6, 3, dilation_rate=2, padding="same")(x)
    x = layers.MaxPooling1D(2)(layers.DepthwiseConv1D(3, strides=1)(x))
    x = layers.AveragePooling1D(2)(x)
    return keras.Model(signal, layers.Dense(4, "softmax")(layers.Dense(5, "relu")(x)))


def elements():
    """Arithmetic of two values, broadcast and not, and with constants; limits; functions of one value."""
    x = image = keras.Input((4, 5, 6), name="image")
    scores = layers.Dense(6, "sigmoid")(layers.GlobalAveragePooling2D()(x))
    x = layers.Multiply()([x, layers.Reshape((1, 1, 6))(scores)])
    x = layers.Subtract()([x, layers.Conv2D(6, 1)(image)])
    x = layers.PReLU(shared_axes=[1, 2])(x) + np.linspace(-1, 1, 6, dtype=np.float32)
    x = keras.ops.minimum(keras.ops.maximum(x * 0.7, -1.5), 2.0)
    return keras.Model(image, x)


def functions():
    """The functions of one value."""
    x = row = keras.Input((24,), name="row")
    y = keras.ops.exp(x)
    return keras.Model(
        row,
        [
            keras.ops.abs(x),
            keras.ops.log(y + 0.5),
            keras.ops.sqrt(y),
            keras.ops.rsqrt(y + 0.25),
            keras.ops.square(x),
            keras.ops.negative(x),
        ],
    )


def moves():
    """Parts, joins and orders of axes."""
    x = image = keras.Input((4, 6, 8), name="image")
    a, b = keras.ops.split(x, 2, axis=3)
    c, d, e = keras.ops.split(x, [2, 5], axis=2)
    rows = keras.ops.unstack(keras.ops.transpose(a, (0, 2, 1, 3)), axis=1)
    stacked = keras.ops.stack([rows[0], rows[5]], axis=2)
    back = keras.ops.flip(b, axis=1)[:, ::2, 1:-1]
    taken = keras.ops.take(x, np.array([3, 0, 1, 6]), axis=3)
    return keras.Model(image, [stacked, back, keras.ops.concatenate([c, d, e], axis=2), taken])


def attention():
    """A layer normalisation and a log-softmax of rows, as the converter spells them out."""
    x = rows = keras.Input((5, 8), name="rows")
    x = layers.Dense(6)(layers.LayerNormalization()(x))
    return keras.Model(rows, keras.ops.log_softmax(x))


def words():
    """Whole numbers to rows of a table."""
    x = numbers = keras.Input((7,), dtype="int32", name="numbers")
    x = layers.GlobalAveragePooling1D()(layers.Embedding(20, 6)(x))
    return keras.Model(numbers, layers.Dense(3, "softmax")(x))


class Greatest(layers.Layer):
    """TensorFlow's own argmax: Keras looks for -0.0 before, which the converter has no operator for."""

    def call(self, x):
        return tf.argmax(x, -1, tf.int32)


def classes():
    """The number of the greatest class."""
    row = keras.Input((6,), name="row")
    return keras.Model(row, Greatest()(layers.Dense(5)(row)))


def wide():
    """A convolution large enough (1,024 weights) for the converter to quantise its weights alone."""
    x = image = keras.Input((5, 6, 8), name="image")
    x = layers.Conv2D(16, 3, activation="relu")(x)
    return keras.Model(image, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


FAMILIES = (
    wide,
    convolutions,
    pools,
    decoder,
    signals,
    elements,
    functions,
    moves,
    attention,
    words,
    classes,
)
MORE = {
    "wide": ("dynamic",),
    "convolutions": ("float16",),
    "elements": ("int8_float_ends",),
    "attention": ("float16",),
}


def samples(model, n: int = N_SAMPLES) -> list[np.ndarray]:
    rng = np.random.default_rng(SEED)
    shape = tuple(d or 1 for d in model.input_shape)
    if model.inputs[0].dtype == "int32":
        return [rng.integers(0, 20, shape).astype(np.int32) for _ in range(n)]
    return [rng.normal(0, 1, shape).astype(np.float32) for _ in range(n)]


def write(name: str, kind: str, model) -> None:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if kind != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if kind.startswith("int8"):
        converter.representative_dataset = lambda: ([x] for x in samples(model))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        if name in ("words", "classes"):
            converter.target_spec.supported_ops.append(tf.lite.OpsSet.TFLITE_BUILTINS)
    if kind == "int8" and name != "words":
        converter.inference_input_type = tf.int8
        if name != "classes":
            converter.inference_output_type = tf.int8
    (FOLDER / f"{name}_{kind}.tflite").write_bytes(converter.convert())


class Stream(tf.Module):
    """Three frames in, a score out; a convolution over five frames and one over four of its outputs."""

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(SEED)
        self.frames = tf.Variable(tf.zeros((1, 2, 1, 6)), trainable=False)
        self.seen = tf.Variable(tf.zeros((1, 3, 1, 5)), trainable=False)
        self.first = tf.constant(rng.normal(0, 0.4, (5, 1, 6, 5)).astype(np.float32))
        self.second = tf.constant(rng.normal(0, 0.4, (4, 1, 5, 1)).astype(np.float32))
        self.last = tf.constant(rng.normal(0, 0.4, (5, 2)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((1, 3, 1, 6), tf.float32, name="frames")])
    def __call__(self, x):
        frames = tf.concat([self.frames, x], axis=1)
        self.frames.assign(frames[:, 3:])
        y = tf.nn.relu(tf.nn.conv2d(frames, self.first, 1, "VALID"))
        seen = tf.concat([self.seen, y], axis=1)
        self.seen.assign(seen[:, 1:])
        y = tf.nn.depthwise_conv2d(seen, self.second, (1, 1, 1, 1), "VALID")
        return tf.nn.softmax(tf.matmul(tf.reshape(y, (1, 5)), self.last))


def write_stream() -> None:
    stream, rng = Stream(), np.random.default_rng(SEED)
    for kind in ("float32", "int8"):
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [stream.__call__.get_concrete_function()], stream
        )
        converter.experimental_enable_resource_variables = True
        if kind == "int8":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter._experimental_variable_quantization = True
            converter.representative_dataset = lambda: (
                [rng.normal(0, 1, (1, 3, 1, 6)).astype(np.float32)] for _ in range(50)
            )
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        (FOLDER / f"stream_{kind}.tflite").write_bytes(converter.convert())


def opened(path: Path):
    """Return LiteRT's interpreter with its reference kernels, or, of what has none, with its own."""
    kinds = tf.lite.experimental.OpResolverType
    for kind in (kinds.BUILTIN_REF, kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES):
        try:
            interpreter = tf.lite.Interpreter(str(path), experimental_op_resolver_type=kind)
            interpreter.allocate_tensors()
            return interpreter
        except (RuntimeError, ValueError) as error:
            print(f"{path.name}: {str(error)[:80]}")
    raise SystemExit(f"{path.name}: cannot be run")


def drawn(details) -> np.ndarray:
    """Return random samples of an input's type and shape."""
    rng, shape = np.random.default_rng(SEED), (N_EXPECTED, *details["shape"][1:])
    if details["dtype"] == np.float32:
        return rng.normal(0, 1, shape).astype(np.float32)
    least, most = (-128, 128) if details["dtype"] == np.int8 else (0, 20)
    return rng.integers(least, most, shape).astype(details["dtype"])


def write_expected() -> None:
    """Write what LiteRT says of every file, one sample after another: inputs NAME_x, outputs NAME_y0, NAME_y1 ... in
    the file's own types."""
    expected = {"version": np.array(tf.__version__)}
    for path in sorted(FOLDER.glob("*.tflite")):
        interpreter = opened(path)
        (given,), outputs = interpreter.get_input_details(), interpreter.get_output_details()
        expected[f"{path.stem}_x"] = x = drawn(given)
        made = [[] for _ in outputs]
        for sample in x:
            interpreter.set_tensor(given["index"], sample[None])
            interpreter.invoke()
            for rows, output in zip(made, outputs, strict=True):
                rows.append(interpreter.get_tensor(output["index"]).copy())
        expected |= {f"{path.stem}_y{index}": np.array(rows) for index, rows in enumerate(made)}
    np.savez_compressed(FOLDER / "expected.npz", **expected)


def main(names: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    keras.utils.set_random_seed(SEED)
    for family in FAMILIES:
        name = family.__name__
        if names and name not in names:
            continue
        model, rng = family(), np.random.default_rng(SEED)
        for variable in model.variables:
            variable.assign(variable + rng.uniform(-0.2, 0.4, variable.shape))
        for kind in ("float32", *(() if name == "wide" else ("int8",)), *MORE.get(name, ())):
            write(name, kind, model)
    if not names or "stream" in names:
        write_stream()
    write_expected()


if __name__ == "__main__":
    main(sys.argv[1:])
