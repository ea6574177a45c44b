"""Types of `import anne`: the functions of anne.reference, and trained networks."""

from . import reference as reference
from .head import Head as Head
from .live import stream as stream
from .model import Model as Model
from .model import load as load
from .reference import ACTIVATIONS as ACTIVATIONS
from .reference import add_dim as add_dim
from .reference import classification_report as classification_report
from .reference import dense as dense
from .reference import dot as dot
from .reference import leaky_relu as leaky_relu
from .reference import neuron as neuron
from .reference import print_matrix as print_matrix
from .reference import relu as relu
from .reference import sigmoid as sigmoid
from .reference import softmax as softmax
from .reference import tanh as tanh
from .reference import transpose as transpose
from .reference import zero_dim as zero_dim
from .reference import zeros as zeros
from .trainer import Trainer as Trainer
from .trainer import train_model as train_model
from .training import binary_cross_entropy as binary_cross_entropy
from .training import binary_cross_entropy_derivative as binary_cross_entropy_derivative
from .training import dense_backward as dense_backward
from .training import dense_forward as dense_forward
from .training import init_layer as init_layer
from .training import leaky_relu_derivative as leaky_relu_derivative
from .training import normalize as normalize
from .training import relu_derivative as relu_derivative
from .training import sigmoid_derivative as sigmoid_derivative
from .training import tanh_derivative as tanh_derivative

native: bool
__version__: str

def __dir__() -> list[str]: ...
