"""Rendering, apart from the model.

- `derivatives`: a graph as it is shown, values with names and the local Jacobians between them. From it are made:
  `table`, the shape table; `explanation`, the derivation of one Jacobian (`explained` is what there is to say,
  `derivation` its lines, `costs` the orders of elimination, `pages` how it stands on paper). `called` gives it the
  names of its reader; `legend` gives long symbols letters.
- `diagram`: boxes and wires, placed by `layered`.
- `html`, `pattern`, `grid`, `entry_table`: what a notebook shows for a Jacobian; `plot`, `blocks`: as a picture;
  `layouts`: in other books; `columns`: text in columns.
- `style`: the look of all of it, which survives in notebooks that are not trusted.
"""
