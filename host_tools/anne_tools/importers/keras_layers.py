"""What each Keras layer means, as layers of a graph: a function for each, which appends to the builder what one call of
it does. The builder's last tensor is the first, of most the only one, that it reads.

Taken from the Keras 3 API reference; where Keras 2 meant something else by the same name (hard_sigmoid), the version in
the file decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .keras_activations import FUNCTIONS as FUNCTIONS
from .keras_activations import activation_layer
from .keras_arithmetic import (
    average,
    batch_normalization,
    extreme,
    group_normalization,
    layer_normalization,
    merging,
    normalization,
    prelu,
    rescaling,
)
from .keras_convolutions import conv, conv_transpose, dense, depthwise_conv, separable_conv
from .keras_moves import (
    concatenate,
    cropping,
    embedding,
    flatten,
    permute,
    repeat_vector,
    reshape,
    resizing,
    up_sampling,
    zero_padding,
)
from .keras_operators import OPERATORS, nothing
from .keras_pools import global_pool, pool
from .keras_step import Step as Step
from .keras_wrappers import time_distributed

# Layers that do something in training only; of those that change images a note says so.
AUGMENTATIONS = (
    "AugMix",
    "CutMix",
    "MixUp",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
)
TRAINING_ONLY = (
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    *AUGMENTATIONS,
)
LAYERS = {
    "Activation": activation_layer,
    "Add": merging("add"),
    "Average": average,
    "AveragePooling1D": pool,
    "AveragePooling2D": pool,
    "BatchNormalization": batch_normalization,
    "Concatenate": concatenate,
    "Conv1D": conv,
    "Conv1DTranspose": conv_transpose,
    "Conv2D": conv,
    "Conv2DTranspose": conv_transpose,
    "Cropping1D": cropping,
    "Cropping2D": cropping,
    "Cropping3D": cropping,
    "Dense": dense,
    "DepthwiseConv1D": depthwise_conv,
    "DepthwiseConv2D": depthwise_conv,
    "ELU": activation_layer,
    "Embedding": embedding,
    "Flatten": flatten,
    "GlobalAveragePooling1D": global_pool,
    "GlobalAveragePooling2D": global_pool,
    "GlobalMaxPooling1D": global_pool,
    "GlobalMaxPooling2D": global_pool,
    "GroupNormalization": group_normalization,
    "LayerNormalization": layer_normalization,
    "LeakyReLU": activation_layer,
    "MaxPooling1D": pool,
    "MaxPooling2D": pool,
    "Maximum": extreme(1),
    "Minimum": extreme(-1),
    "Multiply": merging("multiply"),
    "Normalization": normalization,
    "PReLU": prelu,
    "Permute": permute,
    "ReLU": activation_layer,
    "RepeatVector": repeat_vector,
    "Rescaling": rescaling,
    "Reshape": reshape,
    "Resizing": resizing,
    "SeparableConv1D": separable_conv,
    "SeparableConv2D": separable_conv,
    "Softmax": activation_layer,
    "Subtract": merging("subtract"),
    "UpSampling1D": up_sampling,
    "UpSampling2D": up_sampling,
    "ZeroPadding1D": zero_padding,
    "ZeroPadding2D": zero_padding,
    "ZeroPadding3D": zero_padding,
}


def _listed(names: Iterable[str]) -> str:
    """The names, those that differ in their dimensions as one: Conv1D/2D."""
    together: dict[tuple[str, str], list[str]] = {}
    for name in names:
        before, dimensions, after = re.fullmatch("(.*?)((?:[123]D)?)((?:Transpose)?)", name).groups()
        together.setdefault((before, after), []).append(dimensions)
    return ", ".join(f"{before}{'/'.join(found)}{after}" for (before, after), found in together.items())


SUPPORTED = (
    f"{_listed(LAYERS)}, TimeDistributed of these, most operators of keras.ops and TensorFlow, and for training only "
    f"({_listed(TRAINING_ONLY)})"
)
LAYERS |= dict.fromkeys(TRAINING_ONLY, nothing)
LAYERS["TimeDistributed"] = time_distributed(dict(LAYERS), TRAINING_ONLY)
LAYERS |= OPERATORS
