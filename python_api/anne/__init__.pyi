"""Types of `import anne`: the functions of anne.reference, and trained networks."""

from . import reference as reference
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

native: bool
