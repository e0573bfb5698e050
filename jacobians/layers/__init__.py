"""The layers: one file per family, each layer its forward and one line of notation per argument."""

from jacobians.layers.affine import Affine, Linear
from jacobians.layers.arithmetic import Add, Multiply
from jacobians.layers.entrywise import Identity, ReLU, Sigmoid, Tanh
from jacobians.layers.losses import SquaredError
from jacobians.layers.products import MatMul
from jacobians.layers.reductions import Sum
from jacobians.layers.softmax import Softmax

__all__ = [
    "Add",
    "Affine",
    "Identity",
    "Linear",
    "MatMul",
    "Multiply",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "SquaredError",
    "Sum",
    "Tanh",
]
