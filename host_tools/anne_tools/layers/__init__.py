"""A room for each kind of layer: all that the host tools know about it. FORMAT.md has their numbers.

A room knows what all kinds share (network/layer.py), what stands beside the rooms for several of them (prices, tables,
weighted, layouts, weights, windows, pools, binary, activated), and no other room.
"""

from importlib import import_module

from ..network.layer import Layer
from .activation import Activation
from .add import Add
from .arg_max import ArgMax
from .average_pool import AveragePool
from .clip import Clip
from .concatenate import Concatenate
from .conv import Conv
from .conv_transpose import ConvTranspose
from .delay import Delay
from .dense import Dense
from .depthwise_conv import DepthwiseConv
from .embedding import Embedding
from .layer_norm import LayerNorm
from .max_pool import MaxPool
from .multiply import Multiply
from .pad import Pad
from .prelu import Prelu
from .quantize import Quantize
from .reduce import Reduce
from .reshape import Reshape
from .resize import Resize
from .scaling import Scaling
from .slice import Slice
from .subtract import Subtract
from .transpose import Transpose


def room(kind: str) -> type[Layer]:
    """Return the class of a kind by its word in model files: dense, activation ..."""
    return getattr(import_module(f".{kind}", __name__), "".join(map(str.capitalize, kind.split("_"))))


__all__ = [
    "Activation",
    "Add",
    "ArgMax",
    "AveragePool",
    "Clip",
    "Concatenate",
    "Conv",
    "ConvTranspose",
    "Delay",
    "Dense",
    "DepthwiseConv",
    "Embedding",
    "LayerNorm",
    "MaxPool",
    "Multiply",
    "Pad",
    "Prelu",
    "Quantize",
    "Reduce",
    "Reshape",
    "Resize",
    "Scaling",
    "Slice",
    "Subtract",
    "Transpose",
    "room",
]
