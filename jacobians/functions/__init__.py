"""Plain NumPy functions: what each of them becomes when it is traced, and the Jacobians of what people write with them.

- `ufuncs`: NumPy's ufuncs; `ufunc_methods`: their methods; `constants`: functions whose values are plain, or piecewise
  constant.
- `conjugation`: real and imaginary parts, conjugates and absolute values of complex values.
- `indexing`, `moving`: entries taken, written and moved; `assembling`, `padding`: arrays put together from others;
  `filling`: functions that write into an array.
- `reducing`: sums, means and the like along axes; `selecting`: where, clip, sort; `sequences`: differences, slopes,
  convolution, interpolation; `calling`: functions that call a function for parts of an array.
- `products`: matrix products of every kind; `algebra`, `norms`: ``np.linalg``; `fourier`: ``np.fft``.
- `statistics`: averages with weights, covariances, quantiles, histograms; `polynomials`; `special`: SciPy's ufuncs.
- `scientific`, `distributions`: SciPy's functions that are no ufuncs, and those of ``scipy.stats``.
- `stand_ins`: what takes the place of functions that tell nobody when they are called, in `creation` (``np.zeros``),
  `iterating` (``np.vectorize``), `mathematics` (``math.sin``, ``float``) and `scientific`; `replacing`: where it stands
  while a function is traced. `postponing`: large arrays whose numbers nobody may ask for.
- `nested`: tuples, lists, dicts and dataclasses of arrays; `names`: what the source calls a value;
  `naming`: what formulas call it.
- `trace`: `trace`, `jacobian` and the `Graph` that they give.

Every rule applies layers of the catalogue, or other functions that have rules.
"""

from jacobians.functions import (
    algebra,
    assembling,
    calling,
    conjugation,
    constants,
    distributions,
    filling,
    fourier,
    indexing,
    moving,
    norms,
    padding,
    polynomials,
    postponing,
    products,
    reducing,
    scientific,
    selecting,
    sequences,
    special,
    statistics,
    ufunc_methods,
    ufuncs,
)
from jacobians.functions.graph import Graph
from jacobians.functions.trace import derivative, jacobian, trace

__all__ = [
    "Graph",
    "algebra",
    "assembling",
    "calling",
    "conjugation",
    "constants",
    "derivative",
    "distributions",
    "filling",
    "fourier",
    "indexing",
    "jacobian",
    "moving",
    "norms",
    "padding",
    "polynomials",
    "postponing",
    "products",
    "reducing",
    "scientific",
    "selecting",
    "sequences",
    "special",
    "statistics",
    "trace",
    "ufunc_methods",
    "ufuncs",
]
