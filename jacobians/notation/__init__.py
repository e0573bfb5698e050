"""The notation for generalized Jacobians: ``"x_k -> i;ik"`` is ∂z_i/∂A_jk = δ_ij x_k.

::

    factors "->" labels of the output axes ";" labels of the axes of what we differentiate by ("wrt")

- A factor is ``name_labels``: its labels are what follows the last underscore, one letter each. A name without labels
  is a scalar factor. Names are free text without blanks (``(1-f²)_i``); they make the formula that people read.
- A label that stands twice right of the arrow is a Kronecker delta between those axes: ``i;ik``, ``;ii`` (the trace),
  ``ij;ji`` (the transpose), ``i;ii`` (a diagonal).
- A label of a factor that stands nowhere right of the arrow is summed.
- A label right of the arrow that no factor carries is broadcast: ``-> ;i`` is a vector of ones.
- ``...`` is any number of batch axes and broadcasts as in NumPy: ``"A_ij -> ...i;...j"``, ``"y_... -> ...;..."``.
- In parentheses, an axis right of the arrow is an index map: an integer affine combination of labels, ``(2y+u-1)``, or
  a lookup ``(n_j)`` in an integer array, which is passed after the factors, in order of appearance. Positions outside
  the axis do not exist.

`parse` takes the text apart; `sizes` gives every label its size; `structure` is what they make: terms and forms,
without numbers; `symbols` is how factors are called. The way back is `formula` with `sums`, `quotients` and `markup`;
`naming` and `expressions` say what the values of a graph are called in it. `signature` is how layers say the shapes of
their arguments.
"""
