"""Networks of every kind of layer that both Keras and AI-ANNE have, small, for make_keras.py.

Each network's outputs are its layers, so that each is compared by itself.
"""

from __future__ import annotations

import keras
from keras import layers

KERAS_2 = keras.__version__.startswith("2")
# Where padding is uneven, Keras on PyTorch takes the mean over copies of the edge, and TensorFlow leaves it out.
EVEN = 2 if KERAS_2 else 1


def images():
    """Convolutions, depthwise and separable ones, and pools over images: kernels, strides, dilations, paddings."""
    x = keras.Input((7, 6, 4), name="image")
    made = [
        layers.Conv2D(3, (3, 2), padding="same", activation="relu")(x),
        layers.Conv2D(3, 3, strides=2, padding="same", activation="hard_sigmoid")(x),
        layers.Conv2D(4, 3, strides=(2, 1), groups=2, use_bias=False)(x),
        layers.Conv2D(2, 3, dilation_rate=2, padding="same")(x),
        layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2, activation="relu")(x),
        layers.DepthwiseConv2D((2, 3), dilation_rate=2)(x),
        layers.SeparableConv2D(3, 3, padding="same", activation="tanh")(x),
        layers.MaxPooling2D(3, strides=2, padding="same")(x),
        layers.MaxPooling2D((2, 3))(x),
        layers.AveragePooling2D(3, strides=EVEN, padding="same")(x),
        layers.AveragePooling2D(2)(x),
        layers.GlobalAveragePooling2D(keepdims=True)(x),
        layers.GlobalMaxPooling2D()(x),
        layers.Dense(3, "relu")(x),
        layers.BatchNormalization()(x),
        layers.UpSampling2D((2, 3))(x),
        layers.UpSampling2D(2, interpolation="bilinear")(x),
        layers.Cropping2D(((1, 2), (0, 1)))(x),
    ]
    made += [layers.Conv2DTranspose(2, k, strides=2, padding=p)(x) for k, p in ((4, "same"), (3, "valid"))]
    return keras.Model(x, made)


def signals():
    """The same over signals, causal convolutions, and what makes a signal of a vector."""
    x, vector = keras.Input((9, 4), name="signal"), keras.Input((4,), name="vector")
    made = [
        layers.Conv1D(3, 3, padding="causal", dilation_rate=2, activation="relu")(x),
        layers.Conv1D(3, 4, strides=2, padding="same")(x),
        layers.DepthwiseConv1D(3, padding="same", depth_multiplier=2)(x),
        layers.SeparableConv1D(3, 3, strides=2)(x),
        layers.Conv1DTranspose(2, 4, strides=2, padding="same")(x),
        layers.MaxPooling1D(3, strides=2, padding="same")(x),
        layers.AveragePooling1D(2)(x),
        layers.GlobalAveragePooling1D()(x),
        layers.GlobalMaxPooling1D(keepdims=True)(x),
        layers.Dense(3, "softmax")(x),
        layers.UpSampling1D(2)(x),
        layers.Cropping1D((1, 2))(x),
        layers.Permute((2, 1))(x),
        layers.RepeatVector(3)(vector),
    ]
    return keras.Model([x, vector], made)


def meeting():
    """Tensors that meet: sums, products, extremes, some of them along channels only; and what is put together."""
    a, b = keras.Input((3, 4, 5), name="a"), keras.Input((3, 4, 5), name="b")
    gate = layers.Dense(5, "sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(a))
    made = [layer()([a, b]) for layer in (layers.Subtract, layers.Multiply, layers.Maximum, layers.Minimum)]
    made += [layer()([a, b, made[1]]) for layer in (layers.Average, layers.Multiply, layers.Add)]
    made += [layers.Multiply()([a, gate]), layers.Subtract()([gate, b]), layers.Add()([gate, a])]
    made += [layers.Concatenate(axis=axis)([a, b, made[0]]) for axis in (1, 2, -1)]
    return keras.Model([a, b], made)


def functions():
    """Activations and normalisations that are layers."""
    x = keras.Input((3, 4, 5), name="x")
    small = {"alpha_initializer": keras.initializers.RandomNormal(seed=1)}
    made = [
        layers.ReLU(max_value=1.5)(x),
        layers.ReLU(max_value=1.0, negative_slope=0.25)(x),
        layers.PReLU(shared_axes=[1, 2], **small)(x),
        layers.PReLU(**small)(x),
        layers.Softmax(axis=1)(x),
        layers.Softmax()(x),
        layers.LayerNormalization()(x),
        layers.LayerNormalization(scale=False, epsilon=0.1)(x),
        layers.Activation("exponential")(x),
        layers.Rescaling(1 / 4, offset=-1)(x),
        layers.Normalization(mean=[1.0, 2, 3, 4, 5], variance=[1.0, 4, 9, 1, 2])(x),
        layers.Reshape((2, -1, 3))(x),
    ]
    made += [] if KERAS_2 else [layers.Activation(name)(x) for name in ("hard_tanh", "log_softmax")]
    return keras.Model(x, made)


def sentence():
    """Words as numbers: an embedding, a convolution over time, and the greatest of all times."""
    x = keras.Input((6,), name="words")
    h = layers.Embedding(10, 4)(x)
    h = layers.GlobalMaxPooling1D()(layers.Conv1D(5, 3, activation="relu")(h))
    return keras.Model(x, layers.Dense(2, "softmax")(h))


def residual_image():
    """A small network as they are: convolutions with batch norms, blocks with a sum, a mean, a classifier."""
    x = keras.Input((8, 8, 1))
    h = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same", use_bias=False)(x)))
    for stride in (1, 2):
        block = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(h)
        block = layers.ReLU(6)(layers.BatchNormalization()(block))
        block = layers.BatchNormalization()(layers.Conv2D(4, 1, use_bias=False)(block))
        h = layers.Add()([layers.MaxPooling2D()(h) if stride == 2 else h, block])
    h = layers.Dropout(0.1)(layers.GlobalAveragePooling2D()(h))
    return keras.Model(x, layers.Dense(3, "softmax")(h))


def operators_of_images():
    """Operators with constants, over axes, and slices; as functions of Keras 3, of TensorFlow in Keras 2."""
    x, y = keras.Input((4, 6, 3), name="x"), keras.Input((4, 6, 3), name="y")
    return keras.Model([x, y], _tensorflow(x, y) if KERAS_2 else _keras_ops(x, y))


def _keras_ops(x, y):
    from keras import ops

    first, second = ops.split(x, [1], axis=-1)
    made = [x * 2.0, 2.0 - x, x / 4.0, x - 1.0, -x, x * y, x - y, x**2, ops.relu6(x), ops.absolute(x)]
    made += [ops.maximum(x, 0.5), ops.minimum(x, y), ops.clip(x, -1, 1), ops.leaky_relu(x, 0.1)]
    made += [
        ops.mean(x, axis=(1, 2), keepdims=True),
        ops.max(x, axis=1),
        ops.sum(x, axis=[2, 3]),
        ops.min(x, -1),
    ]
    made += [
        ops.softmax(x, axis=1),
        ops.log_softmax(x),
        ops.exp(x),
        ops.square(y),
        ops.tanh(y),
        ops.rsqrt(ops.exp(y)),
    ]
    made += [ops.transpose(x, (0, 2, 1, 3)), ops.concatenate([x, y], axis=-1), ops.reshape(x, (-1, 24, 3))]
    made += [ops.squeeze(ops.expand_dims(x, 1), 1), ops.pad(x, ((0, 0), (1, 1), (2, 0), (0, 0)))]
    return [*made, first, second, x[:, 1:3, ::2], x[:, -1], x[:, :, 1:, 2]]


def _tensorflow(x, y):
    import tensorflow as tf

    made = [
        x * 2.0,
        2.0 - x,
        x / 4.0,
        x - 1.0,
        -x,
        x * y,
        x - y,
        tf.nn.relu6(x),
        tf.abs(x),
        tf.math.add(x, y),
    ]
    made += [tf.maximum(x, 0.5), tf.minimum(x, y), tf.clip_by_value(x, -1, 1), tf.nn.leaky_relu(x, 0.1)]
    made += [
        tf.reduce_mean(x, axis=(1, 2), keepdims=True),
        tf.reduce_max(x, axis=1),
        tf.reduce_sum(x, [2, 3]),
    ]
    made += [tf.nn.softmax(x, axis=1), tf.nn.relu(x), tf.nn.silu(x), tf.sigmoid(x), tf.tanh(y)]
    made += [tf.exp(x), tf.square(y), tf.math.rsqrt(tf.exp(y)), tf.sqrt(tf.square(x)), tf.math.log(tf.exp(x))]
    made += [tf.transpose(x, (0, 2, 1, 3)), tf.concat([x, y], axis=-1), tf.reshape(x, (-1, 24, 3))]
    made += [tf.squeeze(tf.expand_dims(x, 1), 1), tf.pad(x, ((0, 0), (1, 1), (2, 0), (0, 0)))]
    return [*made, x[:, 1:3, ::2], x[:, -1], x[:, :, 1:, 2], x[:, ::-1]]


def wrapped():
    """Layers over the steps of a sequence of images, normalised groups, and what is there for training only."""
    steps, x = keras.Input((3, 6, 5, 2), name="steps"), keras.Input((4, 3, 6), name="x")
    over = layers.TimeDistributed
    h = over(layers.MaxPooling2D())(over(layers.BatchNormalization())(over(layers.Conv2D(3, 3))(steps)))
    h = over(layers.Dense(4, "relu"))(over(layers.Flatten())(h))
    made = [h, over(layers.LayerNormalization())(over(layers.Dropout(0.1))(h))]
    made += [over(layers.Conv1D(3, 2, padding="same"))(x), over(layers.GlobalMaxPooling1D())(x)]
    made += [layers.GroupNormalization(groups)(x) for groups in (1, 2, -1)]
    made += [layers.Dense(2)(layers.RandomFlip()(layers.RandomZoom(0.1)(layers.GaussianNoise(0.1)(x))))]
    return keras.Model([steps, x], made)


KINDS = (images, signals, meeting, functions, sentence, residual_image, operators_of_images)
KINDS += () if KERAS_2 else (wrapped,)
# Those that are written as .h5 by Keras 3, too, which is otherwise the way of Keras 2.
AS_H5 = (signals, operators_of_images, wrapped)
