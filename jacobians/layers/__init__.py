"""The layers: one file per family, each layer its forward and one line of notation per argument.

A new layer is a class in the file of its family, its name in that file's ``__all__``, and a row in `examples`.
"""

from jacobians.layers import (
    activations,
    affine,
    arithmetic,
    attention,
    convolution,
    decompositions,
    entrywise,
    losses,
    matrices,
    normalization,
    placing,
    pooling,
    probability,
    products,
    recurrent,
    reductions,
    reshaping,
    slopes,  # noqa: F401 - the derivatives of derivatives
    softmax,
    spectral,
)
from jacobians.layers.activations import *
from jacobians.layers.affine import *
from jacobians.layers.arithmetic import *
from jacobians.layers.attention import *
from jacobians.layers.convolution import *
from jacobians.layers.decompositions import *
from jacobians.layers.entrywise import *
from jacobians.layers.losses import *
from jacobians.layers.matrices import *
from jacobians.layers.normalization import *
from jacobians.layers.placing import *
from jacobians.layers.pooling import *
from jacobians.layers.probability import *
from jacobians.layers.products import *
from jacobians.layers.recurrent import *
from jacobians.layers.reductions import *
from jacobians.layers.reshaping import *
from jacobians.layers.softmax import *
from jacobians.layers.spectral import *

__all__: list[str] = []
__all__ += affine.__all__
__all__ += entrywise.__all__
__all__ += activations.__all__
__all__ += arithmetic.__all__
__all__ += products.__all__
__all__ += reductions.__all__
__all__ += reshaping.__all__
__all__ += placing.__all__
__all__ += softmax.__all__
__all__ += normalization.__all__
__all__ += convolution.__all__
__all__ += pooling.__all__
__all__ += attention.__all__
__all__ += recurrent.__all__
__all__ += losses.__all__
__all__ += probability.__all__
__all__ += matrices.__all__
__all__ += spectral.__all__
__all__ += decompositions.__all__
