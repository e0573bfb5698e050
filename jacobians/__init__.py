from jacobians.jacobian import Jacobian, Terms, term
from jacobians.layer import Layer, Parameter
from jacobians.layers import *
from jacobians.chain import Chain, Residual
from jacobians.nn import NN
from jacobians.memory import JacobianTooLarge
